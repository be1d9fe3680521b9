import type { LineChange, NeedChanges } from '#needs/filing';
import type { OfferChanges } from '#offers/posting';
import type { Quantity } from '#vocabulary';
import { isDeterminate, isRival, quantityOf, sameMeasure } from '#vocabulary';
import type { IndexedNeed, IndexedOffer } from '../match-index.projection.js';
import type { NeedSide, OfferSide } from '../rules/sides.js';

// The rules change sides, where figures are what is left; people amend records, where they are what was asked or offered.

/** The amendment after which the rules see `after` where they saw `before`. @param year of the report that a need cites from now on */
export const needChangesOf = (doc: IndexedNeed, before: NeedSide, after: NeedSide, year: number): NeedChanges => {
  const { content, reserved } = doc;
  const cited = (after.reports ?? []).slice(before.reports?.length ?? 0);
  const lines = after.lines.map((line): LineChange => {
    const was = content.lines.find((each) => each.line === line.line);
    const unmoved = before.lines.includes(line);
    const quantity = unmoved
      ? was?.quantity
      : whole(line.quantity, line.outstanding, was?.quantity, reserved[line.line]);
    return { ...was, line: line.line, kind: line.kind, quantity: quantity ?? line.quantity };
  });
  return {
    ...(after.instruments === before.instruments ? {} : { instruments: after.instruments }),
    ...(after.traffickingNexus === before.traffickingNexus ? {} : { traffickingNexus: after.traffickingNexus }),
    ...(after.period === before.period || after.period === undefined ? {} : { period: after.period }),
    ...(after.languages === before.languages || after.languages === undefined ? {} : { languages: after.languages }),
    ...(cited.length === 0
      ? {}
      : { reportRefs: [...(content.reportRefs ?? []), ...cited.map((instrument) => ({ instrument, year }))] }),
    ...(after.lines === before.lines ? {} : { lines }),
  };
};

/** The amendment after which the rules see `after` where they saw `before`; that it is taken up again is no amendment. */
export const offerChangesOf = (doc: IndexedOffer, before: OfferSide, after: OfferSide): OfferChanges => {
  const { content, reserved } = doc;
  const lines = after.lines.map(({ line, kinds, capacity, available, minimumLot }) => {
    const was = content.lines.find((each) => each.line === line);
    const stood = before.lines.find((each) => each.line === line);
    const unmoved = was !== undefined && stood?.capacity === capacity && stood.available === available;
    const { minimumLot: lot, ...others } = was ?? { kinds, capacity };
    return {
      ...others,
      kinds,
      capacity: unmoved ? was.capacity : whole(capacity, available, was?.capacity, reserved[line]),
      ...(minimumLot === undefined || lot === undefined ? {} : { minimumLot: lot }),
    };
  });
  return {
    ...(after.earmark === before.earmark ? {} : { earmark: after.earmark }),
    ...(after.conditions === before.conditions ? {} : { conditions: after.conditions }),
    ...(after.period === before.period || after.period === undefined ? {} : { period: after.period }),
    ...(after.languages === before.languages || after.languages === undefined ? {} : { languages: after.languages }),
    ...(after.lines === before.lines ? {} : { lines }),
  };
};

/** What a line asks or offers in all where so much of it is left. */
const whole = (
  like: Quantity,
  left: bigint | 'unlimited',
  was: Quantity | undefined,
  reserved: string | undefined,
): Quantity => {
  if (left === 'unlimited' || !isDeterminate(like) || !isRival(like)) return like;
  const taken = was !== undefined && sameMeasure(was, like) ? BigInt(reserved ?? '0') : 0n;
  return quantityOf(like, taken + left);
};
