import fc from 'fast-check';
import { ANONYMOUS } from '#directory/contract';
import type { Caller } from '#directory/contract';
import type { ReadModel, RecordedEvent } from '#kernel';
import { applyToModel, streamOf } from '#kernel';
import { projectionScenario, recordedEvent } from '#kernel-testing';
import { MemoryReadDatabase } from '#read-database';
import type { Role, Visibility } from '#vocabulary';
import { ROLE_POWERS } from '#vocabulary';
import { boardPage, reportedBoard } from './reported-board.projection.js';
import type { ReportedFilter } from './reported-board.projection.js';
import { readReported, REPORTED_VISIBILITIES } from './reported-content.js';
import type { ReportedContent, ReportedEvent } from './reported.contract.js';
import { reportedDecider } from './reported.js';
import type { ReportedState } from './reported.js';
import { seesReported } from './reported.view.js';

const contentOf = (over: object): ReportedContent => {
  const read = readReported({
    kind: 'need',
    title: 'A need',
    source: { kind: 'published', reference: 'A page' },
    ...over,
  });
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return read.value;
};

const historyOf = (facts: readonly (readonly [id: string, event: ReportedEvent])[]): RecordedEvent<ReportedEvent>[] => {
  const revisions = new Map<string, number>();
  return facts.map(([id, event], index) => {
    const revision = (revisions.get(id) ?? -1) + 1;
    revisions.set(id, revision);
    return recordedEvent(streamOf('reported', id), revision, event, {}, BigInt(index + 1));
  });
};

const recorded = (over: object, recordedBy = 'agency:secretariat'): ReportedEvent => ({
  type: 'ReportedRecorded',
  data: { recordedBy, content: contentOf(over) },
});

const boardOf = (history: readonly RecordedEvent[]): ReadModel => {
  const model = new MemoryReadDatabase().open(reportedBoard);
  applyToModel(reportedBoard, model, history, (event) => event);
  return model;
};

const callerOf = (party: string, roles: readonly Role[], over: Partial<Caller> = {}): Caller => ({
  ...ANONYMOUS,
  anonymous: false,
  party,
  roles,
  registered: true,
  powers: new Set(roles.flatMap((role) => ROLE_POWERS[role])),
  ...over,
});

const idsOf = (model: ReadModel, caller: Caller, filter: ReportedFilter = {}, page: object = {}): readonly string[] =>
  boardPage(model, caller, { filter, sort: 'newest', limit: 200, ...page }).map(({ id }) => id);

const PARTIES = ['state:GEO', 'state:DEU', 'donor:germany', 'agency:osce', 'network:msg'] as const;
const REFS = ['GEO', 'DEU', 'state:DEU', 'donor:germany', 'agency:osce', 'network:msg'] as const;
const SOVEREIGNS: Readonly<Record<string, string>> = { 'state:GEO': 'GEO', 'state:DEU': 'DEU', 'donor:germany': 'DEU' };
const SECRETARIATS = ['agency:secretariat', 'agency:other'] as const;

const anyRecord = fc.record({
  visibility: fc.constantFrom(...REPORTED_VISIBILITIES),
  recordedBy: fc.constantFrom(...SECRETARIATS),
  donors: fc.uniqueArray(fc.constantFrom(...REFS), { maxLength: 2 }),
  beneficiaries: fc.uniqueArray(fc.constantFrom(...REFS), { maxLength: 2 }),
  implementers: fc.uniqueArray(fc.constantFrom(...REFS), { maxLength: 2 }),
});

const anyMandate = fc.record({
  mandate: fc.constant('m'),
  everything: fc.boolean(),
  parties: fc
    .uniqueArray(fc.constantFrom(...PARTIES, ...SECRETARIATS), { maxLength: 2 })
    .map((each) => new Set<string>(each)),
  records: fc.uniqueArray(fc.constantFrom('r0', 'r1', 'r2'), { maxLength: 2 }).map((each) => new Set<string>(each)),
  sealed: fc.boolean(),
  appointedBy: fc.constantFrom(...SECRETARIATS),
});

const anyCaller = fc.oneof(
  fc.constant(ANONYMOUS),
  fc
    .tuple(fc.constantFrom(...PARTIES), fc.constantFrom<Role>('npc', 'donor-desk', 'implementer', 'network-host'))
    .map(([party, role]) => {
      const sovereign = SOVEREIGNS[party];
      return callerOf(party, [role], sovereign === undefined ? {} : { sovereign });
    }),
  fc.constantFrom(...SECRETARIATS).map((party) => callerOf(party, ['coordinator'])),
  fc.constant(callerOf('agency:hosting', ['operator'])),
  fc.array(anyMandate, { maxLength: 2 }).map((mandates) => callerOf('auditor:court', ['auditor'], { mandates })),
);

