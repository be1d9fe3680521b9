import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { ReadQueries, SqlRow, SqlValue } from '#kernel';
import { categoryOfStream, idOfStream, ProjectionRunner, Turns } from '#kernel';
import { RecordSight } from '#web';
import { CHECK_FACTS } from './check-facts.projection.js';
import type { Check, CheckParameters, Finding } from './check.js';
import type { Fact, Hand } from './facts.js';
import { Facts } from './facts.js';

/** Facts that are read in one go. */
const PAGE = 2_000;

/** Runs checks over what the caller may read: records outside its mandate are as if they did not exist. */
@Injectable()
export class AuditChecks {
  constructor(
    private readonly runner: ProjectionRunner,
    private readonly sight: RecordSight,
  ) {}

  /** The place of the log that the facts have come to. */
  now(): bigint {
    const row = this.reads.get('SELECT MAX(position) AS position FROM fact');
    return BigInt((row?.position as number | bigint | null) ?? 0);
  }

  /** Everything the check finds in the events up to `asOf`, in the order of the log. */
  async run(caller: Caller, check: Check, parameters: CheckParameters, asOf: bigint): Promise<readonly Finding[]> {
    const turns = new Turns();
    const covered = await this.facts(check, asOf, coverage(caller), turns);
    const hands = check.readsHands === true ? this.hands(caller, asOf) : [];
    const seen = new Map<string, boolean>();
    const sees = async (stream: string): Promise<boolean> => {
      const known = seen.get(stream);
      if (known !== undefined) return known;
      const answer = await this.sight.sees(caller, categoryOfStream(stream), idOfStream(stream));
      seen.set(stream, answer);
      return answer;
    };
    const facts =
      check.readsNamedNeeds === true ? await this.withNamedNeeds(check, asOf, covered, sees, turns) : covered;
    // The mandate's reach is judged in the query, each record named in a finding as its own route judges it: what turns out to be
    // hidden is taken away and the check run again, so that a finding stands on visible records alone.
    for (;;) {
      const isHidden = ({ stream }: { readonly stream: string }): boolean => seen.get(stream) === false;
      const findings = check.find(
        new Facts(
          facts.filter((fact) => !isHidden(fact)),
          hands.filter((hand) => !isHidden(hand)),
        ),
        parameters,
      );
      let hidden = false;
      for (const stream of new Set(findings.flatMap(({ records }) => records))) {
        await turns.pass();
        if (!(await sees(stream))) hidden = true;
      }
      if (!hidden) return findings;
    }
  }

  private get reads(): ReadQueries {
    return this.runner.model(CHECK_FACTS);
  }

  /** With the needs that these facts name and that lie outside the mandate, as far as the caller sees them like anybody else. */
  private async withNamedNeeds(
    check: Check,
    asOf: bigint,
    covered: readonly Fact[],
    sees: (stream: string) => Promise<boolean>,
    turns: Turns,
  ): Promise<readonly Fact[]> {
    const known = new Set(covered.map(({ stream }) => stream));
    const named: string[] = [];
    for (const id of new Set(covered.flatMap(needsIn))) {
      const stream = `need-${id}`;
      await turns.pass();
      if (!known.has(stream) && (await sees(stream))) named.push(stream);
    }
    if (named.length === 0) return covered;
    const among = { sql: 'r.stream IN (SELECT value FROM json_each(?))', parameters: [JSON.stringify(named)] };
    const facts = [...covered, ...(await this.facts(check, asOf, among, turns))];
    return facts.sort((a, b) => (a.position < b.position ? -1 : 1));
  }

  /** Facts are only ever added: what is up to `asOf` is the same however long it is read. */
  private async facts({ reads }: Check, asOf: bigint, covered: Coverage, turns: Turns): Promise<readonly Fact[]> {
    const facts: Fact[] = [];
    for (let after = 0n; ;) {
      await turns.pass();
      const page = this.reads.all(
        `SELECT r.position, r.stream, r.type, r.event, r.effective_at, r.recorded_at, r.data FROM fact r
          WHERE r.type IN (SELECT value FROM json_each(?)) AND r.position > ? AND r.position <= ? AND ${covered.sql}
          ORDER BY r.position LIMIT ?`,
        JSON.stringify(reads),
        after,
        asOf,
        ...covered.parameters,
        PAGE,
      );
      facts.push(...page.map(factOf));
      if (page.length < PAGE) return facts;
      after = facts.at(-1)?.position ?? asOf;
    }
  }

  private hands(caller: Caller, asOf: bigint): readonly Hand[] {
    const covered = coverage(caller);
    return this.reads
      .all(
        `SELECT r.subject, r.party, r.stream, r.event FROM hand r WHERE r.position <= ? AND ${covered.sql} ORDER BY r.position`,
        asOf,
        ...covered.parameters,
      )
      .map((row) => ({
        subject: row.subject as string,
        party: row.party as string,
        stream: row.stream as string,
        eventId: row.event as string,
      }));
  }
}

const factOf = (row: SqlRow): Fact =>
  ({
    position: BigInt(row.position as number | bigint),
    stream: row.stream,
    eventId: row.event,
    type: row.type,
    data: JSON.parse(row.data as string) as object,
    effectiveAt: row.effective_at,
    recordedAt: row.recorded_at,
  }) as Fact;

/** Ids of the needs that this fact is about. */
const needsIn = (fact: Fact): readonly string[] => {
  if ('allocations' in fact.data) return fact.data.allocations.map(({ needId }) => needId);
  return 'needId' in fact.data ? [fact.data.needId] : [];
};

/** A condition on rows `r`: which records are read. */
interface Coverage {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** The records that the caller can at most read: all for the coordinator, an auditor's by its mandates; who is who is no secret. */
const coverage = (caller: Caller): Coverage => {
  if (hasRole(caller, 'coordinator') || caller.mandates.some(({ everything }) => everything)) {
    return { sql: '1', parameters: [] };
  }
  const parties = caller.mandates.flatMap((mandate) => [...mandate.parties]);
  const records = caller.mandates.flatMap((mandate) => [...mandate.records]);
  return {
    sql: `(r.stream LIKE 'party-%' OR substr(r.stream, instr(r.stream, '-') + 1) IN (SELECT value FROM json_each(?))
      OR EXISTS (SELECT 1 FROM record_party p WHERE p.stream = r.stream AND p.party IN (SELECT value FROM json_each(?))))`,
    parameters: [JSON.stringify(records), JSON.stringify(parties)],
  };
};
