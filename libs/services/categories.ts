import { contexts } from './contexts.js';

/** Every category of streams with the types of its events: each has topics of its own on Kafka. */
export const categories: readonly { readonly name: string; readonly types: readonly string[] }[] = contexts.flatMap(
  ({ streams }) => Object.entries(streams).map(([name, schemas]) => ({ name, types: Object.keys(schemas) })),
);
