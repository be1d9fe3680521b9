import { CASE_FILES, parentsFirst, readCases } from './cases.js';
import type { Case, CaseFile } from './cases.js';
import { NOT_LINKED, PART_OF } from './cases.data.js';
import type { Client, Office } from './client.js';
import { listIn, locationOf, must, objectIn, textIn } from './client.js';
import type { Say } from './printing.js';
import { heading, pair, short, shown } from './printing.js';

/** What was loaded; each figure is counted from the service's answers, and a test computes it anew from the files. */
export interface LoadedCases {
  readonly rows: Readonly<Record<CaseFile, number>>;
  readonly byKind: Readonly<Record<string, number>>;
  readonly withAmounts: number;
  readonly qualified: number;
  readonly withoutDate: number;
  readonly contradicted: number;
  readonly parts: number;
  readonly publicRecords: number;
  readonly transcribed: number;
  readonly notRepresentable: number;
  readonly withGaps: number;
}

const COORDINATOR: Office = { party: 'agency:secretariat', role: 'coordinator' };
const GEORGIA: Office = { party: 'state:GEO', role: 'npc' };
const AUSTRALIA: Office = { party: 'state:AUS', role: 'donor-desk' };

const count = (records: readonly unknown[]): number => records.length;

/** Loads every row as a reported record, says what could not be carried, and lets two parties claim theirs. */
export const loadPublishedCases = async (client: Client, folder: string, say: Say): Promise<LoadedCases> => {
  const cases = readCases(folder);
  heading(say, '1. What is published, and by whom');
  say(
    `A coordinator copies ${cases.length} facts from public pages. They are reported records: nobody has accepted or signed`,
  );
  say('anything, so they stay outside every total and every match until a named party claims them.');
  say();
  const ids = new Map<string, string>();
  for (const each of parentsFirst(cases)) {
    const parent = each.partOf === undefined ? undefined : idOf(ids, each.partOf);
    const body = { ...each.body, ...(parent === undefined ? {} : { partOf: parent }) };
    const answer = await client.create('/v1/reported', COORDINATOR, body);
    ids.set(each.key, textIn(answer.body, 'id'));
  }
  const loaded = await figuresOf(client, cases, ids);
  print(say, cases, loaded);
  await claims(client, ids, say);
  return loaded;
};

const idOf = (ids: ReadonlyMap<string, string>, key: string): string => {
  const id = ids.get(key);
  if (id === undefined) throw new Error(`the row ${key} was not loaded`);
  return id;
};

const figuresOf = async (
  client: Client,
  cases: readonly Case[],
  ids: ReadonlyMap<string, string>,
): Promise<LoadedCases> => {
  const records = await client.all('/v1/reported', COORDINATOR);
  const published = await client.all('/v1/reported');
  const known = new Map(records.map((record) => [textIn(record, 'id'), record]));
  const ofFile = (file: CaseFile): readonly object[] =>
    cases.filter((each) => each.file === file && known.has(idOf(ids, each.key)));
  const amounts = (record: (typeof records)[number]): readonly object[] =>
    record.amounts === 'not-published' ? [] : listIn(record, 'amounts');
  const kinds = [...new Set(records.map((record) => textIn(record, 'kind')))].sort();
  must(count(records) === ids.size, `${ids.size} records were written, ${count(records)} are listed`);
  return {
    rows: {
      'needs.csv': count(ofFile('needs.csv')),
      'offers.csv': count(ofFile('offers.csv')),
      'commitments.csv': count(ofFile('commitments.csv')),
    },
    byKind: Object.fromEntries(kinds.map((kind) => [kind, count(records.filter((record) => record.kind === kind))])),
    withAmounts: count(records.filter((record) => amounts(record).length > 0)),
    qualified: count(records.filter((record) => amounts(record).some((amount) => 'qualifier' in amount))),
    withoutDate: count(records.filter((record) => Object.keys(objectIn(record, 'dates')).length === 0)),
    contradicted: count(records.filter((record) => listIn(record, 'claims').length > 0)),
    parts: count(records.filter((record) => record.partOf !== undefined)),
    publicRecords: count(published),
    transcribed: count(records.filter((record) => objectIn(record, 'source').kind === 'transcribed')),
    notRepresentable: cases.length - ids.size,
    withGaps: count(cases.filter(({ gaps }) => gaps.length > 0)),
  };
};

