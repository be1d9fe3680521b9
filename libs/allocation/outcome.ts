/** So much of an offer line for a need line. */
export interface Pair {
  readonly needId: string;
  readonly needLine: number;
  readonly offerId: string;
  readonly offerLine: number;
  readonly measure: string;
  /** Minor units, above 0. */
  readonly quantity: bigint;
  readonly because: string;
}

/** What keeps a line from getting more. */
export type BindingCode =
  /** No pair with this line was admitted, or none of them could carry anything. */
  | 'no-offer'
  | 'offer-used-up'
  | 'budget'
  /** What could still be drawn is less than the offer's smallest lot, or the lot is more than the line asks. */
  | 'minimum-lot'
  /** The line takes one provider only. */
  | 'single-source'
  /** A floor, or the equal share, keeps what it could have had for others. */
  | 'floor'
  | 'fairness'
  /** The solver's limit was reached before this line's part was solved. */
  | 'limit'
  /** The floors of its part cannot be kept together. */
  | 'conflict'
  /** The solver could not solve its part. */
  | 'failed'
  /** The run ended before this line's part was solved. */
  | 'not-reached';

export interface Binding {
  readonly code: BindingCode;
  /** How many admitted offer lines it keeps back. */
  readonly offers: number;
  readonly because: string;
}

/** What stays outstanding of a need line. */
export interface Unmet {
  readonly needId: string;
  readonly needLine: number;
  readonly measure: string;
  /** Minor units, above 0. */
  readonly quantity: bigint;
  readonly binds: readonly Binding[];
  /** The bindings as one sentence. */
  readonly because: string;
}

/** What one more unit (a dollar, a person-day, a piece) of an offer line would add to the value at the margin, every other bound as it is. */
export interface Price {
  readonly offerId: string;
  readonly offerLine: number;
  readonly measure: string;
  /** Decimals: what one more unit would add … */
  readonly low: string;
  /** … and what one unit less would cost. Equal where there is one price; `unbounded` where a floor or the equal share could not be kept. */
  readonly high: string;
  /** `range`: low and high are the ends of all valid prices; `one-valid-price`: others may be as valid. */
  readonly basis: 'range' | 'one-valid-price';
  /** The prices hold for the lots and single providers that were chosen. */
  readonly givenTheLots: boolean;
  readonly because: string;
}

/** How a need line came out; only lines that an admitted offer could serve are counted. */
export interface ServedLine {
  readonly needId: string;
  readonly needLine: number;
  readonly measure: string;
  /** Minor units. */
  readonly outstanding: bigint;
  readonly served: bigint;
  /** served ÷ outstanding, a decimal cut to six places. */
  readonly share: string;
}

/** All lines of a State or region in one measure, those without an admitted offer too. */
export interface ServedGroup {
  readonly code: string;
  readonly measure: string;
  readonly lines: number;
  readonly outstanding: bigint;
  readonly served: bigint;
  readonly share: string;
}

/** The greatest share that every line of one part can get, and the least that one got. */
export interface EqualShare {
  readonly part: number;
  readonly measure: string;
  readonly lines: number;
  /** Of the relaxation, without lots and whole units: no allocation gives everybody more. Absent under `max-value`. */
  readonly possible?: string;
  readonly reached: string;
}

export interface Fairness {
  /** By part, the least first. */
  readonly equalShares: readonly EqualShare[];
  /** Least share first; at most 20. */
  readonly leastServed: readonly ServedLine[];
  /** Least share first. */
  readonly states: readonly ServedGroup[];
  readonly regions: readonly ServedGroup[];
}

/** Pairs of a need line that were not looked at, because better ones were. */
export interface LeftOut {
  readonly needId: string;
  readonly needLine: number;
  readonly offers: readonly { readonly offerId: string; readonly offerLine: number }[];
}

/** A floor as it was reckoned in one measure. */
export interface FloorReport {
  readonly of: string;
  readonly measure: string;
  readonly share: string;
  /** Minor units: of all lines, and how much of that the floor asks. */
  readonly outstanding: bigint;
  readonly asked: bigint;
}

/** A bound that cannot be kept together with the others named beside it. */
export interface Conflict {
  readonly kind: 'floor' | 'budget';
  /** State, region, donor or kind. */
  readonly of: string;
  readonly measure: string;
  /** Minor units: the least (floor) or most (budget) it asks. */
  readonly quantity: bigint;
  readonly because: string;
}

/** What was found, of all parts or of those solved so far. */
export interface Answer {
  /** Part by part; in a part in the order of the problem's pairs. */
  readonly pairs: readonly Pair[];
  readonly unmet: readonly Unmet[];
  readonly prices: readonly Price[];
  readonly fairness: Fairness;
  readonly leftOut: readonly LeftOut[];
  readonly floors: readonly FloorReport[];
  /** What holds of the whole answer and needs saying: floors that ask nothing, limits reached, gaps nobody verified. */
  readonly notes: readonly string[];
  /** Decimals: the value reached, and what no allocation can pass. */
  readonly value: string;
  readonly bound: string;
  /** The certificate in pieces of at most `CERTIFICATE_CHUNK` ASCII characters, to be joined without anything between. */
  readonly certificate: readonly string[];
  /** SHA-256 of the joined certificate, hexadecimal. */
  readonly certificateSha256: string;
}

/** How far a run is: parts solved of all, and pairs in them. */
export interface Progress {
  readonly parts: number;
  readonly ofParts: number;
  readonly arcs: number;
  readonly ofArcs: number;
}

/** How a run ended. Nothing is thrown for what a problem, the solver or a thread does. */
export type Outcome =
  | { readonly status: 'done'; readonly answer: Answer }
  /** A limit of the solver ended a part: its best allocation stands in the answer, or its lines stand unmet there. */
  | { readonly status: 'limit'; readonly because: string; readonly answer: Answer }
  /** Each list is irreducible: without any one of its members the rest could be kept. `answer`: the parts that have no conflict. */
  | {
      readonly status: 'infeasible';
      readonly because: string;
      readonly conflicts: readonly (readonly Conflict[])[];
      readonly answer: Answer;
    }
  /** `because` names the line or field at fault, or what happened to the solver. `answer`: the parts solved before. */
  | { readonly status: 'failed'; readonly because: string; readonly answer: Answer | undefined }
  | { readonly status: 'cancelled'; readonly answer: Answer | undefined };
