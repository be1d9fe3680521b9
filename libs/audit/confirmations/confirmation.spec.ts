import { describe, expect, it } from '@jest/globals';
import type { Actor } from '#kernel';
import { SYSTEM_TIMER } from '#kernel';
import { recordedEvent, specFor } from '#kernel-testing';
import type { Quantity } from '#vocabulary';
import type { CommitmentShown } from '../samples/evidence.js';
import { linesOf } from './books.js';
import type { ConfirmationEvent, ConfirmationLine, LineAnswer } from './confirmation.contract.js';
import type { Confirmation, ConfirmationCommand, NewConfirmation } from './confirmation.js';
import { confirmationDecider, isOverdue, nextToTell, outcomesOf } from './confirmation.js';

const spec = specFor(confirmationDecider, {
  idempotent: ['RequestConfirmation', 'AnswerConfirmation', 'CloseConfirmation', 'PassDeadline'],
});
const given: typeof spec.given = (...events) => spec.given(...events);

const AUDITOR: Actor = { party: 'auditor:court', role: 'auditor' };
const [BY_AUDITOR, BY_JAPAN] = [{ actor: AUDITOR }, { actor: { party: 'donor:japan', role: 'donor-desk' } }];
const OTHERS: readonly Actor[] = [
  { party: 'auditor:firm', role: 'auditor' },
  { party: 'auditor:court', role: 'operator' },
  { party: 'donor:norway', role: 'donor-desk' },
  { party: 'donor:japan', role: 'auditor' },
  { party: 'donor:japan', role: 'clerk' },
];

const money = (amount: number, currency = 'USD'): Quantity => ({ measure: 'money', currency, amount: `${amount}.00` });
const LINES: readonly ConfirmationLine[] = [
  { commitment: 'c1', figure: 'leg', n: 1, books: money(60) },
  { commitment: 'c1', figure: 'transfer', n: 2, books: money(40) },
];
const NEW: NewConfirmation = { mandate: 'm1', party: 'donor:japan', lines: LINES, due: '2026-03-31' };
const requested = (more: Partial<NewConfirmation> = {}): ConfirmationEvent => ({
  type: 'ConfirmationRequested',
  data: { ...NEW, auditor: AUDITOR.party, ...more },
});
type Command<T extends ConfirmationCommand['type']> = Omit<Extract<ConfirmationCommand, { type: T }>, 'by'>;
const ask = (more: Partial<NewConfirmation> = {}): Command<'RequestConfirmation'> => ({
  type: 'RequestConfirmation',
  request: { ...NEW, ...more },
});
const says = (...answers: readonly LineAnswer[]): Command<'AnswerConfirmation'> => ({
  type: 'AnswerConfirmation',
  answers,
});
const answered = (...answers: readonly LineAnswer[]): ConfirmationEvent => ({
  type: 'ConfirmationAnswered',
  data: { party: 'donor:japan', answers },
});
const AGREES: readonly LineAnswer[] = [
  { line: 1, says: 'agrees' },
  { line: 2, says: 'agrees' },
];
const DIFFERS: readonly LineAnswer[] = [
  { line: 1, says: 'agrees' },
  { line: 2, says: 'disagrees', figure: money(39), note: 'After charges' },
];
const PROCEDURE = 'The statement of the bank was read.';
const close = (
  as: 'confirmed' | 'alternative-procedure' | 'withdrawn',
  more: { readonly procedure?: string; readonly reason?: string } = {},
): Command<'CloseConfirmation'> => ({ type: 'CloseConfirmation', as, mandate: 'm1', ...more });
const closed = (
  as: 'confirmed' | 'alternative-procedure' | 'withdrawn',
  more: { readonly procedure?: string; readonly reason?: string } = {},
): ConfirmationEvent => ({ type: 'ConfirmationClosed', data: { as, auditor: AUDITOR.party, mandate: 'm1', ...more } });
const pass = (deadline: 'reminder' | 'due'): Command<'PassDeadline'> => ({ type: 'PassDeadline', deadline });
const timer = (at: string): { readonly actor: Actor; readonly at: string } => ({ actor: SYSTEM_TIMER, at });
const REMINDED: ConfirmationEvent = { type: 'ConfirmationReminded', data: { due: '2026-03-31' } };
const OVERDUE: ConfirmationEvent = { type: 'ConfirmationFellOverdue', data: { due: '2026-03-31' } };