const print = (say: Say, cases: readonly Case[], loaded: LoadedCases): void => {
  for (const file of CASE_FILES) pair(say, file, `${loaded.rows[file]} rows, one reported record each`);
  pair(
    say,
    'by kind',
    Object.entries(loaded.byKind)
      .map(([kind, number]) => `${number} ${kind}`)
      .join(', '),
  );
  pair(say, 'with amounts', `${loaded.withAmounts} (${loaded.qualified} with a qualifier: at least, at most, about)`);
  pair(say, 'without any date', String(loaded.withoutDate));
  pair(say, 'contradicted', `${loaded.contradicted} (both sources are kept, nobody decides between them)`);
  pair(say, 'part of another', String(loaded.parts));
  pair(
    say,
    'seen by anyone',
    `${loaded.publicRecords} (the other ${loaded.transcribed} were copied from a paper: members only)`,
  );
  pair(say, 'not representable', String(loaded.notRepresentable));
  pair(say, 'with a gap', String(loaded.withGaps));
  say();
  say('Rows with a gap: the record stands, and the words stay in its description.');
  for (const { key, gaps } of cases) for (const gap of gaps) say(`  ${key.padEnd(22)} ${gap}`);
  say();
  say('Linked by partOf, so that an umbrella and its parts are never counted twice:');
  for (const [ref, { parent, because }] of Object.entries(PART_OF))
    say(`  ${ref.padEnd(22)} part of ${parent}: ${because}`);
  say('Not linked:');
  for (const { refs, because } of NOT_LINKED) say(`  ${refs}: ${because}`);
};

const claims = async (client: Client, ids: ReadonlyMap<string, string>, say: Say): Promise<void> => {
  heading(say, '2. Two records are claimed by those they name');
  const need = `/v1/reported/${idOf(ids, 'N-OSCE-GEO-2016/1')}`;
  const { body: before } = await client.get(need, GEORGIA);
  const claimed = await client.command(need, 'claim', GEORGIA);
  const draft = await client.get(locationOf(claimed), GEORGIA);
  must(draft.body.status === 'draft', 'a claimed need is a draft');
  must(JSON.stringify(draft.body).includes(textIn(before, 'id')), 'the draft names the record it was claimed from');
  const [line] = listIn(draft.body, 'lines');
  say(`Georgia finds "${textIn(before, 'title')}" (${short(need)}, published as "${textIn(before, 'statusWords')}")`);
  say(`  and claims it. It becomes Georgia's own draft need ${short(locationOf(claimed))}: ${shown(line?.quantity)}.`);
  say(
    '  Only Georgia sees the draft. The reported record shows that Georgia claimed it, and stays as it was published.',
  );
  const again = await client.command(need, 'claim', GEORGIA);
  must(again.etag === claimed.etag && again.location === claimed.location, 'claiming twice writes nothing new');
  const work = `/v1/reported/${idOf(ids, 'C-AUS-PNG-ARM')}`;
  const { body: fact } = await client.get(work, AUSTRALIA);
  const owned = await client.command(work, 'claim', AUSTRALIA);
  must(
    listIn(owned.body, 'claimedBy').some(({ party }) => party === AUSTRALIA.party),
    'the claim is shown',
  );
  say(`Australia finds "${textIn(fact, 'title')}" (${short(work)}, ${shown(listIn(fact, 'amounts')[0])})`);
  say('  and claims it. A commitment of the past needs no draft: the claim alone is recorded.');
  const { body: seenByAll } = await client.get(need);
  say(
    `  Anyone may now read: claimed by ${listIn(seenByAll, 'claimedBy')
      .map(({ party }) => String(party))
      .join(', ')}.`,
  );
};
