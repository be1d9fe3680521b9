import type { EarmarkLevel, ImplementerType, InstrumentCode, Kind } from '#vocabulary';
import { periodsOverlap, stateOf, stateOfParty, stateParty } from '#vocabulary';

/** Which needs an offer may serve. An empty or absent part means any; parts that are present must all hold. */
export interface Earmark {
  /** State codes (alpha-3) or party ids. */
  readonly beneficiaries?: readonly string[];
  /** M49 codes. */
  readonly regions?: readonly string[];
  /** Network party ids. */
  readonly networks?: readonly string[];
  readonly instruments?: readonly InstrumentCode[];
  readonly kinds?: readonly Kind[];
  /** true: only needs with a trafficking nexus; false or absent: any. */
  readonly traffickingNexus?: boolean;
  readonly implementerTypes?: readonly ImplementerType[];
  readonly level?: EarmarkLevel;
}

/** What of an offer its earmark is judged with. */
export interface EarmarkedOffer {
  readonly earmark: Earmark;
  readonly lines: readonly { readonly line: number; readonly kinds: readonly Kind[] }[];
  readonly period?: { readonly from?: string; readonly to?: string };
}

/** The facts of a need, and of the commitment proposed for it, that an earmark is judged on. */
export interface EarmarkedNeed {
  /** Party ids. */
  readonly beneficiaries: readonly string[];
  /** Networks the beneficiaries belong to on the day. */
  readonly networks: readonly string[];
  /** Networks of each beneficiary on the day, where there are several. */
  readonly memberships?: Readonly<Record<string, readonly string[]>>;
  /** M49 codes that contain the beneficiaries. */
  readonly regions: readonly string[];
  readonly instruments: readonly InstrumentCode[];
  readonly traffickingNexus: boolean;
  readonly needPeriod?: { readonly from?: string; readonly to?: string };
  /** Kind of each need line, by line number. */
  readonly needLineKinds: Readonly<Record<string, Kind>>;
  /** Type of the implementer, where one is named. */
  readonly implementerType?: string;
}

/** Which need line an offer line is to serve. */
export interface LinePair {
  readonly offerLine: number;
  readonly needLine: number;
}

/** `implementer-type` is judged on the proposal; matching, which knows no implementer yet, treats it as a condition. */
export type EarmarkReasonCode =
  'beneficiary' | 'region' | 'network' | 'instrument' | 'kind' | 'trafficking-nexus' | 'implementer-type' | 'period';

/** Why an earmark does not admit a need; `because` is a sentence for people. */
export interface EarmarkReason {
  readonly code: EarmarkReasonCode;
  readonly because: string;
}

const WORLD = '001';

/** The part of an earmark that none of what is given meets; undefined where it is met or says nothing, which means any. */
const unmet = <Code extends string>(
  part: readonly Code[] | undefined,
  given: readonly string[],
): readonly Code[] | undefined =>
  part === undefined || part.length === 0 || part.some((code) => given.includes(code)) ? undefined : part;

/** Where there are several beneficiaries, each of them is to be within the part. */
const unmetByOne = <Code extends string>(
  part: readonly Code[] | undefined,
  each: readonly (readonly string[])[],
): readonly Code[] | undefined => each.map((given) => unmet(part, given)).find((codes) => codes !== undefined);

/** The regions of each beneficiary. A network or authority lies in none that we know. */
const regionsOf = ({ beneficiaries, regions }: EarmarkedNeed): readonly (readonly string[])[] =>
  beneficiaries.length < 2
    ? [[...regions, WORLD]]
    : beneficiaries.map((party) => [...(stateOf(stateOfParty(party) ?? '')?.regions ?? []), WORLD]);

/** The networks of each beneficiary, itself among them; of all together where nothing more was known. */
const networksOf = ({ beneficiaries, networks, memberships }: EarmarkedNeed): readonly (readonly string[])[] =>
  beneficiaries.length < 2 || memberships === undefined
    ? [[...networks, ...beneficiaries]]
    : beneficiaries.map((party) => [party, ...(memberships[party] ?? [])]);

/** True where the earmark's beneficiaries, given as State codes or party ids, hold this party. */
const namesParty = (listed: readonly string[], party: string): boolean =>
  listed.some((entry) => entry === party || stateParty(entry) === party);

/**
 * Every reason why an offer's earmark does not admit a need for these pairs of lines; none means that it does.
 * A need of several beneficiaries is admitted only where each is: money for one State is not for its neighbour.
 */
export const earmarkReasons = (
  offer: EarmarkedOffer,
  need: EarmarkedNeed,
  pairs: readonly LinePair[],
): readonly EarmarkReason[] => {
  const { earmark } = offer;
  const reasons: EarmarkReason[] = [];
  const because = (code: EarmarkReasonCode, sentence: string): void => {
    reasons.push({ code, because: sentence });
  };

  const { beneficiaries = [] } = earmark;
  const outside = need.beneficiaries.filter((party) => !namesParty(beneficiaries, party));
  if (beneficiaries.length > 0 && outside.length > 0) {
    because('beneficiary', `The offer is for ${beneficiaries.join(', ')} only, not for ${outside.join(', ')}.`);
  }
  const regions = unmetByOne(earmark.regions, regionsOf(need));
  if (regions !== undefined) because('region', `The offer is for the regions ${regions.join(', ')} only.`);
  const networks = unmetByOne(earmark.networks, networksOf(need));
  if (networks !== undefined) because('network', `The offer is for members of ${networks.join(', ')} only.`);
  const instruments = unmet(earmark.instruments, need.instruments);
  if (instruments !== undefined) {
    const named = need.instruments.join(', ') || 'no instrument';
    because('instrument', `The offer serves ${instruments.join(', ')}; the need names ${named}.`);
  }
  if (earmark.traffickingNexus === true && !need.traffickingNexus) {
    because('trafficking-nexus', 'The offer serves only needs with a trafficking nexus.');
  }
  // What a line of the offer gives guides matching only: money may pay for training where both sides say so.
  for (const { needLine } of pairs) {
    const given = [need.needLineKinds[String(needLine)] ?? 'no known kind'];
    const kinds = unmet(earmark.kinds, given);
    if (kinds !== undefined) {
      because('kind', `The offer is for ${kinds.join(', ')} only; line ${needLine} of the need is of ${given.join()}.`);
    }
  }
  const types = unmet(earmark.implementerTypes, [need.implementerType ?? '']);
  if (types !== undefined) {
    const named =
      need.implementerType === undefined ? 'none is named' : `the one named is of type ${need.implementerType}`;
    because('implementer-type', `The offer asks for an implementer of type ${types.join(', ')}; ${named}.`);
  }
  if (offer.period !== undefined && need.needPeriod !== undefined && !periodsOverlap(offer.period, need.needPeriod)) {
    because('period', `The periods of offer (${days(offer.period)}) and need (${days(need.needPeriod)}) share no day.`);
  }
  return reasons;
};

const days = ({ from, to }: { readonly from?: string; readonly to?: string }): string =>
  `${from ?? '…'} to ${to ?? '…'}`;
