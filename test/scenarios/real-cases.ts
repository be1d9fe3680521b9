import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Role } from '#vocabulary';
import { measureKey, parseQuantity } from '#vocabulary';
import type { Case } from './demo/cases.js';
import { readCases } from './demo/cases.js';
import type { Body, Client, Office } from './demo/client.js';
import { listIn, locationOf, textIn, UnexpectedAnswerError } from './demo/client.js';

/** How a row of the case files is held once its parties act, as `how-held.csv` says it. */
export interface HowHeld {
  readonly file: string;
  readonly row: string;
  readonly reportedAs: string;
  readonly claimedAs: string;
  readonly by: readonly string[];
  readonly for: readonly string[];
  readonly host: string;
  readonly agency: string;
  /** As written; commitments have several, apart by `|`. */
  readonly lines: string;
  readonly reached: string;
  readonly partOf: string;
  readonly partyAdds: readonly string[];
  readonly inWords: string;
  readonly cannot: string;
}

type Row = Readonly<Record<string, string>>;

const words = (row: Row, column: string): string => {
  const value = row[column];
  if (value === undefined) throw new Error(`how-held.csv has no column ${column}`);
  return value;
};
const several = (text: string, by: RegExp): readonly string[] => text.split(by).filter((each) => each !== '');

export const readHowHeld = (folder: string): readonly HowHeld[] =>
  parse<Row>(readFileSync(join(folder, 'how-held.csv')), { columns: true }).map((row) => ({
    file: words(row, 'file'),
    row: words(row, 'row'),
    reportedAs: words(row, 'reported_as'),
    claimedAs: words(row, 'claimed_as'),
    by: several(words(row, 'by'), /\+/),
    for: several(words(row, 'for'), /\+/),
    host: words(row, 'host'),
    agency: words(row, 'agency'),
    lines: words(row, 'lines'),
    reached: words(row, 'reached'),
    partOf: words(row, 'part_of'),
    partyAdds: several(words(row, 'party_adds'), / /),
    inWords: words(row, 'in_words'),
    cannot: words(row, 'cannot'),
  }));

/** A line as the table writes it: `stockpile-management 2 site`, `training access 1 > scope`, `legal undetermined`. */
interface Line {
  readonly kind: string;
  readonly quantity: Body;
  /** The offer's measure says nothing of what the State gets: it is credited in words. */
  readonly scope: boolean;
}

const QUALIFIERS = ['about', 'at-least', 'at-most'];

const quantityOf = (text: string): Body => {
  const [first = '', second, third] = text.split(' ');
  const qualifier = QUALIFIERS.includes(third ?? '') ? { qualifier: third } : {};
  if (first === 'undetermined') return { measure: 'undetermined', why: 'not-stated' };
  if (first === 'access') return { measure: 'access', amount: second };
  if (/^[A-Z]{3}$/.test(first)) return { measure: 'money', currency: first, amount: second, ...qualifier };
  return second === 'seats'
    ? { measure: 'seats', amount: first, ...qualifier }
    : { measure: 'items', unit: second, amount: first, ...qualifier };
};

export const linesOf = (text: string): readonly Line[] =>
  text.split(' | ').map((each) => {
    const [drawn = '', scope] = each.split(' > ');
    // A contribution is money and no more; every other line is of a kind of assistance.
    const [, kind = '', quantity = ''] = /^([a-z-]+) (.+)$/.exec(drawn) ?? ['', '', drawn];
    return { kind, quantity: quantityOf(quantity), scope: scope === 'scope' };
  });

/** The quantity in its canonical form: what is sent and what is answered compare equal. */
export const same = (sent: unknown, answered: unknown): boolean => {
  const [a, b] = [parseQuantity(sent), parseQuantity(answered)];
  return (
    a.ok && b.ok && measureKey(a.value) === measureKey(b.value) && JSON.stringify(a.value) === JSON.stringify(b.value)
  );
};

