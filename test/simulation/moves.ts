import type { CommitmentState } from '#commitments';
import { commitmentDecider } from '#commitments';
import type { Transactor } from '#kernel';
import { contributionDecider, decidedFor, figuresOf, fundDecider, moneyOf } from '#funds';
import type { ContributionState, FundState } from '#funds';
import { needDecider } from '#needs';
import type { NeedState } from '#needs';
import { hasLiveCommitments } from '#needs';
import { offerDecider } from '#offers';
import type { OfferState } from '#offers';
import { earmarkReasons } from '#offers/contract';
import type { Quantity } from '#vocabulary';
import { isRival, isUnlimited, minorUnits, quantityOf, sameMeasure } from '#vocabulary';
import type { Random } from '../extra/random.js';
import type { Body, Intent } from './client.js';
import { CAVR, COORDINATOR, FIJI, FUND, NETWORK, personOf, quantity, VANUATU } from './people.js';
import type { AnyDecider } from './service-node.js';

export const COMMITMENT = commitmentDecider as unknown as AnyDecider;
export const NEED = needDecider as unknown as AnyDecider;
export const OFFER = offerDecider as unknown as AnyDecider;
export const FUND_BOOK = fundDecider as unknown as AnyDecider;
export const CONTRIBUTION = contributionDecider as unknown as AnyDecider;

const DATE = '2026-02-27';
const REASON = { code: 'timing' } as const;

/** A possible move and how often it is chosen beside others. */
type Choice = readonly [weight: number, intent: Intent];

/** Weight of doing nothing this time. */
const DOUBT = 1.5;

export const choose = (random: Random, choices: readonly Choice[]): Intent | undefined => {
  const total = choices.reduce((sum, [weight]) => sum + weight, DOUBT);
  let left = random.next() * total;
  for (const [weight, intent] of choices) {
    left -= weight;
    if (left < 0) return intent;
  }
  return undefined;
};

interface AskedLeg {
  readonly leg?: number;
  readonly offerLine: number;
  readonly needLine: number;
  readonly drawn: Quantity;
  readonly credited?: Quantity;
  readonly scope?: string;
  readonly valuation?: object;
}

/** One seat, one dollar, in minor units. */
const unitOf = ({ measure }: Quantity): bigint => (measure === 'money' ? 100n : 1n);

/** A leg that could be: what it draws may be more than is there. */
const someLeg = (random: Random, offer: OfferState, need: NeedState): AskedLeg | undefined => {
  const offered = offer.summary?.content.lines ?? [];
  const asked = need.content.lines;
  if (offered.length === 0 || asked.length === 0) return undefined;
  const line = random.pick(offered);
  const most = isUnlimited(line.capacity) ? 6n : minorUnits(line.capacity) / 2n;
  const unit = unitOf(line.capacity);
  const amount = ((BigInt(random.between(1, 100)) * most) / 100n / unit) * unit;
  const like: Quantity = isUnlimited(line.capacity) ? { measure: 'access', amount: '1' } : line.capacity;
  const drawn = quantityOf(like, amount < unit ? unit : amount);
  const target = random.pick(
    asked.some(({ quantity }) => sameMeasure(quantity, drawn))
      ? asked.filter(({ quantity }) => sameMeasure(quantity, drawn))
      : asked,
  );
  const leg = { offerLine: line.line, needLine: target.line, drawn };
  if (target.quantity.measure === 'undetermined') return { ...leg, scope: 'Whatever it takes' };
  if (sameMeasure(target.quantity, drawn)) return leg;
  const credited = quantityOf(target.quantity, unitOf(target.quantity) * BigInt(random.between(1, 5)));
  return { ...leg, credited, valuation: { basis: 'agreed-lump-sum', reference: 'Minutes' } };
};

