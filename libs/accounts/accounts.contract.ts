/** One published rate: units of `currency` for one unit of the base. */
export interface PublishedRate {
  /** ISO 4217; withdrawn ones included, as they were quoted. */
  readonly currency: string;
  /** Decimal text above 0, as published. */
  readonly rate: string;
}

/** Stream `rates-<source slug>-<year>`: what one source published for the days of one year. */
export type AccountsEvent = {
  readonly type: 'RatesRecorded';
  readonly data: {
    /** Slug, such as `ecb`. */
    readonly source: string;
    /** Where it was published, in words or as an address. */
    readonly reference: string;
    readonly base: string;
    /** The day the rates are of, YYYY-MM-DD. */
    readonly on: string;
    /** Only those that were not recorded before: a recorded one never changes. */
    readonly rates: readonly PublishedRate[];
  };
};
