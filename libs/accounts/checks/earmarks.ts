import type { ContributionEvent } from '#funds/contract';
import type { Earmark, EarmarkedNeed, OfferContent } from '#offers/contract';
import { earmarkReasons } from '#offers/contract';
import type { Quantity } from '#vocabulary';
import { formatQuantity, measureKey, minorUnits, quantityOf } from '#vocabulary';
import type { Check, Finding } from './check.js';
import { finding } from './check.js';
import type { Fact, Facts } from './facts.js';
import { push, transfersOf, unique } from './facts.js';

type Proposal = Fact<'CommitmentProposed'>;

/** What a provider itself paid on a commitment, net of what came back, by measure. */
interface Payment {
  readonly amount: bigint;
  readonly like: Quantity;
  readonly leg?: number;
  readonly position: bigint;
  readonly events: readonly string[];
}

const paymentsBy = (facts: Facts): ReadonlyMap<string, readonly Payment[]> => {
  const payments = new Map<string, Payment[]>();
  const positions = new Map(facts.of('TransferReported').map(({ eventId, position }) => [eventId, position]));
  const known = new Map(transfersOf(facts).map((transfer) => [`${transfer.stream} ${transfer.data.n}`, transfer]));
  for (const { stream, data, events } of known.values()) {
    const { kind, from, to, amount, of } = data;
    const source = kind === 'refund' ? known.get(`${stream} ${of ?? 0}`) : { data };
    if (source === undefined || source.data.kind === 'refund' || source.data.onward !== undefined || from === to)
      continue;
    push(payments, `${stream} ${source.data.from}`, {
      amount: kind === 'refund' ? -minorUnits(amount) : minorUnits(amount),
      like: amount,
      ...(source.data.leg === undefined ? {} : { leg: source.data.leg }),
      position: positions.get(events[0] ?? '') ?? 0n,
      events,
    });
  }
  return payments;
};

/** What a commitment is for now: the facts of its proposal, and the kinds of the need's lines as they were amended since. */
const purposeOf = (facts: Facts, { stream, data }: Proposal): EarmarkedNeed => {
  let purpose: EarmarkedNeed = data.earmarkFacts;
  for (const { data: agreed } of facts.on(stream, 'AmendmentAgreed')) purpose = { ...purpose, ...agreed.earmarkFacts };
  const kinds = { ...purpose.needLineKinds };
  for (const fact of facts.on(`need-${data.needId}`, 'NeedDrafted', 'NeedAmended')) {
    const lines = 'content' in fact.data ? fact.data.content.lines : fact.data.changes.lines;
    for (const { line, kind } of lines ?? []) kinds[String(line)] = kind;
  }
  return { ...purpose, needLineKinds: kinds };
};

const legsOf = (facts: Facts, { stream, data }: Proposal): Proposal['data']['legs'] =>
  facts.on(stream, 'CommitmentAmended').reduce<Proposal['data']['legs']>((_, amended) => amended.data.legs, data.legs);

/** The offer as it stood at that place: a later, narrower earmark never touches what was held before. */
const offerAt = (
  facts: Facts,
  offerId: string,
  position: bigint,
): { readonly content: OfferContent; readonly events: readonly string[] } | undefined => {
  let content: OfferContent | undefined;
  const events: string[] = [];
  for (const fact of facts.on(`offer-${offerId}`, 'OfferPosted', 'OfferAmended')) {
    if (fact.position > position) break;
    if ('content' in fact.data) content = fact.data.content;
    else if (content !== undefined) content = { ...content, ...fact.data.changes };
    events.push(fact.eventId);
  }
  return content === undefined ? undefined : { content, events };
};

