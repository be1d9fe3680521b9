import type { Check } from './check.js';
import { finding } from './check.js';
import type { Hand } from './facts.js';
import { push, unique } from './facts.js';

/** Duties that ought to be apart and lie in one hand. */
export const sameHands: Check = {
  name: 'same-hands',
  looksFor: 'One person acting for two parties; one agency that is both fiscal agent and implementer.',
  takesDate: false,
  reads: ['CommitmentProposed', 'CommitmentAmended'],
  readsHands: true,
  find: (facts) => {
    const bySubject = new Map<string, Hand[]>();
    for (const hand of facts.hands) push(bySubject, hand.subject, hand);
    const people = [...bySubject].flatMap(([subject, hands]) => {
      const parties = unique(hands.map(({ party }) => party));
      if (parties.length < 2) return [];
      return [
        finding('high', 'one person for two parties', `The person ${subject} acted for ${parties.join(' and for ')}.`, {
          parties,
          records: unique(hands.map(({ stream }) => stream)),
          events: hands.map(({ eventId }) => eventId),
        }),
      ];
    });
    const agencies = facts.of('CommitmentProposed').flatMap(({ stream, data, eventId }) => {
      let { implementer, fiscalAgent } = data as { implementer?: string | null; fiscalAgent?: string | null };
      const events = [eventId];
      for (const { data: amended, eventId: amendment } of facts.on(stream, 'CommitmentAmended')) {
        const { changes } = amended;
        if (changes.implementer === undefined && changes.fiscalAgent === undefined) continue;
        implementer = changes.implementer === undefined ? implementer : changes.implementer;
        fiscalAgent = changes.fiscalAgent === undefined ? fiscalAgent : changes.fiscalAgent;
        events.push(amendment);
      }
      if (implementer === undefined || implementer === null || implementer !== fiscalAgent) return [];
      return [
        finding('low', 'one agency for two tasks', `${implementer} holds the money of what it implements itself.`, {
          parties: [implementer],
          records: [stream],
          events,
        }),
      ];
    });
    return [...people, ...agencies];
  },
};