const ROLES: Readonly<Record<string, Role>> = {
  state: 'npc',
  donor: 'donor-desk',
  fund: 'donor-desk',
  agency: 'implementer',
  network: 'network-host',
};
const CATEGORIES: Readonly<Record<string, string>> = {
  donor: 'bilateral',
  fund: 'fund',
  agency: 'un-entity',
  network: 'regional',
};
/** The States of donor desks, by the slug of the desk. What is no State (the European Union) has none. */
const STATES_OF_DESKS: Readonly<Record<string, string>> = {
  andorra: 'AND',
  australia: 'AUS',
  austria: 'AUT',
  canada: 'CAN',
  finland: 'FIN',
  france: 'FRA',
  germany: 'DEU',
  netherlands: 'NLD',
  norway: 'NOR',
  slovenia: 'SVN',
  sweden: 'SWE',
  switzerland: 'CHE',
  turkey: 'TUR',
  'united-kingdom': 'GBR',
  'united-states': 'USA',
};

/** The code of the State that a party stands for: a State's own, or that of its desk. */
export const codeOf = (party: string): string | undefined => {
  const [kind, slug = ''] = party.split(':');
  return kind === 'state' ? slug : STATES_OF_DESKS[slug];
};

const kindOf = (party: string): string => party.split(':')[0] ?? '';
export const officeOf = (party: string): Office => ({ party, role: ROLES[kindOf(party)] ?? 'npc' });

export const COORDINATOR: Office = { party: 'agency:secretariat', role: 'coordinator' };

/** Registers every party of the table that is not known yet, and the networks with the States that they host needs of. */
export const registerParties = async (
  client: Client,
  held: readonly HowHeld[],
  known: ReadonlySet<string> = new Set(),
): Promise<void> => {
  const parties = new Set(held.flatMap((each) => [...each.by, ...each.for, each.host, each.agency]));
  for (const { host, for: beneficiaries } of held)
    if (host !== '') for (const party of beneficiaries) parties.add(party);
  for (const id of parties) {
    const [kind = '', slug = ''] = id.split(':');
    if (id === '' || kind === 'state' || known.has(id)) continue;
    const members = new Set(held.flatMap((each) => (each.host === id ? each.for : [])).filter((each) => each !== id));
    const ofState = kind === 'donor' ? STATES_OF_DESKS[slug] : undefined;
    await client.create('/v1/parties', COORDINATOR, {
      id,
      name: slug,
      category: CATEGORIES[kind],
      ...(ofState === undefined ? {} : { ofState }),
      ...(kind === 'network' ? { members: [...members].map((party) => ({ party, as: 'member' })) } : {}),
    });
  }
};

/** A row with what is published of it, and how it is held. */
export interface HeldCase {
  readonly published: Case;
  readonly held: HowHeld;
}

export const heldCases = (folder: string): readonly HeldCase[] => {
  const held = new Map(readHowHeld(folder).map((each) => [each.row, each]));
  return readCases(folder).map((published) => {
    const how = held.get(published.key);
    if (how === undefined) throw new Error(`how-held.csv does not name ${published.key}`);
    return { published, held: how };
  });
};

type Refs = readonly (string | { readonly name: string })[];

/** Published words for which the coordinator knows whom they mean become party ids; the words stay beside them. */
const resolved = ({ published, held }: HeldCase): Body => {
  const { body } = published;
  const donors = (body.donors ?? []) as Refs;
  const beneficiaries = (body.beneficiaries ?? []) as Refs;
  const { implementers = [], ...what } = (body.what ?? {}) as { readonly implementers?: Refs };
  const inWords = (refs: Refs): readonly string[] => refs.flatMap((ref) => (typeof ref === 'string' ? [] : [ref.name]));
  const given = [...inWords(donors), ...inWords(beneficiaries), ...inWords(implementers)];
  const known = (refs: Refs, ids: readonly string[]): Refs => (inWords(refs).length > 0 && ids.length > 0 ? ids : refs);
  const isNeed = body.kind === 'need';
  return {
    ...body,
    donors: isNeed ? donors : known(donors, held.by),
    beneficiaries:
      held.claimedAs === 'none'
        ? beneficiaries
        : known(
            beneficiaries,
            held.for.filter((party) => kindOf(party) !== 'fund'),
          ),
    what: {
      ...what,
      ...(implementers.length === 0
        ? {}
        : { implementers: known(implementers, held.agency === '' ? [] : [held.agency]) }),
    },
    description: [body.description, ...(given.length === 0 ? [] : [`Named as published: ${given.join('; ')}`])].join(
      '\n',
    ),
  };
};

