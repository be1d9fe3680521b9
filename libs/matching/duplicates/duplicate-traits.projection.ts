import type { CommitmentEvent } from '#commitments/contract';
import type { Projection, ReadTransaction, RecordedEvent } from '#kernel';
import { categoryOfStream, idOfStream } from '#kernel';
import type { NeedEvent } from '#needs/contract';
import type { OfferEvent } from '#offers/contract';
import type { Kind, OpenPeriod } from '#vocabulary';
import { isState, stateOfParty } from '#vocabulary';
import type { IndexedNeed, IndexedOffer } from '../match-index.projection.js';
import {
  countedBeneficiaries,
  evolveNeed,
  evolveOffer,
  isLive,
  NEED_STANDING_TYPES,
  OFFER_STANDING_TYPES,
  providersOf,
} from '../match-index.projection.js';
import type { DuplicateEvent, PairedRecord } from './duplicate.contract.js';
import { duplicateDecider, type DuplicateState } from './duplicate.js';
import type { NeedTraits, PromiseTraits, Traits } from './likeness.js';
import { wordsOf } from './likeness.js';

export const DUPLICATE_TRAITS = 'duplicate-traits';

/** A commitment as far as it is compared. */
interface PlannedCommitment {
  /** Neither declined, lapsed, withdrawn, cancelled nor closed. */
  readonly live: boolean;
  readonly need: string;
  readonly providers: readonly string[];
  readonly beneficiaries: readonly string[];
  readonly filer: string;
  readonly lines: readonly number[];
  readonly kindOf: Readonly<Record<string, Kind>>;
  /** Of its terms, else of the need when it was proposed. */
  readonly period?: OpenPeriod;
}

const COMMITMENT_TYPES = [
  'CommitmentProposed',
  'HoldRefused',
  'CommitmentDeclined',
  'CommitmentLapsed',
  'CommitmentWithdrawn',
  'CommitmentCancelled',
  'CommitmentClosed',
  'AmendmentAgreed',
  'CommitmentAmended',
] as const satisfies readonly CommitmentEvent['type'][];

const evolveCommitment = (
  planned: PlannedCommitment | undefined,
  { type, data }: CommitmentEvent,
): PlannedCommitment | undefined => {
  if (type === 'CommitmentProposed') {
    const { needId, providers, beneficiaries, filer, legs, earmarkFacts, terms } = data;
    const period = terms?.period ?? earmarkFacts.needPeriod;
    return {
      ...{ live: true, need: needId, providers, beneficiaries, filer },
      lines: legs.map(({ needLine }) => needLine),
      kindOf: earmarkFacts.needLineKinds,
      ...(period === undefined ? {} : { period }),
    };
  }
  if (planned === undefined) return undefined;
  switch (type) {
    case 'AmendmentAgreed':
      return { ...planned, kindOf: { ...planned.kindOf, ...data.earmarkFacts.needLineKinds } };
    case 'CommitmentAmended': {
      const period = data.changes.terms?.period ?? planned.period;
      return {
        ...planned,
        lines: data.legs.map(({ needLine }) => needLine),
        ...(period === undefined ? {} : { period }),
      };
    }
    case 'HoldRefused':
    case 'CommitmentDeclined':
    case 'CommitmentLapsed':
    case 'CommitmentWithdrawn':
    case 'CommitmentCancelled':
    case 'CommitmentClosed':
      return { ...planned, live: false };
    default:
      return planned;
  }
};

type Folded =
  | { readonly kind: 'need'; readonly doc: IndexedNeed }
  | { readonly kind: 'offer'; readonly doc: IndexedOffer }
  | { readonly kind: 'commitment'; readonly doc: PlannedCommitment };

/** Without what is long and not compared: it is written with every need that is filed. */
const slim = ({ content, ...need }: IndexedNeed): IndexedNeed => {
  const {
    annex: _a,
    documents: _d,
    reportRefs: _r,
    priorAid: _p,
    ownContribution: _o,
    approached: _x,
    ...compared
  } = content;
  return { ...need, content: compared };
};

const afterEvent = (before: Folded | undefined, event: RecordedEvent): Folded | undefined => {
  switch (categoryOfStream(event.stream)) {
    case 'need': {
      const known = before?.kind === 'need' ? before.doc : undefined;
      const doc = evolveNeed(known, event as unknown as RecordedEvent<NeedEvent>);
      return doc === undefined ? undefined : { kind: 'need', doc: slim(doc) };
    }
    case 'offer': {
      const known = before?.kind === 'offer' ? before.doc : undefined;
      const doc = evolveOffer(known, event as unknown as RecordedEvent<OfferEvent>);
      return doc === undefined ? undefined : { kind: 'offer', doc };
    }
    default: {
      const known = before?.kind === 'commitment' ? before.doc : undefined;
      const doc = evolveCommitment(known, event as unknown as CommitmentEvent);
      return doc === undefined ? undefined : { kind: 'commitment', doc };
    }
  }
};

const sorted = <T extends string>(values: readonly (T | undefined)[]): readonly T[] =>
  [...new Set(values.filter((value) => value !== undefined))].sort();

const withPeriod = (period: OpenPeriod | undefined): { readonly period?: OpenPeriod } =>
  period === undefined ? {} : { period };

