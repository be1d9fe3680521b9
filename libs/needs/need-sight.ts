import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { SqlValue } from '#kernel';
import type { Visibility } from '#vocabulary';
import type { NeedSight, NeedVisibility } from './need.contract.js';
import type { NeedState } from './need.js';

/** Later than any clock: publication is not consented. */
const NEVER = '9999-12-31T23:59:59.999Z';

/** What of a need says who sees it, with what the State consented to counted in. */
export interface NeedLabel {
  readonly id: string;
  /** Those it is filed for, those who take part, and who filed it, as long as it is theirs. */
  readonly owners: readonly string[];
  /** Named as beneficiaries and not taking part: they see what they are asked to join, and no more than that. */
  readonly invited: readonly string[];
  /** Submitted at least once: the coordinator sees it. */
  readonly submitted: boolean;
  /** Opened at least once: the labels count. */
  readonly opened: boolean;
  /** As set, and sealed throughout where the State objects to circulation. */
  readonly visibility: NeedVisibility;
  /** RFC 3339 moment from which `public` is more than `members`; empty: at once. */
  readonly publicFrom: string;
  readonly named: readonly string[];
}

/** How this caller stands to this need beside its labels. */
export interface NeedBonds {
  /** Lines that proposals disclosed to the caller's party: it is a side, agency or signatory of a commitment on the need. */
  readonly lines: readonly number[] | undefined;
  /** It has an open offer that the need could match: what the label `eligible` asks. */
  readonly eligible: boolean;
}

export const NO_BONDS: NeedBonds = { lines: undefined, eligible: false };

/** What a caller sees of a need. `lines` are seen even where the body is not. */
export interface NeedParts extends NeedSight {
  readonly lines: readonly number[];
  /** Figures that are for the parties, the coordinator and auditors: indicative and accepted amounts. */
  readonly figures: boolean;
  /** What happened before the need opened: drafts say what the State took back before anyone was to see it. */
  readonly beforeOpening: boolean;
  /** Who was asked to take part, and what they answered. */
  readonly participants: boolean;
  /** Whether something of the body that carries a label of its own is seen. */
  readonly admits: (label: Visibility) => boolean;
}

const ALWAYS = (): boolean => true;

const publicFrom = ({ submission, objections, windowEnds }: NeedState): string => {
  if (submission === undefined || objections.includes('publication')) return NEVER;
  return submission.publish === 'yes' ? '' : windowEnds;
};

/** Not open yet, or open to everyone only once the time to object is over. */
export const isUnpublished = (state: NeedState, now: string): boolean =>
  !state.opened || (labels(state).summary === 'public' && publicFrom(state) > now);

/** `ObjectNeed` to circulation makes the need sealed. */
const labels = ({ content: { visibility }, objections }: NeedState): NeedVisibility =>
  objections.includes('circulation') ? { summary: 'sealed', body: 'sealed', annex: 'sealed' } : visibility;

type Parties = Pick<NeedState, 'filer' | 'beneficiaries' | 'participants' | 'onBehalfOf' | 'transcribed'>;

/** A transcript is its coordinator's until the State has taken it over. */
export const ownersOf = ({ filer, beneficiaries, onBehalfOf, transcribed }: Parties): readonly string[] => [
  ...new Set([
    ...(onBehalfOf === undefined || transcribed ? [filer] : []),
    ...(onBehalfOf === undefined ? [] : [onBehalfOf]),
    ...beneficiaries,
  ]),
];

const invitedTo = (state: Parties): readonly string[] => {
  const owners = ownersOf(state);
  return state.participants.map(({ party }) => party).filter((party) => !owners.includes(party));
};

export const labelOf = (id: string, state: NeedState): NeedLabel => ({
  id,
  owners: ownersOf(state),
  invited: invitedTo(state),
  submitted: state.submission !== undefined,
  opened: state.opened,
  visibility: labels(state),
  publicFrom: publicFrom(state),
  named: state.content.named,
});

/** Auditors without a mandate and operators see what anyone sees; every other token belongs to a member (DOMAIN, visibility; API, callers). */
const isMember = ({ anonymous, party, roles }: Caller): boolean =>
  !anonymous &&
  !party.startsWith('auditor:') &&
  (roles.length === 0 || roles.some((role) => role !== 'auditor' && role !== 'operator'));

const owns = (caller: Caller, { owners }: Pick<NeedLabel, 'owners'>): boolean =>
  isMember(caller) && owners.includes(caller.party);

export const isOwner = (caller: Caller, state: Parties): boolean => owns(caller, { owners: ownersOf(state) });

const mandatesFor = ({ mandates }: Caller, need: NeedLabel): Caller['mandates'] =>
  mandates.filter(
    ({ everything, parties, records }) =>
      everything || records.has(need.id) || need.owners.some((party) => parties.has(party)),
  );

/** Whether the caller sees the part that carries this label, of a need that was opened. */
const admits = (caller: Caller, need: NeedLabel, label: Visibility, { eligible }: NeedBonds, now: string): boolean => {
  const opening = mandatesFor(caller, need).some(({ sealed, appointedBy }) =>
    sealed ? need.owners.includes(appointedBy) : label !== 'sealed',
  );
  if (opening || (label === 'public' && need.publicFrom <= now)) return true;
  if (!isMember(caller)) return false;
  return (
    label === 'public' ||
    label === 'members' ||
    (label === 'eligible' && eligible) ||
    (label === 'named' && need.named.includes(caller.party))
  );
};