/** Writes down every row as a reported record; answers their paths by row. */
export const reportAll = async (client: Client, cases: readonly HeldCase[]): Promise<ReadonlyMap<string, string>> => {
  const paths = new Map<string, string>();
  const parents = new Set(cases.map(({ published }) => published.partOf));
  const isParent = ({ published: { ref } }: HeldCase): boolean => parents.has(ref);
  for (const each of [...cases.filter(isParent), ...cases.filter((one) => !isParent(one))]) {
    const { partOf } = each.published;
    const parent = partOf === undefined ? undefined : idIn(paths, partOf);
    const body = { ...resolved(each), ...(parent === undefined ? {} : { partOf: parent }) };
    paths.set(each.published.key, locationOf(await client.create('/v1/reported', COORDINATOR, body)));
  }
  return paths;
};

const idIn = (paths: ReadonlyMap<string, string>, row: string): string => {
  const path = paths.get(row);
  if (path === undefined) throw new Error(`${row} is not there yet`);
  return path.slice(path.lastIndexOf('/') + 1);
};

/** What became of a row when its parties acted. */
export interface Played {
  readonly reached: string;
  /** The record that stands for it; absent where only the claim does. */
  readonly path?: string;
  readonly record?: Body;
}

/** Plays what the table says of each row, and answers what came of it. */
export class Player {
  private readonly paths = new Map<string, string>();

  constructor(
    private readonly client: Client,
    private readonly reported: ReadonlyMap<string, string>,
  ) {}

  async play(each: HeldCase): Promise<Played> {
    const played = await this.byKind(each);
    if (played.path !== undefined) this.paths.set(each.published.key, played.path);
    return played;
  }

  private byKind(each: HeldCase): Promise<Played> {
    switch (each.held.claimedAs) {
      case 'need':
        return this.need(each);
      case 'joint need':
        return this.jointNeed(each);
      case 'offer':
        return this.offer(each);
      case 'draft offer':
        return this.draftOffer(each);
      case 'call':
        return this.call(each);
      case 'contribution':
        return this.contribution(each);
      case 'commitment':
        return this.commitment(each);
      case 'claim only':
        return this.claimOnly(each);
      default:
        return Promise.resolve({ reached: '' });
    }
  }

  private reportedPath({ published: { key } }: HeldCase): string {
    const path = this.reported.get(key);
    if (path === undefined) throw new Error(`${key} was not reported`);
    return path;
  }

  /** The State claims what is published of it, adds what only it can say, and files. */
  private async need(each: HeldCase): Promise<Played> {
    const [party = ''] = each.held.by;
    const office = officeOf(party);
    const claimed = await this.client.command(this.reportedPath(each), 'claim', office);
    const path = locationOf(claimed);
    await this.client.command(path, 'amend', office, this.added(each));
    return this.opened(path, [office]);
  }

  private added({ published, held: { partyAdds } }: HeldCase): Body {
    return {
      ...(partyAdds.includes('authorityRef') ? { authorityRef: `Note of the State on ${published.ref}` } : {}),
      ...(partyAdds.includes('instrument') ? { instruments: ['UNPoA'] } : {}),
    };
  }

