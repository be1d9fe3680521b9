import { jest } from '@jest/globals';
import fc from 'fast-check';
import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import type { RecordedEvent } from '#kernel';
import { applyToModel, ReadModelUnavailableError, SYSTEM_TIMER } from '#kernel';
import type { Given } from '#kernel-testing';
import { projectionScenario, recordedEvent } from '#kernel-testing';
import { MemoryReadDatabase } from '#read-database';
import type { Visibility } from '#vocabulary';
import { addDays } from '#vocabulary';
import {
  BoardOpenProposals,
  BoardProposalFigures,
  boardRows,
  commitmentBoard,
  commitmentDeadlines,
} from './commitment-board.projection.js';
import type { BoardFilter } from './commitment-board.projection.js';
import type { CommitmentEvent } from './commitment.contract.js';
import {
  ACCEPTED,
  bound,
  CANCELLED,
  confirmed,
  delivered,
  delivery,
  EXPIRES,
  GIVEN_BY_VANUATU,
  held,
  NEED_ID,
  OFFER_ID,
  proposed,
  seats,
  transfer,
  usd,
  VANUATU,
} from './commitment.fixture.js';
import { seesCommitment } from './commitment.view.js';

const OTHER_NEED = '019b8d00-0000-7000-8000-00000000000c';
const id = (n: number): string => `019b8d00-0000-7000-8000-2${String(n).padStart(11, '0')}`;

/** Streams laid one after another in one log. */
const logOf = (
  ...streams: readonly (readonly [stream: string, events: readonly Given<never>[] | readonly object[]])[]
) => {
  let position = 0n;
  return streams.flatMap(([stream, events]) =>
    events.map((entry, revision) => {
      const [event, metadata] = (Array.isArray(entry) ? entry : [entry, {}]) as [CommitmentEvent, object];
      position += 1n;
      return recordedEvent(stream, revision, event, metadata, position);
    }),
  );
};

const need = (needId: string, body: Visibility): readonly [string, readonly object[]] => [
  `need-${needId}`,
  [
    {
      type: 'NeedDrafted',
      data: { filer: 'state:VUT', beneficiaries: ['state:VUT'], content: { visibility: { body } } },
    },
  ],
];
const offer = (visibility: Visibility): readonly [string, readonly object[]] => [
  `offer-${OFFER_ID}`,
  [{ type: 'OfferPosted', data: { provider: 'donor:japan', content: { visibility } } }],
];
const OPEN = [need(NEED_ID, 'public'), offer('public')] as const;

const modelOf = (events: readonly RecordedEvent[]) => {
  const model = new MemoryReadDatabase().open(commitmentBoard);
  applyToModel(commitmentBoard, model, events, (event) => event);
  return model;
};

const caller = (party: string, over: Partial<Caller> = {}): Caller => ({
  ...ANONYMOUS,
  anonymous: false,
  party,
  ...over,
});
const JAPAN = caller('donor:japan', { roles: ['donor-desk'] });
const NORWAY = caller('donor:norway', { roles: ['donor-desk'] });
const COORDINATOR = caller('agency:secretariat', { roles: ['coordinator'] });
const EVERYTHING: BoardFilter = { facets: [] };

describe('the commitment board', () => {
  const history = logOf(
    ...OPEN,
    [`commitment-${id(1)}`, delivered()],
    [`commitment-${id(2)}`, held()],
    [`commitment-${id(3)}`, [...bound(), transfer(1, usd('5.00')), CANCELLED]],
  );
  it('shows the same in every batch size and after every restart (I13)', () => {
    expect(projectionScenario(commitmentBoard, history).commitment).toHaveLength(3);
  });

  const model = modelOf(history);
  const list = (who: Caller, filter: BoardFilter = EVERYTHING): string[] =>
    boardRows(model, who, filter, 'newest', undefined, 50).map((row) => row.id);
  it('lists newest first, page by page', () => {
    const [first] = boardRows(model, JAPAN, EVERYTHING, 'newest', undefined, 1);
    expect(first?.id).toBe(id(3));
    const rest = boardRows(model, JAPAN, EVERYTHING, 'newest', first, 50);
    expect(rest.map((row) => row.id)).toEqual([id(2), id(1)]);
    expect(boardRows(model, JAPAN, EVERYTHING, 'oldest', rest[1], 50).map((row) => row.id)).toEqual([id(2), id(3)]);
  });
  it('sorts by the next deadline, records without one last', () => {
    const rows = boardRows(model, JAPAN, EVERYTHING, 'deadline', undefined, 50);
    expect(rows.map((row) => row.id)).toEqual([id(2), id(1), id(3)]);
    expect(boardRows(model, JAPAN, EVERYTHING, 'deadline', rows[0], 50).map((row) => row.id)).toEqual([id(1), id(3)]);
  });
  it('filters by what a commitment is about', () => {
    expect(list(JAPAN, { facets: [], status: ['proposed'] })).toEqual([id(2)]);
    expect(
      list(JAPAN, {
        facets: [
          ['state', ['VUT']],
          ['donor', ['donor:japan']],
          ['kind', ['training']],
        ],
      }),
    ).toHaveLength(3);
    expect(list(JAPAN, { facets: [['state', ['FJI']]] })).toEqual([]);
    expect(list(JAPAN, { facets: [['instrument', ['ATT']]], needId: NEED_ID, offerId: OFFER_ID })).toHaveLength(3);
    expect(list(JAPAN, { facets: [], needId: OTHER_NEED })).toEqual([]);
    expect(list(JAPAN, { facets: [], from: '2026-01-05', to: '2026-01-05' })).toHaveLength(3);
    expect(list(JAPAN, { facets: [], from: '2026-01-06' })).toEqual([]);
    expect(list(JAPAN, { facets: [], to: '2026-01-04' })).toEqual([]);
  });
  it('reaches proposals for those alone whom they concern', () => {
    expect(list(NORWAY)).toEqual([id(3), id(1)]);
    expect(list(ANONYMOUS)).toEqual([id(3), id(1)]);
    expect(list(COORDINATOR)).toHaveLength(3);
    expect(list(caller('agency:cavr'))).toEqual([id(3), id(1)]);
  });
});

