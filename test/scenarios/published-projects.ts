import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Body, Client, Office } from './demo/client.js';
import { listIn, locationOf } from './demo/client.js';
import { COORDINATOR, officeOf } from './real-cases.js';

/** One side of a case: what its party files, and the published words it rests on. */
interface Side {
  readonly by: string;
  readonly rests: readonly { readonly row: string; readonly words: readonly string[] }[];
  readonly body: Body;
}

type Expected =
  | { readonly outcome: 'matched'; readonly coverage: readonly object[]; readonly says?: string }
  | { readonly outcome: 'blocked'; readonly codes: readonly string[] };

/** A need and an offer told by a project that took place, and what the rules must say of them. */
export interface ProjectCase {
  readonly case: string;
  readonly need: Side;
  readonly offer: Side;
  readonly expected: Expected;
  readonly because: string;
}

/** What the newest rules said. */
export type Answered =
  | { readonly outcome: 'matched'; readonly coverage: readonly object[]; readonly fit: string }
  | { readonly outcome: 'blocked'; readonly codes: readonly string[] };

export const projectCases = (folder: string): readonly ProjectCase[] =>
  JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as readonly ProjectCase[];

type Row = Readonly<Record<string, string>>;

/** The cells of every published row that a case may rest on, by its reference; items of a request by `reference/item`. */
export const publishedRows = (projects: string, assistance: string): ReadonlyMap<string, readonly string[]> => {
  const rows = (folder: string, file: string): readonly Row[] =>
    parse<Row>(readFileSync(join(folder, file)), { columns: true });
  return new Map([
    ...rows(assistance, 'commitments.csv').map((row) => [row.commitment_ref ?? '', Object.values(row)] as const),
    ...rows(assistance, 'offers.csv').map((row) => [row.offer_ref ?? '', Object.values(row)] as const),
    ...rows(assistance, 'needs.csv').map((row) => [`${row.need_ref}/${row.item_no}`, Object.values(row)] as const),
    ...rows(projects, 'activities.csv').map((row) => [row.activity ?? '', Object.values(row)] as const),
  ]);
};

/** Files both sides as their parties would, and asks what the rules say of them. */
export const answered = async (client: Client, { need, offer }: ProjectCase): Promise<Answered> => {
  const filer = officeOf(need.by);
  const path = locationOf(
    await client.create('/v1/needs', filer, { ...need.body, authorityRef: 'Note of the State on what is published' }),
  );
  await client.command(path, 'submit', filer, { consent: { circulate: true, publish: true } });
  await client.command(path, 'open', COORDINATOR);
  const posted = locationOf(
    await client.create('/v1/offers', deskOf(offer.by), { ...offer.body, visibility: 'members' }),
  );
  const offerId = posted.slice(posted.lastIndexOf('/') + 1);
  const { body } = await client.get(`${path}/matches?includeBlocked=true&limit=200`, COORDINATOR);
  const found = (name: string): Body | undefined => listIn(body, name).find((each) => each.offerId === offerId);
  const match = found('items');
  if (match !== undefined) {
    const fit = listIn(match, 'components').find(({ name }) => name === 'fit')?.because;
    return { outcome: 'matched', coverage: listIn(match, 'coverage'), fit: String(fit) };
  }
  const blocked = found('blocked');
  if (blocked === undefined) throw new Error(`the offer ${offerId} is neither matched nor blocked`);
  return { outcome: 'blocked', codes: listIn(blocked, 'reasons').map(({ code }) => String(code)) };
};

/** A State that gives to another does so by a desk. */
const deskOf = (party: string): Office =>
  party.startsWith('state:') ? { party, role: 'donor-desk' } : officeOf(party);

/** What the README says of a case: its name, the rows it rests on, the answer, why. */
export const rowOfReadme = ({ case: name, need, offer, because }: ProjectCase, answer: Answered): readonly string[] => [
  name,
  [...new Set([...need.rests, ...offer.rests].map(({ row }) => row))].join(', '),
  answer.outcome === 'matched'
    ? `matched: ${answer.coverage.length === 0 ? 'in words' : plural(answer.coverage.length, 'line')}`
    : `blocked: ${answer.codes.map((code) => `\`${code}\``).join(' ')}`,
  because,
];

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