/**
 * What this caller sees of a need at `now`. The summary is the gate: whoever does not see it sees no other part, but for the lines
 * that a proposal disclosed. Before opening only the owner and, from submission on, the coordinator see anything.
 */
export const sightOf = (caller: Caller, need: NeedLabel, bonds: NeedBonds, now: string): NeedParts => {
  if (owns(caller, need)) {
    return {
      summary: true,
      body: true,
      annex: true,
      lines: [],
      figures: true,
      beforeOpening: true,
      participants: true,
      admits: ALWAYS,
    };
  }
  const coordinator = hasRole(caller, 'coordinator') && need.submitted;
  const invited = isMember(caller) && need.invited.includes(caller.party);
  const seesLabel = (label: Visibility): boolean => need.opened && admits(caller, need, label, bonds, now);
  const sees = (part: keyof NeedVisibility): boolean => seesLabel(need.visibility[part]);
  const lines = isMember(caller) && need.opened ? bonds.lines : undefined;
  const summary = coordinator || invited || lines !== undefined || sees('summary');
  const mandated = summary && need.opened && mandatesFor(caller, need).length > 0;
  return {
    summary,
    body: coordinator || invited || (summary && sees('body')),
    annex: summary && sees('annex'),
    lines: lines ?? [],
    figures: coordinator || lines !== undefined || mandated,
    beforeOpening: coordinator || invited || mandated,
    participants: coordinator || invited,
    admits: coordinator ? ALWAYS : seesLabel,
  };
};

/** What is seen both ways: of a past state no part that is hidden now, and none that was hidden then. */
export const bothParts = (a: NeedParts, b: NeedParts): NeedParts => {
  const body = a.body && b.body;
  return {
    summary: a.summary && b.summary,
    body,
    annex: a.annex && b.annex,
    lines: body ? [] : bothLines(a, b),
    figures: a.figures && b.figures,
    beforeOpening: a.beforeOpening && b.beforeOpening,
    participants: a.participants && b.participants,
    admits: (label) => a.admits(label) && b.admits(label),
  };
};

/** Who sees the body sees every line. */
const bothLines = (a: NeedParts, b: NeedParts): readonly number[] => {
  if (a.body) return b.lines;
  return b.body ? a.lines : a.lines.filter((line) => b.lines.includes(line));
};

export interface SqlText {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

const part = (caller: Caller, column: 'summary' | 'body', eligible: ReadonlySet<string>, now: string): SqlText => {
  const parameters: SqlValue[] = [];
  const any: string[] = [];
  const or = (sql: string, ...values: SqlValue[]): void => {
    any.push(sql);
    parameters.push(...values);
  };
  or(`(n.${column} = 'public' AND n.public_from <= ?)`, now);
  for (const { everything, parties, records, sealed, appointedBy } of caller.mandates) {
    const covered = everything
      ? '1'
      : `(n.id IN (SELECT value FROM json_each(?)) OR EXISTS (SELECT 1 FROM need_facet f
           WHERE f.need = n.seq AND f.facet = 'owner' AND f.value IN (SELECT value FROM json_each(?))))`;
    const opens = sealed
      ? "EXISTS (SELECT 1 FROM need_facet f WHERE f.need = n.seq AND f.facet = 'owner' AND f.value = ?)"
      : `n.${column} <> 'sealed'`;
    or(
      `(${covered} AND ${opens})`,
      ...(everything ? [] : [JSON.stringify([...records]), JSON.stringify([...parties])]),
      ...(sealed ? [appointedBy] : []),
    );
  }
  if (isMember(caller)) {
    or(`n.${column} IN ('public', 'members')`);
    or(`(n.${column} = 'eligible' AND n.id IN (SELECT value FROM json_each(?)))`, JSON.stringify([...eligible]));
    or(
      `(n.${column} = 'named' AND EXISTS (SELECT 1 FROM need_facet f WHERE f.need = n.seq AND f.facet = 'named' AND f.value = ?))`,
      caller.party,
    );
  }
  return { sql: `(n.opened = 1 AND (${any.join(' OR ')}))`, parameters };
};

/**
 * The same rule over the rows of the need board (`n`): the two are tested against each other. `body` is asked together with `summary`,
 * which is its gate.
 */
export const seenNeeds = (
  caller: Caller,
  eligible: ReadonlySet<string>,
  now: string,
): { readonly summary: SqlText; readonly body: SqlText } => {
  const whole: string[] = [];
  const wholeValues: SqlValue[] = [];
  if (isMember(caller)) {
    whole.push(
      "EXISTS (SELECT 1 FROM need_facet f WHERE f.need = n.seq AND f.facet IN ('owner', 'invited') AND f.value = ?)",
    );
    wholeValues.push(caller.party);
  }
  if (hasRole(caller, 'coordinator')) whole.push('n.submitted = 1');
  const disclosed = isMember(caller)
    ? ['(n.opened = 1 AND EXISTS (SELECT 1 FROM need_party p WHERE p.need = n.id AND p.party = ?))']
    : [];
  const summaryPart = part(caller, 'summary', eligible, now);
  const bodyPart = part(caller, 'body', eligible, now);
  const summary: SqlText = {
    sql: `(${[...whole, ...disclosed, summaryPart.sql].join(' OR ')})`,
    parameters: [...wholeValues, ...disclosed.map(() => caller.party), ...summaryPart.parameters],
  };
  return {
    summary,
    body: {
      sql: `(${[...whole, bodyPart.sql].join(' OR ')})`,
      parameters: [...wholeValues, ...bodyPart.parameters],
    },
  };
};