/** Commitments that paid for what the offer's earmark does not admit. */
const ofOffers = (facts: Facts): readonly Finding[] => {
  const payments = paymentsBy(facts);
  return facts.of('CommitmentProposed').flatMap((proposal) => {
    const offer = offerAt(facts, proposal.data.offerId, proposal.position);
    if (offer === undefined) return [];
    const paid = proposal.data.providers.flatMap((provider) => payments.get(`${proposal.stream} ${provider}`) ?? []);
    if (paid.length === 0) return [];
    const named = new Set(paid.map(({ leg }) => leg));
    const legs = legsOf(facts, proposal).filter(({ leg }) => named.has(undefined) || named.has(leg));
    const reasons = earmarkReasons(offer.content, purposeOf(facts, proposal), legs);
    if (reasons.length === 0) return [];
    return [
      finding('high', 'paid outside the offer’s earmark', reasons.map(({ because }) => because).join(' '), {
        parties: proposal.data.providers,
        records: [proposal.stream, `offer-${proposal.data.offerId}`],
        events: [...offer.events, proposal.eventId, ...paid.flatMap(({ events }) => events)],
      }),
    ];
  });
};

type Pledge = Extract<ContributionEvent, { type: 'ContributionPledged' }>['data'];

interface Supply {
  readonly earmark: NonNullable<Pledge['earmark']>;
  readonly window: string | undefined;
  left: bigint;
  readonly streams: string[];
  readonly events: string[];
}
interface Demand {
  readonly fits: readonly Supply[];
  unmet: bigint;
  readonly streams: string[];
  readonly events: string[];
}

const windowsOf = (facts: Facts): ReadonlyMap<string, string | undefined> => {
  const decisions = new Map(
    facts.of('AllocationDecided').map(({ stream, data }) => [`${stream} ${data.n}`, data.window]),
  );
  return new Map(
    facts
      .of('AllocationUsed')
      .map(({ stream, data }) => [`commitment-${data.commitment}`, decisions.get(`${stream} ${data.decision}`)]),
  );
};

/** What donors gave a fund, by what it may be used for. Interest and the like may be used for anything. */
const suppliesOf = (facts: Facts, fund: string, measure: string): readonly Supply[] => {
  const supplies = new Map<string, Supply>();
  const give = (
    earmark: NonNullable<Pledge['earmark']>,
    window: string | undefined,
    amount: bigint,
    stream: string,
    events: readonly string[],
  ): void => {
    const { text: _text, ...binding } = earmark;
    const key = JSON.stringify([binding, window ?? '']);
    const supply: Supply = supplies.get(key) ?? { earmark: binding, window, left: 0n, streams: [], events: [] };
    supply.left += amount;
    supply.streams.push(stream);
    supply.events.push(...events);
    supplies.set(key, supply);
  };
  for (const { stream, data, eventId } of facts.of('ContributionPledged')) {
    if (data.fund !== fund) continue;
    for (const received of facts.on(stream, 'ContributionReceived')) {
      const arrived = received.data.credited ?? received.data.amount;
      if (measureKey(arrived) !== measure) continue;
      give(data.earmark ?? {}, data.window, minorUnits(arrived), stream, [eventId, received.eventId]);
    }
    for (const refunded of facts.on(stream, 'ContributionRefunded')) {
      const back = refunded.data.credited ?? refunded.data.amount;
      if (measureKey(back) !== measure) continue;
      give(data.earmark ?? {}, data.window, -minorUnits(back), stream, [refunded.eventId]);
    }
  }
  for (const { stream, data, eventId } of facts.on(`fund-${fund}`, 'FundBooked')) {
    if (data.effect === 'gain' && measureKey(data.amount) === measure) {
      give({}, undefined, minorUnits(data.amount), stream, [eventId]);
    }
  }
  return [...supplies.values()];
};

/** Takes money for a demand, moving what others took where they can be served elsewhere; true where one more could be found. */
const serve = (demand: Demand, taken: Map<Supply, Map<Demand, bigint>>, tried: Set<Supply>, wanted: bigint): bigint => {
  for (const supply of demand.fits) {
    if (tried.has(supply)) continue;
    tried.add(supply);
    const users = taken.get(supply) ?? new Map<Demand, bigint>();
    taken.set(supply, users);
    const take = (amount: bigint): bigint => {
      users.set(demand, (users.get(demand) ?? 0n) + amount);
      return amount;
    };
    if (supply.left > 0n) {
      const amount = supply.left < wanted ? supply.left : wanted;
      supply.left -= amount;
      return take(amount);
    }
    for (const [other, used] of users) {
      if (other === demand || used === 0n) continue;
      const moved = serve(other, taken, tried, used < wanted ? used : wanted);
      if (moved === 0n) continue;
      users.set(other, used - moved);
      return take(moved);
    }
  }
  return 0n;
};