/** What a node learns of offer and need before it decides on a proposal, as the proposing service does. */
const proposalFacts =
  (offerId: string, needId: string, legs: readonly AskedLeg[]) =>
  async (transactor: Transactor): Promise<object> => {
    const [offer, need] = await Promise.all([
      transactor.load(offerDecider, offerId),
      transactor.load(needDecider, needId),
    ]);
    const { summary } = offer.state;
    const { content, filer, beneficiaries, status, supersededBy } = need.state;
    const earmarkFacts = earmarkFactsOf(need.state);
    const lines = summary?.content.lines ?? [];
    const pairs = legs.filter(
      ({ offerLine, needLine }) =>
        lines.some(({ line }) => line === offerLine) && content.lines.some(({ line }) => line === needLine),
    );
    const [fault] = summary === undefined ? [] : earmarkReasons(summary.content, earmarkFacts, pairs);
    return {
      facts: {
        offer: {
          offerId,
          open: summary?.status === 'open',
          providers: summary?.content.providers?.map(({ party }) => party) ?? [summary?.provider ?? ''],
          lines,
          conditions: [],
        },
        need: {
          needId,
          open: status === 'open',
          filer,
          beneficiaries,
          lines: content.lines,
          ...(supersededBy === undefined ? {} : { supersededBy }),
        },
        earmarkFacts,
        ...(fault === undefined ? {} : { earmarkFault: fault.because }),
        unknownAgencies: [],
      },
    };
  };

const earmarkFactsOf = ({ beneficiaries, content: { instruments, traffickingNexus, lines } }: NeedState) => ({
  beneficiaries,
  networks: [],
  regions: [],
  instruments,
  traffickingNexus,
  needLineKinds: Object.fromEntries(lines.map(({ line, kind }) => [String(line), kind])),
});

const amendmentFacts =
  (offerId: string, needId: string) =>
  async (transactor: Transactor): Promise<object> => {
    const [offer, need] = await Promise.all([
      transactor.load(offerDecider, offerId),
      transactor.load(needDecider, needId),
    ]);
    return {
      facts: {
        offer: { lines: offer.state.summary?.content.lines ?? [] },
        need: { lines: need.state.content.lines },
        unknownAgencies: [],
      },
    };
  };

const agreementFacts =
  (needId: string) =>
  async (transactor: Transactor): Promise<object> => ({
    earmarkFacts: earmarkFactsOf((await transactor.load(needDecider, needId)).state),
  });

/** A proposal by either side; undefined while offer and need give nothing to propose on. */
export const proposal = (
  random: Random,
  id: string,
  [offerId, offer]: readonly [string, OfferState],
  [needId, need]: readonly [string, NeedState],
): Intent | undefined => {
  const legs = [someLeg(random, offer, need), ...(random.chance(0.35) ? [someLeg(random, offer, need)] : [])].filter(
    (leg) => leg !== undefined,
  );
  const providers = offer.summary?.content.providers?.map(({ party }) => party) ?? [offer.summary?.provider ?? ''];
  const [first] = need.beneficiaries;
  const provider = random.pick(providers);
  if (legs.length === 0 || first === undefined || provider === '') return undefined;
  const recipient = need.filer === NETWORK.party ? need.filer : first;
  const body = {
    type: 'ProposeCommitment',
    legs,
    ...(random.chance(0.25) ? { implementer: CAVR.party } : {}),
    ...(random.chance(0.15) ? { expiresAt: new Date(Date.now() + random.between(1, 40) * 60_000).toISOString() } : {}),
  };
  return {
    decider: COMMITMENT,
    id,
    body,
    by: personOf(random.chance(0.6) ? provider : recipient),
    facts: proposalFacts(offerId, needId, legs),
  };
};

