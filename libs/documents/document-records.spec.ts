import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import type { ProjectionRunner, Transactor } from '#kernel';
import { recordedEvent } from '#kernel-testing';
import type { RecordKinds } from '#web';
import type { DocumentState } from './document.js';
import { DocumentRecords } from './document-records.js';

/** Whose upload lets a caller see a document depends on who listed it in the record that the caller is shown. */
const HASH = 'a'.repeat(64);
const caller = (party: string, role: Caller['roles'][number] = 'npc', over: Partial<Caller> = {}): Caller => ({
  ...ANONYMOUS,
  anonymous: false,
  party,
  roles: [role],
  ...over,
});
const FIJI = caller('state:FJI');
const heldBy = (...parties: readonly string[]): DocumentState => ({
  size: 1,
  holders: new Map(parties.map((party) => [party, { mediaType: 'text/plain', name: party }])),
});

/** Records of one kind, each with its view and with whoever listed the document in it. */
const records = (
  ...all: readonly { readonly view?: object; readonly listers: readonly string[]; readonly category?: string }[]
): DocumentRecords =>
  new DocumentRecords(
    {
      add: () => undefined,
      of: (category: string) =>
        category === 'need'
          ? {
              decider: {},
              exists: (id: number) => all[id]?.view !== undefined,
              sees: () => true,
              view: (_caller: Caller, id: string) => all[Number(id)]?.view,
            }
          : undefined,
    } as unknown as RecordKinds,
    { load: (_decider: unknown, id: string) => Promise.resolve({ state: Number(id) }) } as unknown as Transactor,
    {
      model: () => ({
        all: () =>
          all.map(({ listers, category = 'need' }, id) => ({ category, id, listers: JSON.stringify(listers) })),
      }),
    } as unknown as ProjectionRunner,
  );
const document = { kind: 'report', title: 'A paper', sha256: HASH };
const found = async (of: DocumentRecords, state: DocumentState, who = FIJI): Promise<string | undefined> =>
  (await of.heldFor(who, HASH, state))?.holder.name;

test('a holder sees its own, but hosting staff do not see a party’s', async () => {
  expect(await found(records(), heldBy('state:FJI'))).toBe('state:FJI');
  expect(await found(records(), heldBy('state:FJI'), caller('state:FJI', 'operator'))).toBeUndefined();
});

test('a record shows it where the view lists it and the lister had it', async () => {
  const shown = { documents: [document] };
  expect(await found(records({ view: shown, listers: ['state:VUT'] }), heldBy('state:VUT'))).toBe('state:VUT');
  expect(await found(records({ view: shown, listers: ['state:VUT'] }), heldBy('donor:japan'))).toBeUndefined();
  expect(
    await found(records({ view: { documents: [] }, listers: ['state:VUT'] }), heldBy('state:VUT')),
  ).toBeUndefined();
  expect(await found(records({ listers: ['state:VUT'] }), heldBy('state:VUT'))).toBeUndefined();
  expect(
    await found(records({ view: shown, listers: ['state:VUT'], category: 'gone' }), heldBy('state:VUT')),
  ).toBeUndefined();
  // The words of a text are no listing.
  expect(await found(records({ view: { title: HASH }, listers: ['state:VUT'] }), heldBy('state:VUT'))).toBeUndefined();
});

test('of several listers in one record, the one whose listing is shown must have had it', async () => {
  const listers = ['donor:japan', 'state:VUT'];
  const byVanuatu = { documents: [{ party: 'state:VUT', ...document }] };
  const byJapan = { deliveries: [{ party: 'donor:japan', evidence: [document] }] };
  expect(await found(records({ view: byVanuatu, listers }), heldBy('donor:japan'))).toBeUndefined();
  expect(await found(records({ view: byJapan, listers }), heldBy('donor:japan'))).toBe('donor:japan');
  // Where the view does not say whose listing it is, everybody who listed it must have had it.
  const byNobody = { agreements: [document] };
  expect(await found(records({ view: byNobody, listers }), heldBy('donor:japan'))).toBeUndefined();
  expect(await found(records({ view: byNobody, listers }), heldBy(...listers))).toBe('donor:japan');
  const byStranger = { documents: [{ party: 'agency:cavr', ...document }] };
  expect(await found(records({ view: byStranger, listers }), heldBy('donor:japan'))).toBeUndefined();
});

test('of several records the first that shows it counts', async () => {
  const hidden = { view: { documents: [] }, listers: ['state:VUT'] };
  const shown = { view: { documents: [document] }, listers: ['donor:japan'] };
  expect(await found(records(hidden, shown), heldBy('state:VUT', 'donor:japan'))).toBe('donor:japan');
});

test('a history tells who brought a file to that party and to auditors of it alone', () => {
  const event = recordedEvent(`document-${HASH}`, 0, {
    type: 'DocumentStored' as const,
    data: { sha256: HASH, size: 1, mediaType: 'text/plain', party: 'state:VUT' },
  });
  const mandate = { mandate: 'm', everything: false, parties: new Set(['state:VUT']), records: new Set<string>() };
  const auditor = caller('auditor:court', 'auditor', {
    mandates: [{ ...mandate, sealed: false, appointedBy: 'agency:secretariat' }],
  });
  const of = records();
  const sees = (who: Caller): boolean => of.maskEvent(who, heldBy('state:VUT'), event) !== undefined;
  expect([caller('state:VUT'), auditor, FIJI, ANONYMOUS, caller('state:VUT', 'operator')].map(sees)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(of.permits()).toBe(false);
});
