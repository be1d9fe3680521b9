import { canonicalForm } from '#tlog';

/** What an event's data tell, as one text: a list that is empty tells nothing that data without it does not. */
export const told = (data: object): string =>
  canonicalForm(
    JSON.parse(
      JSON.stringify(data, (_name, field: unknown) => (Array.isArray(field) && field.length === 0 ? undefined : field)),
    ),
  );