/** What could be done with a commitment as it stands, by whomever. */
export const commitmentMoves = (
  random: Random,
  id: string,
  state: CommitmentState,
  revision: number,
): readonly Choice[] => {
  if (state.status === undefined) return [];
  const choices: Choice[] = [];
  const may = (weight: number, party: string, body: Body, more: Partial<Intent> = {}): void => {
    const ifMatch = random.chance(0.7) ? { ifMatch: revision } : {};
    choices.push([weight, { decider: COMMITMENT, id, body, by: personOf(party), ...ifMatch, ...more }]);
  };
  const { status, side, providers, proposedBy } = state;
  const recipient = random.pick(recipientsOf(state));
  const provider = random.pick(providers.length === 0 ? [''] : providers);
  const [own, other] = side === 'provider' ? [provider, recipient] : [recipient, provider];
  switch (status) {
    case 'proposed':
      if (state.hold === 'held' && state.acceptance !== 'pending') may(8, other, { type: 'AcceptCommitment' });
      may(0.1, other, { type: 'DeclineCommitment', reason: REASON });
      may(0.15, proposedBy, { type: 'WithdrawCommitment', reason: REASON });
      break;
    case 'accepted':
      for (const party of state.signatories) {
        if (!state.signatures.some((signature) => signature.party === party))
          may(6, party, { type: 'SignCommitment' }, decided(party, id, state));
      }
      may(0.15, proposedBy, { type: 'WithdrawCommitment', reason: REASON });
      break;
    case 'binding':
    case 'delivered':
      may(0.4, random.pick([provider, recipient]), { type: 'CancelCommitment', reason: REASON });
      break;
    case 'confirmed':
    case 'cancelled':
      may(1, random.pick([COORDINATOR.party, own, other]), { type: 'CloseCommitment' });
      break;
    default:
      break;
  }
  agencyMoves(state, may);
  amendmentMoves(random, id, state, may);
  deliveryMoves(random, state, may);
  moneyMoves(random, state, may);
  return choices;
};

/** Those who act for the need: its beneficiaries, or the host that filed for them. */
const recipientsOf = ({ beneficiaries, filer }: CommitmentState): readonly string[] =>
  filer === NETWORK.party ? [...beneficiaries, filer] : beneficiaries;

/** A fund that keeps its book signs and agrees under a decision. */
const decided = (party: string, id: string, { needId }: CommitmentState): Partial<Intent> =>
  party === FUND.party ? { facts: decisionFacts(id, needId) } : {};

const decisionFacts =
  (id: string, needId: string) =>
  async (transactor: Transactor): Promise<object> => {
    const { book } = (await transactor.load(fundDecider, FUND.party)).state;
    if (book === undefined) return {};
    const sum = decidedFor(book, needId, id);
    return { decision: sum === undefined ? {} : { decided: sum } };
  };

const both =
  (...facts: readonly ((transactor: Transactor) => Promise<object>)[]) =>
  async (transactor: Transactor): Promise<object> =>
    Object.assign({}, ...(await Promise.all(facts.map((each) => each(transactor))))) as object;

type May = (weight: number, party: string, body: Body, more?: Partial<Intent>) => void;

const agencyMoves = (state: CommitmentState, may: May): void => {
  const { implementer, consents, status } = state;
  if (implementer === undefined || (status !== 'proposed' && status !== 'accepted')) return;
  if (!consents.some(({ party }) => party === implementer)) may(5, implementer, { type: 'ConsentTask' });
  else may(0.2, implementer, { type: 'DeclineTask', reason: REASON });
};

const nothing = (): Promise<object> => Promise.resolve({});

