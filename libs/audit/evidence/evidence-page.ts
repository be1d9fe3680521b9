import { createHash } from 'node:crypto';
import type { Quantity } from '#vocabulary';
import { formatQuantity } from '#vocabulary';
import { escapedHtml } from '#web';
import type { Manifest, RevisionEvidence } from '#evidence/format';

/** An event as the page tells it. */
export interface ToldEvent extends RevisionEvidence {
  readonly type: string;
  /** What of it is shown in the record's history. */
  readonly data: object;
  readonly actor: { readonly party: string; readonly role: string };
  readonly effectiveAt: string;
  readonly recordedAt: string;
}

/** The events of one stream that are shown at all, beside all that it has. */
export interface ToldStream {
  readonly stream: string;
  readonly events: readonly RevisionEvidence[];
  readonly told: AsyncIterable<ToldEvent>;
}

/** What a bundle is about. */
export interface ToldRecord {
  readonly kind: Manifest['record']['kind'];
  /** As `GET` shows it. */
  readonly record: object;
  readonly origin: string;
  /** Events under the checkpoint. */
  readonly size: number;
}

type Fields = Readonly<Record<string, unknown>>;

const STYLE = `body{font:11pt/1.4 sans-serif;margin:2em auto;max-width:60em}h1{font-size:16pt}h2{font-size:13pt;margin:1.5em 0 .3em}table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #bbb;padding:.2em .5em;text-align:left;vertical-align:top}dl{margin:0;display:grid;grid-template-columns:max-content 1fr;gap:0 .7em}dt{color:#555}dd{margin:0;overflow-wrap:anywhere}ol{margin:0;padding-left:1.4em}.s{font-size:8pt;word-break:break-all}@media print{body{margin:0;max-width:none;font-size:9pt}thead{display:table-header-group}tr{break-inside:avoid}@page{margin:15mm}}`;

/** Nothing is loaded and nothing runs: the page's own style alone. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/** `CommitmentProposed` and `offerLine` as words: "Commitment proposed", "Offer line". */
const wordsOf = (name: string): string => {
  const words = name.replaceAll(/(?<=[a-z\d])(?=[A-Z])/g, ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
};

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isQuantity = (value: unknown): value is Quantity =>
  isObject(value) && typeof value.measure === 'string' && ('amount' in value || 'why' in value);

const isAbsent = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

/** A value of an event or a record, for people. */
const valueHtml = (value: unknown): string => {
  if (isQuantity(value)) return escapedHtml(formatQuantity(value));
  if (Array.isArray(value)) {
    const items = value.map(valueHtml);
    return value.some(isObject) ? `<ol>${items.map((item) => `<li>${item}</li>`).join('')}</ol>` : items.join(', ');
  }
  if (isObject(value)) return fieldsHtml(Object.entries(value).map(([name, field]) => [wordsOf(name), field]));
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return escapedHtml(String(value));
};

const fieldsHtml = (fields: readonly (readonly [label: string, value: unknown])[]): string =>
  `<dl>${fields
    .filter(([, value]) => !isAbsent(value))
    .map(([label, value]) => `<dt>${escapedHtml(label)}</dt><dd>${valueHtml(value)}</dd>`)
    .join('')}</dl>`;

/** Who promised, asked or offered what to whom, and when. */
const SUMMARIES: Readonly<
  Record<ToldRecord['kind'], (record: Fields) => readonly (readonly [label: string, value: unknown])[]>
> = {
  commitment: (record) => [
    ['Who promises', record.providers],
    ['To whom', record.beneficiaries],
    ['What', partsOf(record.legs, ['drawn', 'credited', 'delivered', 'confirmed'])],
    ['Carried out by', record.implementer],
    ['Money held by', record.fiscalAgent],
    ['Stands as', standing(record)],
    ['Proposed by', record.proposedBy],
    ['Proposed', record.proposedAt],
    ['Binding since', record.boundAt],
    ['Signed', record.signatures],
    ['Period', record.period],
    ['Need', record.needId],
    ['Offer', record.offerId],
  ],
  need: (record) => [
    ['Title', record.title],
    ['Who asks', record.filer],
    ['For whom', record.beneficiaries],
    ['What', partsOf(record.lines, ['kind', 'description', 'quantity'])],
    ['Stands as', standing(record)],
    ['Period', record.period],
    ['On the authority of', record.authorityRef],
  ],
  offer: (record) => [
    ['Title', record.title],
    ['Who offers', record.donor],
    ['What', partsOf(record.lines, ['kinds', 'description', 'capacity', 'committed', 'delivered'])],
    ['Stands as', standing(record)],
    ['Period', record.period],
  ],
};

const partsOf = (list: unknown, names: readonly string[]): unknown =>
  Array.isArray(list)
    ? list.filter(isObject).map((part) => Object.fromEntries(names.map((name) => [name, part[name]])))
    : undefined;

const standing = ({ status, closedAs }: Fields): unknown =>
  typeof closedAs === 'string' ? `${String(status)}: ${closedAs}` : status;

const eventHtml = ({ revision, seq, type, data, actor, effectiveAt, recordedAt, opened }: ToldEvent): string =>
  `<tr><td>${revision}</td><td>${seq}</td><td><b>${escapedHtml(wordsOf(type))}</b>${valueHtml(data)}</td><td>${escapedHtml(actor.party)}<br>as ${escapedHtml(actor.role)}</td><td>${escapedHtml(effectiveAt)}</td><td>${escapedHtml(recordedAt)}</td><td>${opened ? 'opening and proof' : 'proof of its hash alone'}</td></tr>`;

async function* streamHtml({ stream, events, told }: ToldStream): AsyncGenerator<string> {
  yield `<h2>Events of ${escapedHtml(stream)}</h2><table><thead><tr><th>Revision</th><th>Place in the log</th><th>What happened</th><th>Who</th><th>Took effect</th><th>Recorded</th><th>In this bundle</th></tr></thead><tbody>`;
  let shown = 0;
  for await (const event of told) {
    shown += 1;
    yield eventHtml(event);
  }
  const opened = events.filter((event) => event.opened).length;
  yield `</tbody></table><p>${events.length} events. Of ${opened} the whole content is here and proven; of ${shown - opened} the page shows what this bundle’s reader may see, and the hash is proven; of ${events.length - shown} nothing is shown but the proven hash.</p>`;
}

/** The bundle as a page to print, which holds no script and loads nothing. */
export async function* evidencePage(
  { kind, record, origin, size }: ToldRecord,
  streams: readonly ToldStream[],
): AsyncGenerator<string> {
  const { id } = record as { readonly id?: string };
  const title = `Evidence of ${kind} ${escapedHtml(id ?? '')}`;
  yield `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${STYLE}</style></head><body><h1>${title}</h1>`;
  yield `<p>As it stood when the log <b>${escapedHtml(origin)}</b> held ${size} events, which the checkpoint in this bundle signs. This page is for reading; what proves it, and how to verify that, stands in VERIFY.md. Times are UTC.</p>`;
  yield fieldsHtml(SUMMARIES[kind](record as Fields));
  for (const stream of streams) yield* streamHtml(stream);
  yield '</body></html>\n';
}
