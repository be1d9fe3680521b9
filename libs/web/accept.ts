/** True where `Accept` names this media type itself, not a range that it lies in. */
export const asksFor = (accept: string | undefined, mediaType: string): boolean =>
  accept?.split(',').some((range) => range.trim().split(';')[0] === mediaType) ?? false;