describe('what the board can at most show', () => {
  const labels = fc.constantFrom<Visibility>('public', 'members', 'eligible', 'named', 'sealed');
  const callers = fc.constantFrom(
    ANONYMOUS,
    JAPAN,
    NORWAY,
    COORDINATOR,
    caller('state:VUT', { roles: ['npc'] }),
    caller('agency:cavr', { roles: ['implementer'] }),
    ...[{ everything: true }, { parties: new Set(['donor:japan']) }, { records: new Set([id(1)]) }, {}].map((scope) =>
      caller('auditor:court', {
        roles: ['auditor'],
        mandates: [
          {
            mandate: 'm',
            everything: false,
            parties: new Set<string>(),
            records: new Set<string>(),
            sealed: false,
            appointedBy: 'agency:secretariat',
            ...scope,
          },
        ],
      }),
    ),
  );
  const histories = fc.constantFrom(
    [proposed()],
    held(),
    bound(),
    [...bound(), transfer(1, usd('5.00'))],
    delivered(),
    [...bound(), CANCELLED],
  );
  // Seen failing with the mandates' parties left out of `reachable`.
  it('holds everything a caller sees, and no proposal that is hidden from it (I19)', async () => {
    await fc.assert(
      fc.asyncProperty(labels, labels, histories, callers, async (body, label, history, who) => {
        const events = logOf(need(NEED_ID, body), offer(label), [`commitment-${id(1)}`, history]);
        const rows = boardRows(modelOf(events), who, EVERYTHING, 'newest', undefined, 10);
        const admits = (visibility: Visibility): boolean =>
          visibility === 'public' || (!who.anonymous && visibility !== 'sealed');
        const sees = await seesCommitment(
          {
            needs: {
              facts: () => Promise.resolve({ visibility: body } as never),
              sight: () => Promise.resolve({ summary: true, body: admits(body), annex: false }),
            },
            offers: {
              facts: () => Promise.resolve({ visibility: label } as never),
              sees: () => Promise.resolve(admits(label)),
            },
          },
          who,
          id(1),
          modelState(events),
        );
        if (sees) expect(rows).toHaveLength(1);
        if (rows.length === 1 && rows[0]?.state.boundAt === undefined) {
          expect(who.anonymous).toBe(false);
          expect(who.party).not.toBe('donor:norway');
        }
      }),
    );
  });
  const modelState = (events: readonly RecordedEvent[]) => {
    const [row] = boardRows(modelOf(events), COORDINATOR, EVERYTHING, 'newest', undefined, 1);
    if (row === undefined) throw new Error('no row');
    return row.state;
  };
  it('follows a label that is amended', () => {
    const amended = logOf(
      [...need(NEED_ID, 'public')].map((part, index) =>
        index === 0
          ? part
          : [...(part as object[]), { type: 'NeedAmended', data: { changes: { visibility: { body: 'sealed' } } } }],
      ) as [string, object[]],
      [`offer-${OFFER_ID}`, [...offer('public')[1], { type: 'OfferAmended', data: { changes: {} } }]],
      [`commitment-${id(1)}`, bound()],
    );
    expect(boardRows(modelOf(amended), NORWAY, EVERYTHING, 'newest', undefined, 10)).toEqual([]);
    expect(boardRows(modelOf(amended), JAPAN, EVERYTHING, 'newest', undefined, 10)).toHaveLength(1);
  });
});