describe('a confirmation request', () => {
  it('is sent by an auditor to another party, once, with something to confirm and time to do so', () => {
    given().when(ask(), BY_AUDITOR).then(requested());
    given().when(ask(), BY_JAPAN).refused('forbidden');
    given()
      .when(ask({ party: AUDITOR.party }), BY_AUDITOR)
      .refused('forbidden');
    given()
      .when(ask({ lines: [] }), BY_AUDITOR)
      .refused('nothing-to-confirm');
    given()
      .when(ask({ due: '2026-01-04' }), BY_AUDITOR)
      .refused('dates-do-not-fit', 'due');
    given(requested()).when(ask(), BY_AUDITOR).then();
    given(requested(), answered(...AGREES), closed('confirmed'))
      .when(ask(), BY_AUDITOR)
      .then();
    given(requested())
      .when(ask({ due: '2026-04-30' }), BY_AUDITOR)
      .refused('already-requested');
  });

  it('is answered by the offices of the party alone, and closed by the party that sent it', () => {
    given()
      .when(says(...AGREES), BY_JAPAN)
      .refused('not-found');
    for (const actor of [AUDITOR, ...OTHERS])
      given(requested())
        .when(says(...AGREES), { actor })
        .refused('forbidden');
    for (const actor of [BY_JAPAN.actor, ...OTHERS]) {
      given(requested())
        .when(close('withdrawn', { reason: 'Error' }), { actor })
        .refused('forbidden');
    }
  });

  it('is answered line by line, each once', () => {
    given(requested())
      .when(says(...DIFFERS), BY_JAPAN)
      .then(answered(...DIFFERS));
    given(requested())
      .when(says(...[...DIFFERS].reverse()), BY_JAPAN)
      .then(answered(...DIFFERS));
    for (const wrong of [[AGREES[0]!], [AGREES[0]!, AGREES[0]!], [...AGREES, { line: 3, says: 'agrees' } as const]]) {
      given(requested())
        .when(says(...wrong), BY_JAPAN)
        .refused('answers-do-not-fit', 'answers');
    }
  });

  it('is agreed to or not where the figures are shown, and answered by figures where they are not', () => {
    const states = (amount: number): LineAnswer => ({ line: 1, says: 'states', figure: money(amount) });
    const second: LineAnswer = { line: 2, says: 'no-record' };
    given(requested())
      .when(says(states(60), second), BY_JAPAN)
      .refused('answers-do-not-fit', 'answers');
    given(requested({ blank: true }))
      .when(says(states(60), second), BY_JAPAN)
      .then(answered(states(60), second));
    for (const said of ['agrees', 'disagrees'] as const) {
      given(requested({ blank: true }))
        .when(says({ line: 1, says: said }, second), BY_JAPAN)
        .refused('answers-do-not-fit', 'answers');
    }
  });

  it('takes a figure of the measure that was asked, and no disagreement with the figure of the books', () => {
    const differs = (figure: Quantity): readonly LineAnswer[] => [
      { line: 1, says: 'disagrees', figure },
      { line: 2, says: 'agrees' },
    ];
    for (const figure of [money(60, 'EUR'), { measure: 'seats', amount: '60' } as const, money(60)]) {
      given(requested())
        .when(says(...differs(figure)), BY_JAPAN)
        .refused('figure-does-not-fit', 'answers');
    }
  });

  it('is answered anew until it is closed, also after the day', () => {
    given(requested(), answered(...DIFFERS))
      .when(says(...DIFFERS), BY_JAPAN)
      .then();
    given(requested(), answered(...DIFFERS))
      .when(says(...AGREES), BY_JAPAN)
      .then(answered(...AGREES));
    given(requested(), REMINDED, OVERDUE)
      .when(says(...AGREES), { ...BY_JAPAN, at: '2026-05-01T00:00:00.000Z' })
      .then(answered(...AGREES));
    const over = given(requested(), answered(...AGREES), closed('confirmed'));
    over.when(says(...DIFFERS), BY_JAPAN).refused('confirmation-closed');
    over.when(close('confirmed'), BY_AUDITOR).then();
    over.when(close('withdrawn', { reason: 'Error' }), BY_AUDITOR).refused('confirmation-closed');
  });

  it('closes as confirmed only where every line is', () => {
    given(requested(), answered(...AGREES))
      .when(close('confirmed'), BY_AUDITOR)
      .then(closed('confirmed'));
    given(requested(), answered(...DIFFERS))
      .when(close('confirmed'), BY_AUDITOR)
      .refused('not-confirmed');
    given(requested())
      .when(close('confirmed'), { ...BY_AUDITOR, at: '2026-05-01T00:00:00.000Z' })
      .refused('not-confirmed');
  });

  it('closes by another procedure upon an answer, or when the day is over; it is withdrawn at any time', () => {
    const other = { procedure: PROCEDURE };
    const [before, after] = ['2026-03-31T23:59:59.999Z', '2026-04-01T00:00:00.000Z'];
    given(requested(), answered(...DIFFERS))
      .when(close('alternative-procedure', other), BY_AUDITOR)
      .then(closed('alternative-procedure', other));
    given(requested())
      .when(close('alternative-procedure', other), { ...BY_AUDITOR, at: before })
      .refused('answer-awaited');
    given(requested())
      .when(close('alternative-procedure', other), { ...BY_AUDITOR, at: after })
      .then(closed('alternative-procedure', other));
    given(requested())
      .when(close('withdrawn', { reason: 'Sent twice' }), BY_AUDITOR)
      .then(closed('withdrawn', { reason: 'Sent twice' }));
  });

  it('reminds a week before the day and tells that it is over, each once and by the timer alone', () => {
    given(requested()).when(pass('reminder'), timer('2026-03-25T00:00:00.000Z')).then(REMINDED);
    given(requested()).when(pass('reminder'), timer('2026-03-24T23:59:59.999Z')).refused('not-due');
    given(requested()).when(pass('reminder'), { actor: AUDITOR }).refused('forbidden');
    given(requested(), REMINDED).when(pass('reminder'), timer('2026-03-26T00:00:00.000Z')).then();
    given(requested(), REMINDED).when(pass('due'), timer('2026-04-01T00:00:00.000Z')).then(OVERDUE);
    given(requested(), REMINDED).when(pass('due'), timer('2026-03-31T23:00:00.000Z')).refused('not-due');
    given(requested()).when(pass('due'), timer('2026-04-01T00:00:00.000Z')).refused('not-due');
    given(requested(), answered(...AGREES))
      .when(pass('due'), timer('2026-04-01T00:00:00.000Z'))
      .refused('not-due');
    // Asked within the week, a party is not reminded.
    const soon = { due: '2026-01-12' };
    given(requested(soon))
      .when(pass('due'), timer('2026-01-13T00:00:00.000Z'))
      .then({ type: 'ConfirmationFellOverdue', data: soon });
  });

  it('knows nothing of events of a later version', () => {
    const later = recordedEvent('confirmation-r1', 1, { type: 'ConfirmationForwarded', data: {} } as never);
    const { state } = given(requested());
    for (const known of [{}, state]) expect(confirmationDecider.evolve(known, later)).toBe(known);
  });
});

