import { stateOfParty } from '#vocabulary';
import type { Check } from './check.js';
import { finding } from './check.js';
import type { Facts, Place } from './facts.js';
import { push } from './facts.js';

interface Known {
  readonly party: string;
  readonly stream: string;
  readonly eventId: string;
}

/** Whom commitments on a need were for, by need: known also where the need itself may not be read. */
const committedTo = (facts: Facts): ReadonlyMap<string, readonly Known[]> => {
  const known = new Map<string, Known[]>();
  for (const { stream, eventId, data } of facts.of('CommitmentProposed')) {
    for (const party of data.beneficiaries) push(known, data.needId, { party, stream, eventId });
  }
  return known;
};

/** Whom a need named at that place of the log; undefined where the need may not be read. */
const namedIn = (facts: Facts, needId: string, position: bigint): readonly Known[] | undefined => {
  let known: readonly Known[] | undefined;
  for (const fact of facts.on(`need-${needId}`, 'NeedDrafted', 'NeedAmended')) {
    const { stream, eventId, data } = fact;
    if (fact.position > position) break;
    known = data.beneficiaries?.map((party) => ({ party, stream, eventId })) ?? known;
  }
  return known;
};

const bodyAt = (
  facts: Facts,
  { stream, position }: Place,
): { readonly members: readonly string[]; readonly events: readonly string[] } => {
  let members: readonly string[] = [];
  const events: string[] = [];
  for (const fact of facts.on(stream, 'FundEstablished', 'FundTermsAmended')) {
    if (fact.position > position) break;
    const body = 'terms' in fact.data ? fact.data.terms.decidingBody : fact.data.changes.decidingBody;
    if (body === undefined) continue;
    members = body.members;
    events.push(fact.eventId);
  }
  return { members, events };
};

/** Decisions in which somebody sat who gains by them. */
export const bodyInterests: Check = {
  name: 'body-interests',
  looksFor:
    'Allocations decided by a body with a beneficiary on it, or a party of its sovereign, that did not recuse itself.',
  takesDate: false,
  reads: [
    'FundEstablished',
    'FundTermsAmended',
    'AllocationDecided',
    'NeedDrafted',
    'NeedAmended',
    'CommitmentProposed',
    'PartyRegistered',
    'PartyAmended',
  ],
  readsNamedNeeds: true,
  find: (facts) => {
    const sovereigns = new Map<string, string>();
    for (const { stream, data } of [...facts.of('PartyRegistered'), ...facts.of('PartyAmended')]) {
      if (data.ofState !== undefined) sovereigns.set(stream.slice('party-'.length), data.ofState);
    }
    const sovereignOf = (party: string): string | undefined => stateOfParty(party) ?? sovereigns.get(party);
    const committed = committedTo(facts);
    return facts.of('AllocationDecided').flatMap((decision) => {
      const { members, events } = bodyAt(facts, decision);
      const { body, date, reference, allocations, interests } = decision.data;
      const judging = members.filter((member) => !interests.some(({ party, recused }) => recused && party === member));
      return allocations.flatMap(({ needId, amount }) =>
        judging.flatMap((member) => {
          const beneficiaries = namedIn(facts, needId, decision.position) ?? committed.get(needId) ?? [];
          const gains = beneficiaries.find(
            ({ party }) =>
              party === member || (sovereignOf(member) !== undefined && sovereignOf(party) === sovereignOf(member)),
          );
          if (gains === undefined) return [];
          return [
            finding(
              'high',
              'beneficiary on the deciding body',
              `${member} sat on ${body} for the decision ${reference} of ${date}, which is for ${gains.party}, and did not recuse itself.`,
              {
                parties: [member, gains.party],
                records: [decision.stream, gains.stream],
                events: [...events, gains.eventId, decision.eventId],
                figures: [amount],
              },
            ),
          ];
        }),
      );
    });
  },
};
