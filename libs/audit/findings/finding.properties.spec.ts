import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Actor, RecordedEvent } from '#kernel';
import { SYSTEM_TIMER } from '#kernel';
import type { CommandBody } from '#kernel-testing';
import { askedBy, recordedEvent } from '#kernel-testing';
import { addDays, dateOf, FINDING_CLOSINGS, FINDING_RESPONSES, VERIFICATION_OUTCOMES } from '#vocabulary';
import type { FindingEvent } from './finding.contract.js';
import type { FindingCommand, FindingState } from './finding.js';
import { findingDecider, nextToPass } from './finding.js';

/**
 * The life of a finding, whatever anybody sends in whatever order. The rules are read from the log alone, not from the decider's state.
 *
 * Seen to fail with each of these planted in the decider: `close` that asks for a claim instead of a verification; `verify` by whoever has the
 * role, the owner's party too; a rejected claim that stays verifiable; an answer that outlives a rewording; a risk accepted by an earlier
 * answer; a withdrawal by another auditor; commands after the end; a deadline told twice.
 */
const OWNER = 'agency:cavr';
const AUTHOR = 'auditor:court';
const ACTORS: readonly Actor[] = [
  ...[AUTHOR, AUTHOR, 'auditor:firm', OWNER].map((party) => ({ party, role: 'auditor' })),
  ...[OWNER, OWNER, OWNER, 'agency:ngo', AUTHOR].map((party) => ({ party, role: 'implementer' })),
  SYSTEM_TIMER,
];

