import type { Caller } from '#directory/contract';
import { isUuid } from '#kernel';
import { NeedReader } from '#needs/contract';
import { earmarkReasons, OfferReader } from '#offers/contract';
import { stateOfParty } from '#vocabulary';
import { forbidden, notFound } from '#web';
import { Injectable } from '@nestjs/common';
import { Agencies } from './agencies.js';
import type { EarmarkFacts } from './commitment.contract.js';
import type { ProposalFacts, ProposedLeg } from './commitment.js';

/** What a body proposes. */
export interface Proposal {
  readonly offerId: string;
  readonly needId: string;
  readonly legs: readonly ProposedLeg[];
  readonly implementer?: string;
  readonly fiscalAgent?: string;
}

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
    const [implementer, fiscalAgent] = await Promise.all([
      this.agencies.find(proposal.implementer),
      this.agencies.find(proposal.fiscalAgent),
    ]);
    const earmarkFacts: EarmarkFacts = {
      beneficiaries: need.beneficiaries,
      networks: need.networks,
      regions: need.regions,
      instruments: need.instruments,
      traffickingNexus: need.traffickingNexus,
      ...(need.period === undefined ? {} : { needPeriod: need.period }),
      needLineKinds: Object.fromEntries(need.lines.map(({ line, kind }) => [String(line), kind])),
      ...(implementer?.category === undefined ? {} : { implementerType: implementer.category }),
    };
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
}

/** A State that offers does so through its donor desk; its other offices never do (DOMAIN, roles table). */
const requireDesk = ({ party, roles }: Caller, providers: readonly string[], recipients: readonly string[]): void => {
  const isState = stateOfParty(party) !== undefined || party.startsWith('authority:');
  if (!isState || !providers.includes(party) || roles.includes('donor-desk') || recipients.includes(party)) return;
  throw forbidden(`${party} draws on its own offer through its donor desk.`);
};
