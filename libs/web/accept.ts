/** True where `Accept` names this media type itself, in whatever case, and does not refuse it with `q=0`; not a range that it lies in. */
export const asksFor = (accept: string | undefined, mediaType: string): boolean =>
  accept?.split(',').some((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return type === mediaType && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  }) ?? false;