describe('deadlines', () => {
  const model = modelOf(
    logOf(
      ...OPEN,
      [`commitment-${id(1)}`, delivered()],
      [`commitment-${id(2)}`, held()],
      [`commitment-${id(3)}`, [...delivered(), confirmed(1, seats(10))]],
    ),
  );
  const due = async (now: string): Promise<[string, string][]> =>
    [...(await commitmentDeadlines(() => model).due(new Date(now), 10))].map(({ command }) => [
      command.id,
      command.key,
    ]);
  it('are the time limits of proposals and the end of a long silence', async () => {
    expect(await due('2026-03-06T08:59:59.999Z')).toEqual([]);
    expect(await due(EXPIRES)).toEqual([[id(2), 'LapseCommitment']]);
    expect(await due(addDays('2026-01-05T09:00:00.000Z', 180))).toEqual([
      [id(2), 'LapseCommitment'],
      [id(1), 'CloseUnconfirmed'],
    ]);
    const [first] = await commitmentDeadlines(() => model).due(new Date(EXPIRES), 1);
    const by = { actor: SYSTEM_TIMER, at: EXPIRES, effectiveAt: EXPIRES };
    expect(first?.command.command(by)).toEqual({ type: 'LapseCommitment', by });
  });
});

describe('what proposals add to a need', () => {
  const model = modelOf(
    logOf(
      ...OPEN,
      [`commitment-${id(1)}`, held()],
      [
        `commitment-${id(2)}`,
        [...held({ legs: [{ offerLine: 2, needLine: 2, drawn: seats(3) }] }), GIVEN_BY_VANUATU, ACCEPTED],
      ],
      [`commitment-${id(3)}`, [proposed()]],
      [`commitment-${id(4)}`, bound()],
    ),
  );
  const figures = new BoardProposalFigures(() => model);
  // Seen failing with `hold !== 'held'` removed: a proposal without a hold counted.
  it('is what is held or accepted and not yet binding, never a pending proposal (I11)', async () => {
    expect([...(await figures.indicative(NEED_ID))]).toEqual([[2, [seats(10), seats(3)]]]);
    expect((await figures.indicative(OTHER_NEED)).size).toBe(0);
  });
  it('knows who is party to a commitment on it', async () => {
    expect(await figures.isPartyTo(JAPAN, { needId: NEED_ID })).toBe(true);
    expect(await figures.isPartyTo(caller(VANUATU.party), { offerId: OFFER_ID })).toBe(true);
    expect(await figures.isPartyTo(NORWAY, { needId: NEED_ID })).toBe(false);
    expect(await figures.isPartyTo(ANONYMOUS, { needId: NEED_ID })).toBe(false);
    expect(await figures.isPartyTo(JAPAN, { needId: OTHER_NEED })).toBe(false);
  });
});

describe('whom an amendment named and names no more', () => {
  const asked: CommitmentEvent = {
    type: 'AmendmentProposed',
    data: {
      ...{ n: 1, party: 'donor:japan', side: 'provider', reason: 'It has the trainers.', expiresAt: EXPIRES },
      changes: { implementer: 'agency:ngo' },
    },
  };
  const declined: CommitmentEvent = { type: 'AmendmentDeclined', data: { n: 1, party: 'state:VUT' } };
  // Seen failing without the deletion: the agency stayed on the list, and saw what its party to the need sees.
  it('is party to it while the amendment is open only, in every batch size', async () => {
    const log = logOf(...OPEN, [`commitment-${id(1)}`, [...held(), asked, declined]]);
    const model = modelOf([]);
    const figures = new BoardProposalFigures(() => model);
    const knows: boolean[] = [];
    for (const event of log) {
      applyToModel(commitmentBoard, model, [event], (each) => each);
      knows.push(await figures.isPartyTo(caller('agency:ngo'), { needId: NEED_ID }));
    }
    expect(knows.slice(-3)).toEqual([false, true, false]);
    expect(projectionScenario(commitmentBoard, log).commitment).toHaveLength(1);
  });
});

describe('open proposals', () => {
  const before = logOf(...OPEN, [`commitment-${id(1)}`, held()], [`commitment-${id(2)}`, bound()]);
  const closing = recordedEvent(`offer-${OFFER_ID}`, 1, { type: 'OfferWithdrawn', data: {} }, {}, 100n);
  it('are told once the board has seen the closing', async () => {
    const model = modelOf(before);
    const asked = new BoardOpenProposals(() => model).of({ offerId: OFFER_ID }, 100n);
    applyToModel(commitmentBoard, model, [closing], (event) => event);
    expect(await asked).toEqual([id(1)]);
    expect(await new BoardOpenProposals(() => model).of({ offerId: OFFER_ID }, 100n)).toEqual([id(1)]);
  });

  it('of a board that stays behind are no fault of the event that asks for them', async () => {
    jest.useFakeTimers();
    try {
      const asked = new BoardOpenProposals(() => ({ get: () => undefined, all: () => [] })).of(
        { offerId: OFFER_ID },
        100n,
      );
      const answer = expect(asked).rejects.toThrow(ReadModelUnavailableError);
      await jest.advanceTimersByTimeAsync(11_000);
      await answer;
    } finally {
      jest.useRealTimers();
    }
  });
});

it('holds the delivery of a later event under its own revision', () => {
  const model = modelOf(logOf(...OPEN, [`commitment-${id(1)}`, [...bound(), delivery(1, seats(4))]]));
  const [row] = boardRows(model, COORDINATOR, EVERYTHING, 'newest', undefined, 1);
  expect(row).toMatchObject({ revision: 7, state: { status: 'binding', hold: 'held' } });
});
