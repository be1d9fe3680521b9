import { readFileSync } from 'node:fs';
import type { LifeCycleRule, RecordedEvent } from '#kernel';
import { categoryOfStream } from '#kernel';
import { commitmentDecider, commitmentRuleOf } from '#commitments';
import { needDecider, needRuleOf } from '#needs';
import { offerDecider, offerRuleOf } from '#offers';
import type { LoggedEvent } from '../../infra/frozen-events.js';
import { recordedOf } from './replay.js';

/** The rules that replays name are the ones that every event of the frozen histories was decided by. */
interface Kind {
  readonly schemas: Readonly<Record<string, number>>;
  readonly initial: unknown;
  evolve(state: unknown, event: RecordedEvent): unknown;
  statusOf(state: unknown): string | undefined;
  ruleOf(event: RecordedEvent): LifeCycleRule;
}
const kinds: Readonly<Record<string, Kind>> = {
  need: {
    ...(needDecider as unknown as Kind),
    statusOf: (state) => (state as { status: string }).status,
    ruleOf: (event) => needRuleOf(event as Parameters<typeof needRuleOf>[0]),
  },
  offer: {
    ...(offerDecider as unknown as Kind),
    statusOf: (state) => (state as { summary?: { status: string } }).summary?.status,
    ruleOf: (event) => offerRuleOf(event as Parameters<typeof offerRuleOf>[0]),
  },
  commitment: {
    ...(commitmentDecider as unknown as Kind),
    statusOf: (state) => (state as { status?: string }).status,
    ruleOf: (event) => commitmentRuleOf(event as Parameters<typeof commitmentRuleOf>[0]),
  },
};

const events = ['log', 'log-2', 'log-3', 'log-4', 'log-5'].flatMap((log) =>
  readFileSync(new URL(`${log}.ndjson`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ ...recordedOf(JSON.parse(line) as LoggedEvent), log })),
);

describe.each(Object.entries(kinds))('the rule of every event of a %s', (category, kind) => {
  const mine = events.filter(({ stream }) => categoryOfStream(stream) === category);

  test('is published, with who may and what must hold', () => {
    const seen = new Map(mine.map((event) => [event.type, kind.ruleOf(event)]));
    expect([...seen.keys()].sort()).toEqual(Object.keys(kind.schemas).sort());
    for (const rule of seen.values())
      expect(Math.min(...[rule.by, rule.guard, rule.source].map((x) => x.length))).toBeGreaterThan(5);
  });

  // Seen failing with SignCommitment in the place of AcceptCommitment, and with AmendmentHeld a process's alone.
  test('is one that its command was decided by: in a status that the rule names, by whom it names', () => {
    const states = new Map<string, unknown>();
    const before = new Map<string, string | undefined>();
    const wrong: string[] = [];
    for (const event of mine) {
      const key = `${event.log} ${event.stream}`;
      const state = states.get(key) ?? kind.initial;
      // All events of one command were decided on one state.
      const decision = `${key} ${event.metadata.commandId}`;
      if (!before.has(decision)) before.set(decision, event.revision === 0 ? undefined : kind.statusOf(state));
      const status = before.get(decision);
      const { from, command, by } = kind.ruleOf(event);
      const begins = status === undefined || status === 'absent';
      const fits = begins ? from.length === 0 || event.type === 'OfferPosted' : from.includes(status);
      const { party } = event.metadata.actor;
      const acted =
        party === 'system:process'
          ? by.includes('the process')
          : party === 'system:timer'
            ? by.includes('the clock')
            : !/^the (process|clock)/.test(by);
      if (!fits || !acted)
        wrong.push(`${event.type} (${command}) while ${String(status)}, by ${party}; ${from.join()} by ${by}`);
      states.set(key, kind.evolve(state, event));
    }
    expect([...new Set(wrong)]).toEqual([]);
  });
});