const ofNeed = (need: IndexedNeed): NeedTraits => {
  const { title, problem, outcome, kinds, lines, period } = need.content;
  const beneficiaries = countedBeneficiaries(need);
  const texts = [title, problem, outcome, ...lines.map(({ description }) => description)];
  return {
    about: 'needs',
    states: sorted(beneficiaries.map((party) => stateOfParty(party))),
    kinds: sorted([...kinds, ...lines.map(({ kind }) => kind)]),
    parties: sorted([need.filer, ...beneficiaries]),
    title: wordsOf(title),
    words: wordsOf(texts.filter((text) => text !== undefined).join('\n')),
    ...withPeriod(period),
    lines: lines.map(({ kind, quantity }) => ({ kind, quantity })),
  };
};

/** Only what an offer says of itself: one that is open to any State or kind is no promise to one. */
const ofOffer = (offer: IndexedOffer): PromiseTraits => {
  const { earmark, lines, period } = offer.content;
  const meant = earmark.kinds ?? [];
  const given = lines.flatMap(({ kinds }) => kinds);
  const kinds =
    meant.length === 0 || given.length === 0 ? [...meant, ...given] : given.filter((kind) => meant.includes(kind));
  const donors = sorted(providersOf(offer));
  return {
    about: 'promises',
    states: sorted((earmark.beneficiaries ?? []).map((named) => (isState(named) ? named : stateOfParty(named)))),
    kinds: sorted(kinds),
    parties: donors,
    donors,
    ...withPeriod(period),
  };
};

const ofCommitment = ({
  need,
  providers,
  beneficiaries,
  filer,
  lines,
  kindOf,
  period,
}: PlannedCommitment): PromiseTraits => ({
  about: 'promises',
  states: sorted(beneficiaries.map((party) => stateOfParty(party))),
  kinds: sorted(lines.map((line) => kindOf[String(line)])),
  parties: sorted([...providers, ...beneficiaries, filer]),
  donors: sorted(providers),
  ...withPeriod(period),
  need,
});

/** What a record is compared by; undefined while it is compared with nothing. */
const traitsOf = (folded: Folded): Traits | undefined => {
  if (folded.kind === 'commitment') return folded.doc.live ? ofCommitment(folded.doc) : undefined;
  if (!isLive(folded.doc)) return undefined;
  return folded.kind === 'need' ? ofNeed(folded.doc) : ofOffer(folded.doc);
};

class Batch {
  private readonly folds = new Map<string, Folded>();
  private readonly changed = new Map<string, bigint>();

  constructor(private readonly tx: ReadTransaction) {}

  apply(event: RecordedEvent): void {
    const id = idOfStream(event.stream);
    if (event.type === 'DuplicateJudged') {
      this.judge(id, event as unknown as RecordedEvent<DuplicateEvent>);
      return;
    }
    const folded = afterEvent(this.folded(id), event);
    if (folded === undefined) return;
    this.folds.set(id, folded);
    this.changed.set(id, event.position);
  }

  flush(): void {
    for (const [id, folded] of this.folds) {
      const traits = traitsOf(folded);
      this.tx.run(
        'INSERT OR REPLACE INTO record (id, kind, since, doc, traits) VALUES (?, ?, ?, ?, ?)',
        id,
        folded.kind,
        this.changed.get(id) ?? 0n,
        JSON.stringify(folded.doc),
        traits === undefined ? null : JSON.stringify(traits),
      );
      this.tx.run('DELETE FROM place WHERE id = ?', id);
      for (const state of traits?.states ?? []) {
        this.tx.run('INSERT INTO place (state, about, id) VALUES (?, ?, ?)', state, traits?.about ?? '', id);
      }
    }
  }

  private folded(id: string): Folded | undefined {
    const known = this.folds.get(id);
    if (known !== undefined) return known;
    const row = this.tx.get('SELECT kind, doc FROM record WHERE id = ?', id);
    return row === undefined
      ? undefined
      : ({ kind: row.kind as PairedRecord['kind'], doc: JSON.parse(row.doc as string) as unknown } as Folded);
  }

  private judge(id: string, event: RecordedEvent<DuplicateEvent>): void {
    const state: DuplicateState = duplicateDecider.evolve(duplicateDecider.initial, event);
    this.tx.run(
      'INSERT OR REPLACE INTO judged (id, revision, doc) VALUES (?, ?, ?)',
      id,
      event.revision,
      JSON.stringify(state.judged),
    );
    this.tx.run('DELETE FROM judged_place WHERE id = ?', id);
    for (const each of event.data.states) this.tx.run('INSERT INTO judged_place (state, id) VALUES (?, ?)', each, id);
  }
}

/**
 * Answers: what open needs, and offers and commitments for a State, are compared by, and which pairs have been judged. Which of them look
 * alike is found when it is asked, among those that the caller sees: what others hide cannot crowd anything out.
 */
export const duplicateTraits: Projection = {
  name: DUPLICATE_TRAITS,
  version: 1,
  handles: [
    ...NEED_STANDING_TYPES,
    ...OFFER_STANDING_TYPES,
    ...COMMITMENT_TYPES,
    ...Object.keys(duplicateDecider.schemas),
  ],
  schema: `
    CREATE TABLE record (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      since INTEGER NOT NULL,
      doc TEXT NOT NULL,
      traits TEXT
    ) WITHOUT ROWID;
    CREATE TABLE place (state TEXT NOT NULL, about TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (state, about, id)) WITHOUT ROWID;
    CREATE INDEX place_of ON place (id);
    CREATE TABLE judged (id TEXT PRIMARY KEY, revision INTEGER NOT NULL, doc TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE judged_place (state TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (state, id)) WITHOUT ROWID;
    CREATE INDEX judged_place_of ON judged_place (id);
  `,
  begin: (tx) => new Batch(tx),
};