const amendmentMoves = (random: Random, id: string, state: CommitmentState, may: May): void => {
  const { status, amendments, providers, offerId, needId, legs } = state;
  const open = amendments.find((amendment) => amendment.status === 'proposed');
  const sides = { provider: random.pick(providers), recipient: random.pick(recipientsOf(state)) };
  if (open !== undefined) {
    const answering = open.side === 'provider' ? sides.recipient : sides.provider;
    const { facts = nothing } = decided(answering, id, state);
    may(5, answering, { type: 'AcceptAmendment' }, { facts: both(agreementFacts(needId), facts) });
    may(0.5, answering, { type: 'DeclineAmendment' });
    may(0.5, sides[open.side], { type: 'WithdrawAmendment' });
    return;
  }
  if (status !== 'accepted' && status !== 'binding' && status !== 'delivered') return;
  const changed = legs.map(({ leg, offerLine, needLine, drawn, credited, scope, valuation }): AskedLeg => {
    const unit = unitOf(drawn);
    const after = quantityOf(
      drawn,
      ((minorUnits(drawn) * BigInt(random.between(40, 180))) / 100n / unit) * unit || unit,
    );
    return {
      ...{ leg, offerLine, needLine, drawn: after },
      ...(scope !== undefined && !isRival(credited)
        ? { scope }
        : sameMeasure(drawn, credited)
          ? {}
          : { credited, valuation: valuation ?? { basis: 'agreed-lump-sum', reference: 'Minutes' } }),
    };
  });
  const kept = changed.length > 1 && random.chance(0.2) ? changed.slice(1) : changed;
  const [first] = changed;
  const added = first !== undefined && random.chance(0.3) ? [...kept, withoutNumber(first)] : kept;
  const proposing = sides[random.pick(['provider', 'recipient'] as const)];
  const { facts = nothing } = decided(proposing, id, state);
  may(
    1.5,
    proposing,
    { type: 'ProposeAmendment', legs: added, reason: 'As agreed' },
    { facts: both(amendmentFacts(offerId, needId), facts) },
  );
};

const withoutNumber = ({ leg: _leg, ...rest }: AskedLeg): AskedLeg => rest;

const deliveryMoves = (random: Random, state: CommitmentState, may: May): void => {
  const { deliveries, legs, providers, implementer, status } = state;
  const deliverer = implementer ?? random.pick(providers);
  const receiver = random.pick(recipientsOf(state));
  const part = (of: Quantity, most = of): Quantity => {
    const whole = minorUnits(most);
    const some = random.chance(0.5) ? whole : (whole * BigInt(random.between(1, 100))) / 100n;
    return quantityOf(of, some > 0n ? some : 1n);
  };
  if (status === 'binding' || status === 'delivered' || status === 'confirmed') {
    for (const { leg, drawn, deliveredDrawn } of legs) {
      const left = minorUnits(drawn) - minorUnits(deliveredDrawn);
      if (left > 0n)
        may(3, deliverer, { type: 'ReportDelivery', leg, quantity: part(drawn, quantityOf(drawn, left)), date: DATE });
    }
  }
  for (const { n, status: answered, drawn, party } of deliveries) {
    if (answered === 'reported') {
      const quantity = random.chance(0.15) ? { quantity: part(drawn) } : {};
      may(3, receiver, { type: 'ConfirmDelivery', n, condition: 'usable', ...quantity });
      may(0.6, receiver, { type: 'DisputeDelivery', n, reason: 'Never arrived' });
      may(0.6, party, { type: 'CorrectDelivery', n, quantity: part(drawn), reason: 'Counted again' });
    }
    if (answered === 'disputed') {
      const settling = random.chance(0.5)
        ? { outcome: 'stands' }
        : { outcome: 'reduced', quantity: quantityOf(drawn, minorUnits(drawn) / 2n || 1n) };
      for (const by of [receiver, random.pick(providers)]) may(2, by, { type: 'StateSettlement', n, ...settling });
    }
    if (answered === 'confirmed') may(0.3, receiver, { type: 'DisputeDelivery', n, reason: 'It broke' });
    may(0.6, receiver, { type: 'ReportReturn', delivery: n, quantity: part(drawn), reason: 'Broken', date: DATE });
  }
};

const BOUND = ['binding', 'delivered', 'confirmed', 'cancelled'];