describe('the board of reported records', () => {
  // I19, for reported records. Seen failing with `r.visibility <> 'sealed'` taken out of the predicate.
  it('shows every caller the rows that the rule of sight shows it, and no others', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 6 }), anyCaller, (records, caller) => {
        const history = historyOf(
          records.map(({ visibility, recordedBy, donors, beneficiaries, implementers }, index) => [
            `r${index}`,
            recorded({ visibility, donors, beneficiaries, what: { implementers } }, recordedBy),
          ]),
        );
        const seen = history
          .map((event): [string, ReportedState] => [
            event.stream.slice('reported-'.length),
            reportedDecider.evolve(reportedDecider.initial, event),
          ])
          .filter(([id, state]) => seesReported(caller, id, state))
          .map(([id]) => id);
        expect([...idsOf(boardOf(history), caller)].sort()).toEqual(seen.sort());
      }),
      { numRuns: 300 },
    );
  });

  it.each<[Visibility, readonly boolean[]]>([
    // anonymous, member, named party, coordinator elsewhere, recorder, operator, auditor without mandate
    ['public', [true, true, true, true, true, true, true]],
    ['members', [false, true, true, true, true, false, false]],
    ['named', [false, false, true, true, true, false, false]],
    ['sealed', [false, false, false, false, true, false, false]],
  ])('as %s is for whom the label says', (visibility, expected) => {
    const model = boardOf(historyOf([['r0', recorded({ visibility, beneficiaries: ['GEO'] })]]));
    const callers = [
      ANONYMOUS,
      callerOf('donor:japan', ['donor-desk']),
      callerOf('state:GEO', ['npc'], { sovereign: 'GEO' }),
      callerOf('agency:other', ['coordinator']),
      callerOf('agency:secretariat', ['coordinator']),
      callerOf('agency:hosting', ['operator']),
      callerOf('auditor:court', ['auditor']),
    ];
    expect(callers.map((caller) => idsOf(model, caller).length === 1)).toEqual(expected);
  });

  const rows: readonly (readonly [string, object])[] = [
    [
      'a',
      {
        title: 'Café in Nikšić',
        kinds: ['training'],
        instruments: ['ATT'],
        beneficiaries: ['MNE'],
        dates: { agreed: '2005' },
      },
    ],
    ['b', { kind: 'offer', title: 'Fund', donors: ['DEU', { name: 'OSCE donors' }], dates: { from: '2010-02' } }],
    [
      'c',
      {
        kind: 'commitment',
        title: 'Umbrella',
        what: { implementers: ['agency:osce'] },
        dates: { from: '2012', to: '2013-06' },
      },
    ],
    [
      'd',
      { kind: 'commitment', title: 'Part', partOf: 'c', donors: ['donor:germany'], statusWords: 'delivered, blocked' },
    ],
  ];
  const model = boardOf(
    historyOf([
      ...rows.map(([id, over]) => [id, recorded(over)] as const),
      ['b', { type: 'ReportedClaimed', data: { party: 'state:DEU' } }],
      ['d', { type: 'ReportedDisowned', data: { party: 'donor:germany' } }],
    ]),
  );

  it.each<[ReportedFilter, string]>([
    [{}, 'dcba'],
    [{ kind: 'commitment' }, 'dc'],
    [{ assistance: 'training' }, 'a'],
    [{ instrument: 'ATT' }, 'a'],
    [{ state: 'MNE' }, 'a'],
    [{ region: '039' }, 'a'],
    [{ donor: 'DEU' }, 'b'],
    [{ donor: 'state:DEU' }, 'b'],
    [{ donor: 'donor:germany' }, 'd'],
    [{ implementer: 'agency:osce' }, 'c'],
    [{ partOf: 'c' }, 'd'],
    [{ claimed: true }, 'b'],
    [{ claimed: false }, 'dca'],
    [{ disowned: true }, 'd'],
    [{ q: 'NIKSIC cafe' }, 'a'],
    [{ q: 'niksi' }, ''],
    [{ q: 'osce donors' }, 'b'],
    [{ q: 'germany' }, 'db'],
    [{ q: 'blocked' }, 'd'],
    [{ q: '"' }, ''],
    [{ q: 'fund OR umbrella' }, ''],
    [{ from: '2006-01-01' }, 'cb'],
    [{ to: '2010-01-31' }, 'a'],
    [{ from: '2005-06-01', to: '2005-06-30' }, 'a'],
    [{ from: '2013-07-01', to: '2014-01-01' }, 'b'],
    [{ kind: 'commitment', donor: 'DEU' }, ''],
  ])('is narrowed by %j', (filter, expected) => {
    expect(idsOf(model, ANONYMOUS, filter).join('')).toBe(expected);
  });

  it('is paged without gap or repetition, in both orders', () => {
    const pagesOf = (sort: 'newest' | 'oldest'): string => {
      const ids: string[] = [];
      for (let after: number | undefined; ;) {
        const page = boardPage(model, ANONYMOUS, {
          filter: {},
          sort,
          limit: 1,
          ...(after === undefined ? {} : { after }),
        });
        const [row] = page;
        if (row === undefined) return ids.join('');
        ids.push(row.id);
        after = row.seq;
      }
    };
    expect(pagesOf('newest')).toBe('dcba');
    expect(pagesOf('oldest')).toBe('abcd');
  });

  it('is the same in every batch size and after every restart', () => {
    const dump = projectionScenario(
      reportedBoard,
      historyOf([
        ['a', recorded({ title: 'One', beneficiaries: ['GEO'] })],
        ['b', recorded({ kind: 'offer', title: 'Two', donors: ['DEU'] })],
        ['a', { type: 'ReportedClaimed', data: { party: 'state:GEO', draft: { kind: 'need', id: 'n' } } }],
        ['b', { type: 'ReportedDisowned', data: { party: 'state:DEU', note: 'No.' } }],
        ['a', { type: 'ReportedDisowned', data: { party: 'state:GEO' } }],
      ]),
    );
    expect(dump.reported).toHaveLength(2);
  });
});
