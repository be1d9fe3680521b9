/**
 * A certificate is a text of lines, each canonical JSON (`canonicalJson` of the kernel, ASCII only, ended by a newline): a header, one
 * part after the other, and a seal. Figures are decimal strings of integers. It can be checked without a solver and without tolerances:
 * every number follows exactly from the model, the quantities and the duals, or is sealed by a hash.
 */
export const CERTIFICATE_FORMAT = 'pledgebook-allocation/1';
/** Characters of a piece of a certificate. */
export const CERTIFICATE_CHUNK = 192 * 1024;

/** Values are integers in units of 10^-30; duals and reduced costs are values for one minor unit, in the same units. */
export const VALUE_DIGITS = 30;
/** Shares are integers in units of 10^-12. */
export const SHARE_DIGITS = 12;
/** Weights and scores are integers in millionths. */
export const MICRO = 1_000_000;
/** A linear stage must reach its bound within a millionth of it. */
export const LINEAR_GAP = 1_000_000n;
/** Whole choices should reach it within a thousandth; where they do not, only the bound is proven. */
export const WHOLE_GAP = 1_000n;

export interface CertificateHeader {
  readonly record: 'header';
  readonly format: typeof CERTIFICATE_FORMAT;
  readonly objective: 'max-value' | 'max-min';
  readonly seed: number;
  readonly solver: {
    readonly name: string;
    readonly version: string;
    readonly options: Readonly<Record<string, string>>;
  };
}

/**
 * Lines, pairs and bounds of one part: all of it that the arithmetic stands on. The linear model follows from it by the rules in
 * `canonical-model.ts`; nothing else enters.
 */
export interface CanonicalPart {
  readonly measure: string;
  readonly needs: readonly {
    readonly needId: string;
    readonly line: number;
    readonly outstanding: string;
    /** Millionths. */
    readonly weight: number;
    readonly singleSource: boolean;
  }[];
  readonly offers: readonly {
    readonly offerId: string;
    readonly line: number;
    readonly available: string;
    /** "0" where there is none. */
    readonly minimumLot: string;
  }[];
  /** Pair k is of `need[k]` and `offer[k]`, places in the lists above, with `score[k]` millionths. */
  readonly arcs: {
    readonly need: readonly number[];
    readonly offer: readonly number[];
    readonly score: readonly number[];
  };
  /** At most `quantity` over the pairs of these offers (donor) or needs (kind), places in the lists above. */
  readonly budgets: readonly {
    readonly side: 'offer' | 'need';
    readonly of: string;
    readonly quantity: string;
    readonly members: readonly number[];
  }[];
  /** At least `quantity` over the pairs of these needs. */
  readonly floors: readonly { readonly of: string; readonly quantity: string; readonly members: readonly number[] }[];
}

/** What is claimed of one linear model of a part. */
export interface StageClaim {
  /** `share`: the greatest equal share; `value`: the greatest value. */
  readonly stage: 'share' | 'value';
  /** What every line gets at least, in units of `SHARE_DIGITS`; "0" but in the second stage of max-min. */
  readonly leastShare: string;
  /** Quantities are these divided by `denominator`: 1 in the stage of value, where they are whole minor units. */
  readonly denominator: string;
  /** Of each column of the model: quantities by pair, then choices (0 or 1), or the share. */
  readonly values: readonly string[];
  /** Of each row, none negative. By weak duality every such list proves a bound. */
  readonly duals: readonly string[];
  /** cost − Σ coefficient × dual, of each column. */
  readonly reducedCosts: readonly string[];
  readonly objective: string;
  /** What no solution of the relaxation can pass. */
  readonly bound: string;
  readonly gap: string;
  /** The gap allowed: of a linear stage, or of whole choices; null where it is more: then only the bound is proven. */
  readonly gapLimit: string | null;
  /** What the solver said of its own work; sealed, not verified. */
  readonly solver: {
    readonly status: string;
    readonly iterations: string;
    readonly nodes: string;
    /** Relative gap of branch and bound, as the solver states it. */
    readonly gap: string;
  };
}

export interface CertificatePart {
  readonly record: 'part';
  readonly part: number;
  readonly model: CanonicalPart;
  /** SHA-256 of the canonical JSON of `model`, hexadecimal. */
  readonly modelSha256: string;
  /** One stage under max-value, two under max-min. */
  readonly stages: readonly StageClaim[];
}

export interface CertificateSeal {
  readonly record: 'seal';
  readonly parts: number;
  /** Sums of the parts' last stages. */
  readonly objective: string;
  readonly bound: string;
  readonly gap: string;
  /** SHA-256 of all lines before this one, hexadecimal. */
  readonly sha256: string;
}