/**
 * Funds that paid for what their donors’ earmarks leave no money for. Money has no name within a fund: a payment is in order as long as
 * everything paid can be matched with contributions that admit it.
 */
const ofContributions = (facts: Facts): readonly Finding[] => {
  const proposals = facts.of('CommitmentProposed');
  const payments = paymentsBy(facts);
  const windows = windowsOf(facts);
  const funds = unique(facts.of('ContributionPledged').map(({ data }) => data.fund));
  return funds.flatMap((fund) => {
    const own = proposals.filter(({ data }) => data.providers.includes(fund));
    const paid = own.map((proposal) => ({ proposal, payments: payments.get(`${proposal.stream} ${fund}`) ?? [] }));
    const measures = unique(paid.flatMap((each) => each.payments.map(({ like }) => measureKey(like))));
    return measures.flatMap((measure) => {
      const supplies = suppliesOf(facts, fund, measure);
      const demands = new Map<string, Demand>();
      let like: Quantity | undefined;
      for (const { proposal, payments: all } of paid) {
        const mine = all.filter((payment) => measureKey(payment.like) === measure);
        const sum = mine.reduce((total, { amount }) => total + amount, 0n);
        if (sum <= 0n) continue;
        like = mine[0]?.like ?? like;
        const purpose = purposeOf(facts, proposal);
        const legs = legsOf(facts, proposal);
        const window = windows.get(proposal.stream);
        const fits = supplies.filter(
          (supply) =>
            earmarkReasons({ earmark: supply.earmark as Earmark, lines: [] }, purpose, legs).length === 0 &&
            (supply.window === undefined || window === undefined || supply.window === window),
        );
        const key = fits.map((supply) => supplies.indexOf(supply)).join();
        const demand: Demand = demands.get(key) ?? { fits, unmet: 0n, streams: [], events: [] };
        demand.unmet += sum;
        demand.streams.push(proposal.stream);
        demand.events.push(proposal.eventId, ...mine.flatMap(({ events }) => events));
        demands.set(key, demand);
      }
      const taken = new Map<Supply, Map<Demand, bigint>>();
      for (const demand of demands.values()) {
        while (demand.unmet > 0n) {
          const served = serve(demand, taken, new Set(), demand.unmet);
          if (served === 0n) break;
          demand.unmet -= served;
        }
      }
      const unserved = [...demands.values()].filter(({ unmet }) => unmet > 0n);
      const unused = supplies.filter(({ left }) => left > 0n);
      const missing = unserved.reduce((sum, { unmet }) => sum + unmet, 0n);
      const idle = unused.reduce((sum, { left }) => sum + left, 0n);
      // Where nothing is left the fund paid more than it had, which is for its statement to show.
      if (like === undefined || missing === 0n || idle === 0n) return [];
      const figure = quantityOf(like, missing < idle ? missing : idle);
      return [
        finding(
          'high',
          'paid outside the donors’ earmarks',
          `${fund} paid ${formatQuantity(figure)} for purposes that contributions it has not used do not admit.`,
          {
            parties: [fund],
            records: unique([...unserved, ...unused].flatMap(({ streams }) => streams)),
            events: unique([...unserved, ...unused].flatMap(({ events }) => events)),
            figures: [figure],
          },
        ),
      ];
    });
  });
};

/** Money that was given for one thing and paid for another. */
export const earmarks: Check = {
  name: 'earmarks',
  looksFor:
    'Payments for lines that the offer’s earmark, or the earmarks of the contributions to the fund that paid, do not admit.',
  takesDate: false,
  reads: [
    'OfferPosted',
    'OfferAmended',
    'NeedDrafted',
    'NeedAmended',
    'CommitmentProposed',
    'AmendmentAgreed',
    'CommitmentAmended',
    'TransferReported',
    'TransferCorrected',
    'ContributionPledged',
    'ContributionReceived',
    'ContributionRefunded',
    'FundBooked',
    'AllocationDecided',
    'AllocationUsed',
  ],
  find: (facts) => [...ofOffers(facts), ...ofContributions(facts)],
};