const days = fc.option(fc.constantFrom('2026-01-01', '2026-02-01', '2026-06-30', '2026-12-31'), { nil: undefined });
const some = (fields: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

type Body = CommandBody<FindingCommand>;
const AUDITED = { mandate: 'm1' } as const;
const PAPER = { title: 'Paper', sha256: 'a'.repeat(64) };

const command: fc.Arbitrary<Body> = fc.oneof(
  fc
    .record({ title: fc.option(fc.constantFrom('One', 'Two'), { nil: undefined }), answerBy: days, due: days })
    .map(({ title, ...moved }): Body => ({
      type: 'AmendFinding',
      ...AUDITED,
      reason: 'Better',
      changes: some({ title }),
      ...some(moved),
    })),
  fc
    .record({ response: fc.constantFrom(...FINDING_RESPONSES), risk: fc.boolean() })
    .map(({ response, risk }): Body => ({
      type: 'AnswerFinding',
      response,
      text: 'So it is.',
      ...(risk ? { acceptsRisk: true } : {}),
    })),
  fc.constant<Body>({ type: 'ClaimImplementation', text: 'Done.', evidence: [PAPER] }),
  fc
    .constantFrom('implemented' as const, ...VERIFICATION_OUTCOMES)
    .map((outcome): Body => ({ type: 'VerifyImplementation', ...AUDITED, outcome, note: 'Read.' })),
  fc.constantFrom(...FINDING_CLOSINGS).map((as): Body => ({ type: 'CloseFinding', ...AUDITED, as })),
  fc.constantFrom('answer' as const, 'implementation' as const).map((owed): Body => ({ type: 'FallOverdue', owed })),
);

/** Whoever a command is for, more often than anybody: left to chance alone few findings would come to their end. */
const senderOf = ({ type }: Body): Actor =>
  type === 'FallOverdue'
    ? SYSTEM_TIMER
    : type === 'AnswerFinding' || type === 'ClaimImplementation'
      ? { party: OWNER, role: 'implementer' }
      : { party: AUTHOR, role: 'auditor' };
const step = fc
  .record({ command, anybody: fc.constantFrom(...ACTORS), lawful: fc.boolean(), after: fc.constantFrom(0, 0, 0, 20) })
  .map(({ command: body, anybody, lawful, after }) => ({
    actor: lawful ? senderOf(body) : anybody,
    command: body,
    after,
  }));

const WRITTEN: FindingEvent = {
  type: 'FindingWritten',
  data: {
    ...{ auditor: AUTHOR, mandate: 'm1', owner: OWNER, answerBy: '2026-02-01', due: '2026-06-30' },
    records: [{ kind: 'commitment', id: 'c1' }],
    events: [{ kind: 'commitment', id: 'c1', eventId: 'e1', revision: 0 }],
    content: { severity: 'low', title: 'One', text: 'So.', recommendation: 'Otherwise.' },
  },
};

/** What the log before `end` says of the words as they stand: from the last rewording on. */
const sinceReworded = (before: readonly RecordedEvent<FindingEvent>[]): readonly RecordedEvent<FindingEvent>[] => {
  const last = before.findLastIndex(
    ({ type, data }) =>
      type === 'FindingAmended' && Object.keys((data as { readonly changes: object }).changes).length > 0,
  );
  return before.slice(last + 1);
};

const requireLawful = (log: readonly RecordedEvent<FindingEvent>[]): void => {
  const told = new Set<string>();
  log.forEach(({ type, data, metadata: { actor, recordedAt } }, index) => {
    const before = sinceReworded(log.slice(0, index));
    const last = (...types: readonly FindingEvent['type'][]): RecordedEvent<FindingEvent> | undefined =>
      before.findLast((event) => types.includes(event.type));
    switch (type) {
      case 'FindingAnswered':
      case 'ImplementationClaimed':
        expect([type, actor.party]).toEqual([type, OWNER]);
        if (type === 'ImplementationClaimed') {
          expect((last('FindingAnswered')?.data as { response?: string }).response).not.toBe('disagreed');
        }
        break;
      case 'ImplementationVerified':
      case 'ImplementationRejected':
        expect([type, actor.role, actor.party === OWNER]).toEqual([type, 'auditor', false]);
        expect(last('ImplementationClaimed', 'ImplementationVerified', 'ImplementationRejected')?.type).toBe(
          'ImplementationClaimed',
        );
        break;
      case 'FindingFellOverdue': {
        const { owed, due } = data as { readonly owed: string; readonly due: string };
        expect(actor.party).toBe(SYSTEM_TIMER.party);
        expect(due < dateOf(recordedAt)).toBe(true);
        expect(told.has(`${owed} ${due}`) && told.has(`last ${owed} ${due}`)).toBe(false);
        for (const each of [...told]) if (each.startsWith(`last ${owed} `)) told.delete(each);
        told.add(`${owed} ${due}`).add(`last ${owed} ${due}`);
        break;
      }
      case 'FindingClosed': {
        const { as } = data as { readonly as: string };
        expect(index).toBe(log.length - 1);
        expect([actor.role, actor.party === OWNER]).toEqual(['auditor', false]);
        if (as === 'implemented') {
          expect(last('ImplementationClaimed', 'ImplementationVerified', 'ImplementationRejected')?.type).toBe(
            'ImplementationVerified',
          );
        }
        if (as === 'risk-accepted') {
          expect(last('FindingAnswered')?.data).toMatchObject({ acceptsRisk: true });
        }
        if (as === 'withdrawn') expect(actor.party).toBe(AUTHOR);
        break;
      }
      default:
        break;
    }
  });
};

test('a finding never closes as implemented but by an auditor, of another party than its owner, after another verified what was claimed', () => {
  const ends = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) => {
      const log = [
        recordedEvent<FindingEvent>('finding-f1', 0, WRITTEN, { actor: { party: AUTHOR, role: 'auditor' } }),
      ];
      let state: FindingState = log.reduce(
        (folded, event) => findingDecider.evolve(folded, event),
        findingDecider.initial,
      );
      let today = '2026-01-05';
      for (const { actor, command: body, after } of steps) {
        today = addDays(today, after);
        const at = `${today}T12:00:00.000Z`;
        const decision = findingDecider.decide({ ...body, by: askedBy({ actor, at }) }, state);
        if (decision.kind === 'refused') continue;
        for (const event of decision.events) {
          const recorded = recordedEvent('finding-f1', log.length, event, { actor, recordedAt: at });
          log.push(recorded);
          state = findingDecider.evolve(state, recorded);
        }
      }
      requireLawful(log);
      const { finding } = state;
      if (finding?.status === 'closed') {
        ends.add(String(finding.closing?.as));
        expect(nextToPass(finding)).toBeUndefined();
      }
    }),
    { numRuns: 600, seed: 7 },
  );
  expect([...ends].sort()).toEqual(['implemented', 'risk-accepted', 'withdrawn']);
});