const moneyMoves = (random: Random, state: CommitmentState, may: May): void => {
  const { status = '', providers, transfers, receipts, implementer, beneficiaries } = state;
  if (!BOUND.includes(status)) return;
  const some = (): Quantity => quantity('money', random.between(1, 12));
  const provider = random.pick(providers);
  const to = implementer ?? random.pick(beneficiaries);
  may(1.2, provider, { type: 'ReportTransfer', kind: 'disbursement', from: provider, to, amount: some(), date: DATE });
  for (const { n, kind, from, to: holder, amount } of transfers) {
    const come = receipts.filter(({ transfer }) => transfer === n);
    if (come.length === 0) {
      may(2, holder, { type: 'ReportReceipt', transfer: n, amount, date: DATE });
      may(0.3, from, { type: 'CorrectTransfer', n, amount: some(), reason: 'Typed wrong' });
    } else if (kind === 'disbursement') {
      may(0.5, holder, {
        type: 'ReportTransfer',
        kind: 'refund',
        of: n,
        from: holder,
        to: from,
        amount: some(),
        date: DATE,
      });
    }
    for (const { n: receipt } of come)
      may(0.2, holder, { type: 'CorrectReceipt', n: receipt, amount: some(), reason: 'Typed wrong' });
  }
};

/** What a fund's desk may do with its book. */
export const fundMoves = (random: Random, { book }: FundState, needs: readonly string[]): readonly Choice[] => {
  const move = (weight: number, body: Body): Choice => [weight, { decider: FUND_BOOK, id: FUND.party, body, by: FUND }];
  if (book === undefined) return [];
  const unknown = { needs: [], applications: [] };
  const allocations = [{ needId: random.pick(needs), amount: quantity('money', random.between(5, 30)) }];
  return [
    move(8, {
      type: 'DecideAllocations',
      body: 'Committee',
      date: DATE,
      reference: 'Minutes',
      allocations,
      interests: [],
      unknown,
    }),
    ...book.decisions.map(({ n }) => move(0.5, { type: 'ReleaseDecision', n })),
    move(0.7, { type: 'BookFund', kind: 'interest', effect: 'gain', amount: quantity('money', 1), date: DATE }),
    move(0.5, { type: 'BookFund', kind: 'bank-charge', effect: 'loss', amount: quantity('money', 1), date: DATE }),
  ];
};

/** What a node learns of the fund before it decides on a contribution, as the contributing service does. */
export const fundFacts = async (transactor: Transactor): Promise<object> => {
  const { book } = (await transactor.load(fundDecider, FUND.party)).state;
  if (book === undefined) return {};
  const { terms } = book;
  return {
    fund: { currency: terms.currency, windows: terms.windows, available: moneyOf(terms, figuresOf(book).available) },
  };
};

export const contributionMoves = (
  random: Random,
  id: string,
  { contribution }: ContributionState,
): readonly Choice[] => {
  if (contribution === undefined) return [];
  const { pledge, signed, receipts } = contribution;
  const donor = personOf(pledge.donor);
  const move = (weight: number, by: typeof donor, body: Body): Choice => [
    weight,
    { decider: CONTRIBUTION, id, body, by, facts: fundFacts },
  ];
  const some = quantity('money', random.between(1, 25));
  return [
    ...(signed === undefined
      ? [move(6, donor, { type: 'SignContribution', date: DATE })]
      : [move(4, FUND, { type: 'ReportArrival', amount: some, date: DATE })]),
    ...(receipts.length === 0
      ? []
      : [move(0.7, FUND, { type: 'RefundContribution', amount: quantity('money', random.between(1, 5)), date: DATE })]),
    move(0.4, donor, { type: 'CancelContribution', reason: REASON }),
    move(0.3, FUND, { type: 'CloseContribution' }),
  ];
};