  /** The host files for its members; each State consents before it is listed and counted. */
  private async jointNeed(each: HeldCase): Promise<Played> {
    const { published, held } = each;
    const { title, kinds, instruments, description } = published.body;
    const filed = await this.client.create('/v1/needs', officeOf(held.host), {
      title,
      kinds,
      instruments,
      problem: description,
      lines: linesOf(held.lines).map(({ kind, quantity }) => ({ kind, quantity, description: title })),
      beneficiaries: held.for,
      ...this.added(each),
    });
    return this.opened(locationOf(filed), [officeOf(held.host)], held.for);
  }

  private async opened(
    path: string,
    [filer = COORDINATOR]: readonly Office[],
    consenting: readonly string[] = [],
  ): Promise<Played> {
    for (const party of consenting) {
      if (party !== filer.party) await this.client.command(path, 'consent-participation', officeOf(party));
    }
    await this.client.command(path, 'submit', filer, { consent: { circulate: true, publish: true } });
    const { body } = await this.client.command(path, 'open', COORDINATOR);
    return { reached: textIn(body, 'status'), path, record: (await this.client.get(path, filer)).body };
  }

  /** The lead donor claims, names the others and what is given, and posts. */
  private async offer(each: HeldCase): Promise<Played> {
    const { held } = each;
    const [lead = ''] = held.by;
    const path = locationOf(await this.client.command(this.reportedPath(each), 'claim', officeOf(lead)));
    await this.client.command(path, 'amend', officeOf(lead), {
      ...(held.by.length > 1 ? { providers: held.by.map((party) => ({ party })) } : {}),
      lines: linesOf(held.lines).map(({ kind, quantity }) => ({ kinds: [kind], capacity: quantity })),
      earmark: { level: 'geographic', beneficiaries: held.for },
    });
    const { body } = await this.client.command(path, 'post', officeOf(lead));
    return { reached: textIn(body, 'status'), path, record: body };
  }

  /** Claimed, and as far as it goes: what is given is nobody's to guess. */
  private async draftOffer(each: HeldCase): Promise<Played> {
    const [lead = ''] = each.held.by;
    const path = locationOf(await this.client.command(this.reportedPath(each), 'claim', officeOf(lead)));
    const posted = await this.client.command(path, 'post', officeOf(lead)).catch((error: unknown) => error);
    if (!(posted instanceof UnexpectedAnswerError)) throw new Error('an offer without a capacity was posted');
    const { body } = await this.client.get(path, officeOf(lead));
    return { reached: textIn(body, 'status'), path, record: body };
  }

  private async book(fund: string, currency: string): Promise<void> {
    await this.client.create('/v1/funds', COORDINATOR, {
      fund,
      decidingBody: { name: 'Committee', members: [] },
      currency,
      windows: [],
      feeRates: [],
      capacityBasis: 'received',
      periods: [{ from: '2020-01-01', to: '2026-12-31' }],
    });
  }

  private async call(each: HeldCase): Promise<Played> {
    const [fund = ''] = each.held.by;
    await this.book(fund, 'USD');
    const { body, location } = await this.client.create('/v1/calls', officeOf(fund), {
      fund,
      title: each.published.body.title,
      opens: '2027-01-01',
      closes: '2027-03-31',
      criteria: [{ code: 'treaty', text: 'Advances the Treaty or the Programme of Action' }],
    });
    return { reached: textIn(body, 'status'), ...(location === undefined ? {} : { path: location }), record: body };
  }

  private booked = false;
  private async contribution(each: HeldCase): Promise<Played> {
    const { held } = each;
    const [[donor = ''], [fund = '']] = [held.by, held.for];
    if (!this.booked) await this.book(fund, 'USD');
    this.booked = true;
    await this.client.command(this.reportedPath(each), 'claim', officeOf(donor));
    const path = locationOf(
      await this.client.create('/v1/contributions', officeOf(donor), { fund, amount: quantityOf(held.lines) }),
    );
    if (held.reached === 'signed') await this.client.command(path, 'sign', officeOf(donor));
    const { body } = await this.client.get(path, officeOf(donor));
    return { reached: textIn(body, 'status'), path, record: body };
  }

