import type { Caller, MandateInForce } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import type { Role } from '#vocabulary';
import type { LedgerLine } from '../ledger/ledger.js';
import { readsBooks } from './statement-readers.js';
import { statementCsv, statementPage } from './statement-forms.js';
import type { ShownLine } from './statement.js';
import { rememberedSight, shownLine } from './statement.js';

const LINE: LedgerLine = {
  place: { day: '2026-03-01', position: '7', nth: 1 },
  currency: 'USD',
  class: 'passed-on',
  minor: -1250n,
  counterparty: '<script>alert(1)</script>',
  stream: 'commitment-019b8d00-0000-7000-8000-00000000000c',
  about: 'transfer',
  number: 1,
  reversal: false,
  unreceipted: false,
  prior: true,
  recordedAt: '2026-03-02T00:00:00.000Z',
  note: { reference: 'Invoice 1' },
  events: [{ eventId: 'e1', type: 'TransferReported', position: '7', stream: 'commitment-c' }],
};

const HEAD = { holder: 'agency:cavr', from: null, to: '2026-12-31', currencies: [] };

const whole = async (parts: AsyncIterable<string>): Promise<string> => {
  let text = '';
  for await (const part of parts) text += part;
  return text;
};

async function* only(line: ShownLine): AsyncGenerator<ShownLine> {
  yield await Promise.resolve(line);
}

describe('a line of a statement', () => {
  it('of a record hidden from the reader is a figure without anything that names the record', async () => {
    const shown = await shownLine(LINE, () => Promise.resolve(false));
    expect(shown).toEqual({
      date: '2026-03-01',
      class: 'passed-on',
      side: 'use',
      figure: { measure: 'money', currency: 'USD', amount: '-12.50' },
      priorPeriod: true,
      unreceipted: false,
      reversal: false,
      masked: true,
      events: [],
    });
    for (const form of [statementCsv(HEAD, only(shown)), statementPage(HEAD, only(shown))]) {
      expect(await whole(form)).not.toMatch(/alert|019b8d00|TransferReported|Invoice/);
    }
  });

  it('is escaped on the page, and no formula in a spreadsheet', async () => {
    const shown = await shownLine({ ...LINE, about: '=1+1' }, () => Promise.resolve(true));
    expect(await whole(statementPage(HEAD, only(shown)))).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    const csv = await whole(statementCsv(HEAD, only({ ...shown, counterparty: '=HYPERLINK("x"),1' })));
    expect(csv).toContain(`"'=HYPERLINK(""x""),1"`);
    expect(csv).toContain(`'=1+1 1`);
    expect(csv).toContain(',-12.50,');
  });

  it('asks once per record whether the reader sees it', async () => {
    let asked = 0;
    const sees = rememberedSight(ANONYMOUS, {
      sees: () => {
        asked += 1;
        return Promise.resolve(true);
      },
    });
    await Promise.all([sees('commitment', 'a'), sees('commitment', 'a'), sees('fund', 'a')]);
    expect(asked).toBe(2);
  });
});

describe('who reads the books of a party', () => {
  const caller = (party: string, role: Role, mandates: readonly Partial<MandateInForce>[] = []): Caller => ({
    ...ANONYMOUS,
    anonymous: false,
    party,
    roles: [role],
    mandates: mandates.map((mandate) => ({
      mandate: 'm',
      everything: false,
      parties: new Set(),
      records: new Set(),
      sealed: false,
      appointedBy: 'agency:secretariat',
      ...mandate,
    })),
  });
  const fund = 'fund:unscar';
  const reads = (who: Caller): boolean => readsBooks(who, fund, 'agency:undp');

  it.each<[string, Caller, boolean]>([
    ['the party itself', caller(fund, 'donor-desk'), true],
    ['its administrator', caller('agency:undp', 'fiscal-agent'), true],
    ['the coordinator', caller('agency:secretariat', 'coordinator'), true],
    ['an auditor of everything', caller('auditor:court', 'auditor', [{ everything: true }]), true],
    ['an auditor of the fund', caller('auditor:court', 'auditor', [{ parties: new Set([fund]) }]), true],
    ['an auditor of another', caller('auditor:court', 'auditor', [{ parties: new Set(['agency:cavr']) }]), false],
    ['an auditor of records', caller('auditor:court', 'auditor', [{ records: new Set([fund]) }]), false],
    [
      'an auditor of sealed parts of another',
      caller('auditor:court', 'auditor', [{ everything: true, sealed: true, appointedBy: 'state:VUT' }]),
      false,
    ],
    ['an auditor without a mandate', caller(fund, 'auditor'), false],
    ['the operator', caller('agency:undp', 'operator'), false],
    ['anyone else', caller('donor:norway', 'donor-desk'), false],
    ['a token without an office', { ...caller(fund, 'donor-desk'), roles: [] }, false],
    ['the public', ANONYMOUS, false],
  ])('%s', (_who, who, expected) => {
    expect(reads(who)).toBe(expected);
  });
});