export const offerMoves = (
  random: Random,
  id: string,
  { summary }: OfferState,
  revision: number,
): readonly Choice[] => {
  if (summary === undefined) return [];
  const by = personOf(summary.provider);
  const move = (weight: number, body: Body): Choice => [
    weight,
    { decider: OFFER, id, body, by, ...(random.chance(0.5) ? { ifMatch: revision } : {}) },
  ];
  const lines = summary.content.lines.map((line) => ({
    ...line,
    capacity: isRival(line.capacity)
      ? quantityOf(line.capacity, (minorUnits(line.capacity) * BigInt(random.between(50, 160))) / 100n || 1n)
      : line.capacity,
  }));
  return [
    move(3, { type: 'AmendOffer', changes: { lines } }),
    move(1, { type: 'AmendOffer', changes: { earmark: { instruments: ['ATT'] } } }),
    move(1, { type: summary.status === 'suspended' ? 'ResumeOffer' : 'SuspendOffer' }),
    move(summary.status === 'suspended' ? 2 : 0.1, { type: 'ResumeOffer' }),
    move(0.3, { type: 'WithdrawOffer' }),
    move(0.2, { type: 'CompleteOffer' }),
  ];
};

/** @param others ids of the needs of the same State */
export const needMoves = (
  random: Random,
  id: string,
  state: NeedState,
  revision: number,
  others: readonly string[],
): readonly Choice[] => {
  if (state.status === 'absent') return [];
  const by = personOf(state.filer);
  const move = (weight: number, body: Body, more: Partial<Intent> = {}): Choice => [
    weight,
    { decider: NEED, id, body, by, ...(random.chance(0.5) ? { ifMatch: revision } : {}), ...more },
  ];
  const { lines } = state.content;
  if (state.status === 'closed') return state.supersededBy === undefined ? [] : [move(2, { type: 'UnmergeNeed' })];
  const changed = lines.map((line) => ({
    ...line,
    quantity: isRival(line.quantity)
      ? quantityOf(line.quantity, (minorUnits(line.quantity) * BigInt(random.between(50, 160))) / 100n || 1n)
      : line.quantity,
  }));
  const unknown = lines.filter(({ quantity }) => quantity.measure === 'undetermined');
  const live = groupLive(state.absorbed);
  const invited = state.participants.filter(({ party }) => party !== state.filer);
  return [
    ...invited.map(({ party, status }): Choice => {
      const type = status === 'consented' ? 'WithdrawParticipation' : 'ConsentParticipation';
      return [
        status === 'consented' ? 0.2 : 3,
        { decider: NEED, id, body: { type }, by: party === VANUATU.party ? VANUATU : FIJI },
      ];
    }),
    move(2, { type: 'AmendNeed', changes: { lines: changed } }),
    move(0.5, { type: 'AmendNeed', changes: { oversubscription: !state.content.oversubscription } }),
    ...unknown.map(({ line }) =>
      move(2, {
        type: 'AssessNeed',
        lines: [{ line, quantity: { measure: 'seats', amount: '12' } }],
        report: { kind: 'other', title: 'Report', sha256: '00'.repeat(32) },
      }),
    ),
    ...others.map((into) => move(1, { type: 'MergeNeed', into }, { facts: survivorFacts(into) })),
    move(0.25, { type: 'WithdrawNeed' }, { facts: live }),
    move(0.3, { type: 'CloseNeed', outcome: 'partly-met', waivers: [] }, { facts: live }),
    move(0.3, { type: 'ReaffirmNeed' }),
  ];
};

const survivorFacts =
  (into: string) =>
  async (transactor: Transactor): Promise<object> => {
    const { status, beneficiaries, filer, onBehalfOf } = (await transactor.load(needDecider, into)).state;
    return { survivor: { status, beneficiaries, principal: onBehalfOf ?? filer } };
  };

const groupLive =
  (absorbed: readonly string[]) =>
  async (transactor: Transactor): Promise<object> => {
    const needs = await Promise.all(absorbed.map((id) => transactor.load(needDecider, id)));
    return { groupLive: needs.some(({ state }) => hasLiveCommitments(state)) };
  };