  /** Each party that is named says that the fact is its own; nothing more can be said for it. */
  private async claimOnly(each: HeldCase): Promise<Played> {
    const path = this.reportedPath(each);
    for (const party of each.held.by) await this.client.command(path, 'claim', officeOf(party));
    const { body } = await this.client.get(path);
    const claimedBy = listIn(body, 'claimedBy').map(({ party }) => party);
    return { reached: each.held.by.every((party) => claimedBy.includes(party)) ? 'claimed' : '', record: body };
  }

  /** Need, offer, proposal, acceptance, every signature; delivered as far as the published words say, confirmed by nobody. */
  private async commitment(each: HeldCase): Promise<Played> {
    const { published, held } = each;
    const lines = linesOf(held.lines);
    const [provider = ''] = held.by;
    const [first = ''] = held.for;
    const filer = officeOf(held.host === '' ? first : held.host);
    const { title } = published.body;
    const need = await this.client.create('/v1/needs', filer, {
      title,
      kinds: [...new Set(lines.map(({ kind }) => kind))],
      instruments: ['UNPoA'],
      lines: lines.map(({ kind, quantity, scope }) => ({
        kind,
        description: title,
        quantity: scope ? { measure: 'undetermined', why: 'not-stated' } : quantity,
      })),
      beneficiaries: held.for,
      authorityRef: `Note of the State on ${published.ref}`,
    });
    const others = held.for.filter((party) => party !== filer.party);
    const { path: needPath = '' } = await this.opened(locationOf(need), [filer], others);
    const offer = await this.client.create('/v1/offers', officeOf(provider), {
      title,
      ...(held.by.length > 1 ? { providers: held.by.map((party) => ({ party })) } : {}),
      lines: lines.map(({ kind, quantity }) => ({ kinds: [kind], description: title, capacity: quantity })),
      visibility: 'members',
    });
    const proposed = await this.client.create(
      '/v1/commitments',
      officeOf(provider),
      {
        offerId: idOf(locationOf(offer)),
        needId: idOf(needPath),
        legs: lines.map(({ quantity, scope }, index) => ({
          offerLine: index + 1,
          needLine: index + 1,
          drawn: quantity,
          ...(scope ? { credited: { scope: title } } : {}),
        })),
        ...(held.agency === '' ? {} : { implementer: held.agency }),
        ...this.parent(held),
      },
      { prefer: 'wait=10' },
    );
    const path = locationOf(proposed);
    await this.client.command(path, 'accept', filer, {}, { prefer: 'wait=10' });
    if (held.agency !== '') await this.client.command(path, 'consent-task', officeOf(held.agency));
    for (const signatory of (await this.client.get(path, officeOf(provider))).body.signatories as readonly string[]) {
      await this.client.command(path, 'sign', officeOf(signatory));
    }
    if (held.reached === 'delivered') await this.delivered(path, each, lines);
    const { body } = await this.client.get(path, officeOf(provider));
    return { reached: textIn(body, 'status'), path, record: body };
  }

  private parent({ partOf }: HowHeld): Body {
    if (partOf === '') return {};
    const path = this.paths.get(partOf) ?? this.reported.get(partOf);
    if (path === undefined) throw new Error(`${partOf} is not there yet`);
    return { partOf: idOf(path) };
  }

  private async delivered(path: string, { published, held }: HeldCase, lines: readonly Line[]): Promise<void> {
    const { to } = (published.body.dates ?? {}) as { readonly to?: string };
    const date = to !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(to) ? to : '2026-11-22';
    const deliverer = officeOf(held.agency === '' ? (held.by[0] ?? '') : held.agency);
    for (const [index, { quantity }] of lines.entries()) {
      await this.client.command(path, 'deliveries', deliverer, { leg: index + 1, quantity, date });
    }
  }
}

const idOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