describe('what a request came to', () => {
  const stateOf = (...events: readonly ConfirmationEvent[]): Confirmation => given(...events).state.confirmation!;

  it('is of each line: confirmed, an exception, no record, or nothing said', () => {
    expect(outcomesOf(stateOf(requested()))).toEqual(['unanswered', 'unanswered']);
    expect(outcomesOf(stateOf(requested(), answered(...DIFFERS)))).toEqual(['confirmed', 'exception']);
    const noted: readonly LineAnswer[] = [
      { line: 1, says: 'no-record' },
      { line: 2, says: 'disagrees', note: 'Not ours' },
    ];
    expect(outcomesOf(stateOf(requested(), answered(...noted)))).toEqual(['no-record', 'exception']);
    const stated = (...amounts: readonly number[]): readonly LineAnswer[] =>
      amounts.map((amount, index) => ({ line: index + 1, says: 'states', figure: money(amount) }));
    const blank = requested({ blank: true });
    expect(outcomesOf(stateOf(blank, answered(...stated(60, 41))))).toEqual(['confirmed', 'exception']);
  });

  it('is overdue while no answer has come by the day, and nothing more is told then', () => {
    const open = stateOf(requested());
    expect([isOverdue(open, '2026-03-31'), isOverdue(open, '2026-04-01')]).toEqual([false, true]);
    expect(isOverdue(stateOf(requested(), answered(...AGREES)), '2026-04-01')).toBe(false);
    expect(nextToTell(open)).toEqual({ deadline: 'reminder', day: '2026-03-24' });
    expect(nextToTell(stateOf(requested(), REMINDED))).toEqual({ deadline: 'due', day: '2026-03-31' });
    expect(nextToTell(stateOf(requested(), REMINDED, OVERDUE))).toBeUndefined();
    expect(nextToTell(stateOf(requested(), answered(...AGREES)))).toBeUndefined();
  });
});

describe('the figures that a party is asked for', () => {
  const shown: CommitmentShown = {
    ...{ id: 'c1', providers: [], beneficiaries: [], boundAt: null, receipts: [] },
    legs: [
      { leg: 1, drawn: money(60) },
      { leg: 2, drawn: { measure: 'access', amount: 'unlimited' } },
    ],
    transfers: [1, 2].map((n) => ({ n, from: 'donor:japan', to: 'agency:cavr', amount: money(n), date: '2026-01-01' })),
    deliveries: [{ n: 1, leg: 1, quantity: money(50), status: 'reported' }],
  };
  const named = (lines: readonly ConfirmationLine[]): readonly string[] =>
    lines.map(({ figure, n, books }) => `${figure} ${n} ${JSON.stringify(books).replace(/^.*"amount":"|".*$/g, '')}`);

  it('are those of legs, transfers and deliveries that have one, or of the transfer drawn', () => {
    const all = ['leg', 'transfer', 'delivery'] as const;
    expect(named(linesOf(shown, { commitment: 'c1' }, all))).toEqual([
      ...['leg 1 60.00', 'transfer 1 1.00', 'transfer 2 2.00', 'delivery 1 50.00'],
    ]);
    expect(named(linesOf(shown, { commitment: 'c1' }, ['delivery']))).toEqual(['delivery 1 50.00']);
    expect(named(linesOf(shown, { commitment: 'c1', transfer: 2 }, all))).toEqual(['transfer 2 2.00']);
  });
});
