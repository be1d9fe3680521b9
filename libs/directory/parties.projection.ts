import type { Projection, ReadQueries, ReadTransaction, RecordedEvent, SqlRow } from '#kernel';
import { categoryOfStream, idOfStream } from '#kernel';
import type { Membership } from '#vocabulary';
import { membershipHolds, organisationOf, ORGANISATIONS } from '#vocabulary';
import { counts, Networks } from './networks.js';
import type { NetworkMember, PartyEvent } from './party.contract.js';
import type { PartyState } from './party.js';
import { partyDecider } from './party.js';
import { subjectDecider } from './subjects/subject.js';

export const PARTIES = 'parties';

interface Touched {
  readonly seq: number | bigint;
  revision: number;
  state: PartyState;
}

class Batch {
  private readonly touched = new Map<string, Touched>();

  constructor(private readonly tx: ReadTransaction) {}

  apply(event: RecordedEvent): void {
    const id = idOfStream(event.stream);
    if (categoryOfStream(event.stream) === subjectDecider.category) {
      this.tx.run('INSERT OR IGNORE INTO erased (subject) VALUES (?)', id);
      return;
    }
    const before = this.touched.get(id) ?? this.stored(id);
    const state = partyDecider.evolve(before?.state ?? partyDecider.initial, event as RecordedEvent<PartyEvent>);
    this.touched.set(id, { seq: before?.seq ?? event.position, revision: event.revision, state });
    this.number(id, event);
  }

  flush(): void {
    for (const [id, touched] of this.touched) this.write(id, touched);
  }

  private stored(id: string): Touched | undefined {
    const row = this.tx.get('SELECT seq, revision, state FROM party WHERE id = ?', id);
    if (row === undefined) return undefined;
    return {
      seq: row.seq as number,
      revision: row.revision as number,
      state: JSON.parse(row.state as string) as PartyState,
    };
  }

  /** Designations and mandates are listed in the order in which they were recorded, however many events a batch has. */
  private number(party: string, { position, ...event }: RecordedEvent): void {
    // The event's type and data belong together; the envelope's type lost that.
    const fact = event as unknown as PartyEvent;
    if (fact.type === 'DesignationRecorded') this.paper(position, fact.data.designation, 'designation', party, party);
    if (fact.type === 'MandateGiven') this.paper(position, fact.data.mandate, 'mandate', party, fact.data.appointedBy);
  }

  private paper(n: bigint, id: string, kind: 'designation' | 'mandate', party: string, owner: string): void {
    this.tx.run(
      'INSERT OR IGNORE INTO paper (n, id, kind, party, owner) VALUES (?, ?, ?, ?, ?)',
      ...[n, id, kind, party, owner],
    );
  }

  private write(id: string, { seq, revision, state }: Touched): void {
    const { content, retired, designations } = state;
    this.tx.run(
      `INSERT OR REPLACE INTO party (seq, id, revision, registered, retired, name, category, of_state, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      seq,
      id,
      revision,
      content === undefined ? 0 : 1,
      retired ? 1 : 0,
      content?.name ?? '',
      content?.category ?? '',
      content?.ofState ?? (id.startsWith('state:') ? id.slice('state:'.length) : ''),
      JSON.stringify(state),
    );
    this.tx.run('DELETE FROM party_words WHERE rowid = ?', seq);
    this.tx.run('INSERT INTO party_words (rowid, words) VALUES (?, ?)', seq, content?.name ?? '');
    this.tx.run('DELETE FROM member WHERE network = ?', id);
    for (const member of content?.members ?? []) {
      this.tx.run(
        'INSERT INTO member (network, party, "as", since, until) VALUES (?, ?, ?, ?, ?)',
        id,
        member.party,
        member.as,
        member.from ?? null,
        member.to ?? null,
      );
    }
    for (const { holder } of designations) {
      this.tx.run('INSERT OR IGNORE INTO holding (subject, party) VALUES (?, ?)', holder, id);
    }
  }
}

/** Answers: which parties are there, who belongs to which network, in whose record a designation or mandate stands, who holds any, and who was erased. */
export const partiesProjection: Projection = {
  name: PARTIES,
  version: 2,
  handles: [...Object.keys(partyDecider.schemas), ...Object.keys(subjectDecider.schemas)],
  schema: `
    CREATE TABLE party (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      revision INTEGER NOT NULL,
      registered INTEGER NOT NULL,
      retired INTEGER NOT NULL,
      name TEXT NOT NULL,
      category TEXT NOT NULL,
      of_state TEXT NOT NULL,
      state TEXT NOT NULL
    );
    CREATE INDEX party_by_state ON party (of_state);
    CREATE VIRTUAL TABLE party_words USING fts5 (words, tokenize = 'unicode61 remove_diacritics 2');
    CREATE TABLE member (network TEXT NOT NULL, party TEXT NOT NULL, "as" TEXT NOT NULL, since TEXT, until TEXT);
    CREATE INDEX member_by_network ON member (network);
    CREATE INDEX member_by_party ON member (party);
    CREATE TABLE paper (
      n INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL,
      party TEXT NOT NULL,
      owner TEXT NOT NULL
    );
    CREATE INDEX paper_by_party ON paper (kind, party);
    CREATE TABLE holding (subject TEXT NOT NULL, party TEXT NOT NULL, PRIMARY KEY (subject, party)) WITHOUT ROWID;
    CREATE TABLE erased (subject TEXT PRIMARY KEY) WITHOUT ROWID;
  `,
  begin: (tx) => new Batch(tx),
};

const isNow = (on: string, { from, to }: { readonly from?: string; readonly to?: string }): boolean =>
  membershipHolds({ ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }, on);

/** Networks as the parties' register has them; where a network is not registered, or names no members, the reference table counts. */
export class RegisteredNetworks extends Networks {
  constructor(private readonly reads: () => ReadQueries) {
    super();
  }

  override membersOf(network: string, on: string): readonly NetworkMember[] {
    const rows = this.reads().all('SELECT party, "as", since, until FROM member WHERE network = ?', network);
    const members: readonly (NetworkMember | Membership)[] =
      rows.length > 0 ? rows.map(memberOf) : (organisationOf(network)?.members ?? []);
    return members.filter((member) => isNow(on, member));
  }

  override networksOf(party: string, on: string): readonly string[] {
    // Asked for every command on a commitment: only what is known of this party is looked at.
    const registered = this.reads().all('SELECT network, party, "as", since, until FROM member WHERE party = ?', party);
    const named = new Set(
      this.reads()
        .all('SELECT DISTINCT network FROM member')
        .map(({ network }) => network),
    );
    const ids = [
      ...registered.map((row) => [row.network as string, memberOf(row)] as const),
      ...(MEMBERSHIPS.get(party) ?? []).filter(([network]) => !named.has(network)),
    ]
      .filter(([, member]) => counts(member) && isNow(on, member))
      .map(([network]) => network);
    return [...new Set(ids)].sort();
  }
}

const memberOf = (row: SqlRow): NetworkMember => ({
  party: row.party as string,
  as: row.as as NetworkMember['as'],
  ...(row.since === null ? {} : { from: row.since as string }),
  ...(row.until === null ? {} : { to: row.until as string }),
});

/** The reference table by member. */
const MEMBERSHIPS = new Map<string, (readonly [network: string, member: Membership])[]>();
for (const { id, members } of ORGANISATIONS) {
  for (const member of members) {
    const of = MEMBERSHIPS.get(member.party) ?? [];
    of.push([id, member]);
    MEMBERSHIPS.set(member.party, of);
  }
}
