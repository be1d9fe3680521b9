import type { Caller } from '#directory/contract';
import { isUuid } from '#kernel';
import type { NeedFacts } from '#needs/contract';
import { NeedReader } from '#needs/contract';
import { earmarkReasons, OfferReader } from '#offers/contract';
import { forbidden, notFound } from '#web';
import { Injectable } from '@nestjs/common';
import type { Agency } from './agencies.js';
import { Agencies } from './agencies.js';
import type { EarmarkFacts } from './commitment.contract.js';
import { givesThroughDesk } from './commitment.contract.js';
import { openAmendment } from './commitment-amending.js';
import type { AmendmentFacts, CommitmentState, ProposalFacts, ProposedLeg } from './commitment.js';

/** What a body proposes. */
export interface Proposal {
  readonly offerId: string;
  readonly needId: string;
  readonly legs: readonly ProposedLeg[];
  readonly implementer?: string;
  readonly fiscalAgent?: string;
}

/** What a body asks to change. */
interface AmendmentAsked {
  readonly legs?: readonly ProposedLeg[];
  readonly implementer?: string | null;
  readonly fiscalAgent?: string | null;
}

const earmarkFactsOf = (need: NeedFacts, implementer: Agency | undefined): EarmarkFacts => ({
  beneficiaries: need.beneficiaries,
  networks: need.networks,
  ...(need.memberships === undefined ? {} : { memberships: need.memberships }),
  regions: need.regions,
  instruments: need.instruments,
  traffickingNexus: need.traffickingNexus,
  ...(need.period === undefined ? {} : { needPeriod: need.period }),
  needLineKinds: Object.fromEntries(need.lines.map(({ line, kind }) => [String(line), kind])),
  ...(implementer?.category === undefined ? {} : { implementerType: implementer.category }),
});

/** Gathers what a proposal is judged on, from the streams it names. */
@Injectable()
export class Proposing {
  constructor(
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
    private readonly agencies: Agencies,
  ) {}

  /** @throws {Problem} 404 where need or offer is absent or hidden from the caller, 403 where the need's lines are */
  async factsOf(caller: Caller, proposal: Proposal): Promise<ProposalFacts> {
    const { offerId, needId, legs } = proposal;
    if (!isUuid(offerId) || !isUuid(needId)) throw notFound();
    const [need, offer, sight, sees] = await Promise.all([
      this.needs.facts(needId),
      this.offers.facts(offerId),
      this.needs.sight(needId, caller),
      this.offers.sees(offerId, caller),
    ]);
    if (need === undefined || offer === undefined || !sight.summary || !sees) throw notFound();
    // The lines are in the body: a refusal that tells them apart would show them.
    if (!sight.body) throw forbidden('The lines of this need are not shown to you, so you cannot draw on them.');
    requireDesk(caller, offer.providers, [...need.beneficiaries, need.filer]);
    const [implementer, fiscalAgent, survivor] = await Promise.all([
      this.agencies.find(proposal.implementer),
      this.agencies.find(proposal.fiscalAgent),
      this.survivorOf(caller, need),
    ]);
    const earmarkFacts = earmarkFactsOf(need, implementer);
    const known = {
      offerLine: new Set(offer.lines.map(({ line }) => line)),
      needLine: new Set(need.lines.map(({ line }) => line)),
    };
    const pairs = legs.filter(
      ({ offerLine, needLine }) => known.offerLine.has(offerLine) && known.needLine.has(needLine),
    );
    const [fault] = earmarkReasons(offer, earmarkFacts, pairs);
    return {
      offer: {
        offerId,
        open: offer.status === 'open',
        providers: offer.providers,
        lines: offer.lines,
        conditions: offer.conditions,
      },
      need: {
        needId,
        open: need.status === 'open',
        ...(survivor === undefined ? {} : { supersededBy: survivor }),
        filer: need.filer,
        beneficiaries: need.beneficiaries,
        lines: need.lines,
      },
      earmarkFacts,
      ...(fault === undefined ? {} : { earmarkFault: fault.because }),
      unknownAgencies: [
        ...(proposal.implementer !== undefined && implementer === undefined ? [proposal.implementer] : []),
        ...(proposal.fiscalAgent !== undefined && fiscalAgent === undefined ? [proposal.fiscalAgent] : []),
      ],
    };
  }

  /** The need it was merged into, unless that one is hidden from the caller. */
  private async survivorOf(caller: Caller, { supersededBy }: NeedFacts): Promise<string | undefined> {
    return supersededBy !== undefined && (await this.needs.sight(supersededBy, caller)).summary
      ? supersededBy
      : undefined;
  }

  /** What an amendment is judged on. @throws {Problem} 403 where it names lines of a need or offer that the caller is not shown */
  async amendmentFacts(caller: Caller, state: CommitmentState, asked: AmendmentAsked): Promise<AmendmentFacts> {
    const { needId, offerId } = state;
    const [need, offer, sight, sees] = await Promise.all([
      this.needs.facts(needId),
      this.offers.facts(offerId),
      this.needs.sight(needId, caller),
      this.offers.sees(offerId, caller),
    ]);
    if (need === undefined || offer === undefined) throw notFound();
    const { legs = [] } = asked;
    const isBound = (line: 'offerLine' | 'needLine'): boolean =>
      legs.every((leg) => state.legs.some((known) => known[line] === leg[line]));
    // The lines it binds already were disclosed to it; a refusal that tells others apart would show them.
    if ((!sight.body && !isBound('needLine')) || (!sees && !isBound('offerLine'))) {
      throw forbidden('The lines of this need or offer are not shown to you, so you cannot draw on others of them.');
    }
    const named = [asked.implementer, asked.fiscalAgent].filter((party) => typeof party === 'string');
    const found = await Promise.all(named.map((party) => this.agencies.find(party)));
    return {
      offer: { lines: offer.lines },
      need: { lines: need.lines },
      unknownAgencies: named.filter((_, index) => found[index] === undefined),
    };
  }

  /** What the offer judges its earmark on once the open amendment is agreed. @throws {Problem} 404 */
  async amendedEarmarkFacts(state: CommitmentState): Promise<EarmarkFacts> {
    const { changes } = openAmendment(state) ?? {};
    const implementer = changes?.implementer === undefined ? state.implementer : (changes.implementer ?? undefined);
    const [need, agency] = await Promise.all([this.needs.facts(state.needId), this.agencies.find(implementer)]);
    if (need === undefined) throw notFound();
    return earmarkFactsOf(need, agency);
  }
}

const requireDesk = (caller: Caller, providers: readonly string[], recipients: readonly string[]): void => {
  const { party } = caller;
  if (givesThroughDesk(caller) || !providers.includes(party) || recipients.includes(party)) return;
  throw forbidden(`${party} draws on its own offer through its donor desk.`);
};
