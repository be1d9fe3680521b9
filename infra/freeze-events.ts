import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contexts } from '#services';
import { playStory } from '../test/history/story.js';
import { replayed } from '../test/history/replay.js';
import type { FrozenEvent, LoggedEvent } from './frozen-events.js';
import {
  currentSchemas,
  fileOf,
  HISTORY,
  logged,
  METADATA,
  planFreezing,
  PUBLISHED,
  publishedModule,
  readFrozen,
  readLogs,
  samplesOf,
} from './frozen-events.js';

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** `npm run freeze-events`: freezes new event types and versions; `--extend` lets optional fields and codes be added to frozen ones. */
const freeze = async (root: string, options: readonly string[]): Promise<number> => {
  const unknown = options.filter((option) => option !== '--extend');
  if (unknown.length > 0) {
    console.error(`unknown: ${unknown.join(' ')}\nusage: npm run freeze-events [-- --extend]`);
    return 2;
  }
  const frozen = readFrozen(root);
  const { write, refusals, extensions } = planFreezing({
    now: await currentSchemas(root),
    versions: Object.assign({}, ...contexts.flatMap(({ streams }) => Object.values(streams))) as Record<string, number>,
    upcasters: contexts.flatMap(({ upcasters = [] }) => upcasters),
    frozen,
    extend: options.includes('--extend'),
  });
  if (refusals.length > 0) {
    console.error(`Nothing was frozen:\n${refusals.map((refusal) => `- ${refusal}`).join('\n')}`);
    return 1;
  }
  for (const extension of extensions) console.log(`extended: ${extension}`);

  const logs = readLogs(root);
  const events: LoggedEvent[] = logs.flatMap((log) => log.events);
  const without = write.filter((each) => each.type !== METADATA && samplesOf(each, events).length === 0);
  if (without.length > 0) {
    const log = (await playStory()).map(logged);
    const still = without.filter((each) => samplesOf(each, log).length === 0);
    if (still.length > 0) {
      console.error(
        `Nothing was frozen: ${HISTORY}/story.ts writes no ${still.map(({ type }) => type).join(', no ')}.`,
      );
      return 1;
    }
    const number = logs.length === 0 ? '' : `-${logs.length + 1}`;
    writeFileSync(
      join(root, HISTORY, `log${number}.ndjson`),
      log.map((event) => `${JSON.stringify(event)}\n`).join(''),
    );
    writeFileSync(join(root, HISTORY, `expected${number}.json`), json((await replayed(log)).reading));
    events.push(...log);
    console.log(`log${number}.ndjson: ${log.length} events`);
  }

  const files = new Map(frozen.map((each) => [fileOf(each), each]));
  for (const schema of write) {
    const samples = files.get(fileOf(schema))?.samples ?? samplesOf(schema, events);
    const file: FrozenEvent = { ...schema, samples };
    files.set(fileOf(schema), file);
    writeFileSync(join(root, HISTORY, fileOf(schema)), json(file));
    console.log(`frozen: ${fileOf(schema)}`);
  }
  const published = publishedModule([...files.values()]);
  if (readFileSync(join(root, PUBLISHED), { encoding: 'utf8', flag: 'a+' }) !== published) {
    writeFileSync(join(root, PUBLISHED), published);
    console.log(`published: ${PUBLISHED}`);
  }
  return 0;
};

process.exitCode = await freeze(process.cwd(), process.argv.slice(2));
