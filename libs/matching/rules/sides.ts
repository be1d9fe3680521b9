import type { Earmark, OfferCondition } from '#offers/contract';
import type { InstrumentCode, Kind, Quantity, Urgency } from '#vocabulary';

/** Inclusive UTC days; an absent bound is open. */
export interface Span {
  readonly from?: string;
  readonly to?: string;
}

/** A line of a need. Figures are minor units of the line's own measure. */
export interface AskedLine {
  readonly line: number;
  readonly kind: Kind;
  readonly quantity: Quantity;
  /** asked − accepted − binding; 0n for an undetermined line. */
  readonly outstanding: bigint;
  /** Something of it is accepted or binding: it keeps its measure. */
  readonly inUse?: boolean;
}

/** A need as the rules see it. */
export interface NeedSide {
  readonly id: string;
  readonly beneficiaries: readonly string[];
  /** Alpha-3 codes of the sovereigns on the need's side. */
  readonly sovereigns: readonly string[];
  readonly networks: readonly string[];
  /** Networks of each beneficiary. */
  readonly memberships?: Readonly<Record<string, readonly string[]>>;
  readonly regions: readonly string[];
  readonly kinds: readonly Kind[];
  readonly instruments: readonly InstrumentCode[];
  readonly traffickingNexus: boolean;
  readonly urgency: Urgency;
  /** Within the State, 1 the most urgent. */
  readonly rank?: number;
  readonly period?: Span;
  readonly languages?: readonly string[];
  /** Instruments that the need cites a national report under. */
  readonly reports?: readonly InstrumentCode[];
  /** The State says what it contributes itself. */
  readonly contributes?: boolean;
  /** Day by which the State is to reaffirm the need. */
  readonly reaffirmBy?: string;
  readonly lines: readonly AskedLine[];
}

/** A line of an offer. Figures are minor units of the line's own measure. */
export interface OfferedLine {
  readonly line: number;
  readonly kinds: readonly Kind[];
  readonly capacity: Quantity;
  /** capacity − held − committed. */
  readonly available: bigint | 'unlimited';
  /** Something of it is held or committed: it keeps its measure. */
  readonly inUse?: boolean;
  /** The least that one commitment may draw. */
  readonly minimumLot?: bigint;
}

/** An offer as the rules see it. */
export interface OfferSide {
  readonly id: string;
  readonly provider: string;
  /** Of each provider; undefined where one belongs to no State. */
  readonly sovereigns: readonly (string | undefined)[];
  readonly suspended: boolean;
  readonly earmark: Earmark;
  readonly conditions: readonly OfferCondition[];
  readonly period?: Span;
  readonly languages?: readonly string[];
  readonly lines: readonly OfferedLine[];
}

/** What lies outside the two records: the day, and whether each side may see the other's record. */
export interface Circumstances {
  readonly now: string;
  readonly providerSeesNeed: boolean;
  readonly recipientSeesOffer: boolean;
  /** What the earmark says against the need's beneficiaries, regions, networks or nexus; empty where it admits it. */
  readonly earmarkReasons: readonly string[];
  /** Binding commitments between providers and beneficiaries that whoever asks may see. */
  readonly priorWork?: number;
}

/** A need and an offer, and what lies outside them. */
export interface Pairing {
  readonly need: NeedSide;
  readonly offer: OfferSide;
  readonly circumstances: Circumstances;
}

export type BlockCode =
  | 'offer-not-open'
  | 'same-side'
  | 'kind'
  | 'instrument'
  | 'earmark'
  | 'beneficiary'
  | 'region'
  | 'network'
  | 'trafficking-nexus'
  | 'period'
  | 'language'
  | 'national-report'
  | 'measure'
  | 'visibility'
  | 'capacity'
  | 'below-minimum-lot'
  | 'outstanding';

/** What a rule looks at on one side: fields of the record as its own `GET` shows them. */
export type Facts = Readonly<Record<string, unknown>>;

export interface Block {
  readonly code: BlockCode;
  readonly because: string;
  /** What would lift the block, in words; of rulesets that know no smallest change. */
  readonly change?: string;
  readonly need?: Facts;
  readonly offer?: Facts;
}

export interface Component {
  readonly name: string;
  readonly weight: number;
  /** 0..1. */
  readonly value: number;
  readonly because: string;
}

/** How much of which line a pairing could serve now. */
export interface Served {
  readonly needLine: number;
  readonly offerLine: number;
  readonly quantity: Quantity;
}

export type Judgement =
  | {
      readonly kind: 'match';
      /** Σ weight × value, unrounded. */
      readonly score: number;
      readonly components: readonly Component[];
      readonly coverage: readonly Served[];
    }
  | { readonly kind: 'blocked'; readonly blocks: readonly Block[] };

/** Highest score first; equal scores by id, so that the order never depends on the order of the inputs. */
export const byRank = (
  a: { readonly id: string; readonly score: number },
  b: { readonly id: string; readonly score: number },
): number => b.score - a.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** Parts of a score that it is told by where there is room for a sentence only. */
const TOLD = 2;

/** A score with the parts that make the most of it. */
export const reasonOf = (score: number, components: readonly Component[]): string => {
  const most = [...components].sort((a, b) => b.weight * b.value - a.weight * a.value).slice(0, TOLD);
  return [`score ${score.toFixed(2)}`, ...most.map(({ because }) => because)].join('; ');
};
