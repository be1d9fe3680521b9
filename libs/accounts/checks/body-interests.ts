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

/** Who the needs are for: from the needs themselves, and from commitments on them where only these may be read. */
const beneficiariesOf = (facts: Facts): ReadonlyMap<string, readonly Known[]> => {
  const known = new Map<string, Known[]>();
  for (const { stream, eventId, data } of facts.of('NeedDrafted')) {
    for (const party of data.beneficiaries) push(known, stream.slice('need-'.length), { party, stream, eventId });
  }
  for (const { stream, eventId, data } of facts.of('CommitmentProposed')) {
    if (known.get(data.needId)?.some((other) => other.stream === `need-${data.needId}`) ?? false) continue;
    for (const party of data.beneficiaries) push(known, data.needId, { party, stream, eventId });
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
    'CommitmentProposed',
    'PartyRegistered',
    'PartyAmended',
  ],
  find: (facts) => {
    const sovereigns = new Map<string, string>();
    for (const { stream, data } of [...facts.of('PartyRegistered'), ...facts.of('PartyAmended')]) {
      if (data.ofState !== undefined) sovereigns.set(stream.slice('party-'.length), data.ofState);
    }
    const sovereignOf = (party: string): string | undefined => stateOfParty(party) ?? sovereigns.get(party);
    const beneficiaries = beneficiariesOf(facts);
    return facts.of('AllocationDecided').flatMap((decision) => {
      const { members, events } = bodyAt(facts, decision);
      const { body, date, reference, allocations, interests } = decision.data;
      const judging = members.filter((member) => !interests.some(({ party, recused }) => recused && party === member));
      return allocations.flatMap(({ needId, amount }) =>
        judging.flatMap((member) => {
          const gains = (beneficiaries.get(needId) ?? []).find(
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
