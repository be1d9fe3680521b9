import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { Folders } from './folders.js';
import { writeLog } from './log.js';
import { throughTransact } from './p1-transact.js';
import { creatingOverHttp, transferringOverHttp } from './p2-http.js';
import { rebuilding } from './p3-rebuild.js';
import { signingTheLog } from './p6-signed-log.js';
import { allocating } from './p5-allocation.js';
import { matching } from './p4-matches.js';
import { holding } from './p7-hold.js';
import { coldStart } from './p8-cold-start.js';
import { readingStatements } from './p9-statement.js';
import { onKurrent } from './p11-kurrent.js';
import { relaying } from './p12-relay.js';
import { holdingThroughKafka } from './p13-kafka-hold.js';
import { stayingFlat } from './p14-flat-memory.js';
import type { Servers } from './servers.js';
import { startServers } from './servers.js';
import type { Measured } from './report.js';
import { machine, measured, table } from './report.js';
import { LocalBrokerError } from '../../infra/local-brokers/kafka-program.js';

const USAGE = `npm run bench [-- --smoke] [-- --json] [-- --only P1,P3]
--smoke  each part for about a second: whether it runs, not how fast
--json   machine and figures as one JSON document
--only   these parts alone`;

/** How much of everything is done. */
const FULL = {
  rounds: 5,
  seconds: 2,
  proposals: 300,
  arcs: 100_000,
  events: 100_000,
  starts: 3,
  rebuilds: 3,
  transfers: 100_000,
  statements: 200,
  streamed: 20_000,
  relayed: 5_000,
  flatSeconds: 12,
  signed: { leaves: 1_000_000, proofs: 2_000, replayed: 1_000 },
  matches: { few: 1_000, many: 100_000, alone: [10_000, 1_000_000], queries: 500 },
} as const;
const SMOKE = {
  rounds: 1,
  seconds: 0.5,
  proposals: 20,
  arcs: 2_000,
  events: 1_500,
  starts: 1,
  rebuilds: 1,
  transfers: 2_000,
  statements: 10,
  streamed: 300,
  relayed: 300,
  flatSeconds: 1,
  signed: { leaves: 10_000, proofs: 100, replayed: 50 },
  matches: { few: 200, many: 2_000, alone: [1_000, 10_000], queries: 20 },
} as const;

const run = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { smoke: { type: 'boolean' }, json: { type: 'boolean' }, only: { type: 'string' } },
  });
  const {
    rounds,
    seconds,
    proposals,
    arcs,
    events,
    starts,
    rebuilds,
    transfers,
    statements,
    streamed,
    relayed,
    flatSeconds,
    signed,
    matches,
  } = values.smoke === true ? SMOKE : FULL;
  const only = values.only?.toUpperCase().split(',');
  const wanted = (part: string): boolean => only === undefined || only.includes(part);
  const say = (line: string): void => {
    if (values.json !== true) process.stdout.write(`${line}\n`);
  };
  const folders = new Folders();
  try {
    const facts = machine(folders.root);
    say(
      Object.entries(facts)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    );
    const results: Measured[] = [];
    const add = (result: Measured): void => {
      results.push(result);
      say(table([result]));
    };
    const onKafka = async (servers: Servers): Promise<void> => {
      if (wanted('P12')) {
        const work = (): ReturnType<typeof relaying> => relaying(servers, { rounds, events: relayed });
        add(await measured('P12', 'the relay from the log to Kafka against a bare kafkajs producer', work));
      }
      if (wanted('P13')) {
        const work = (): ReturnType<typeof holdingThroughKafka> => holdingThroughKafka(folders, servers, { proposals });
        add(await measured('P13', 'proposal to held through Kafka against one broker round trip', work));
      }
      if (wanted('P14')) {
        const work = (): ReturnType<typeof stayingFlat> =>
          stayingFlat(servers, { events: streamed, seconds: flatSeconds });
        add(await measured('P14', 'memory where one side of Kafka is ten times faster than the other', work));
      }
    };
    if (wanted('P1')) {
      const work = (): ReturnType<typeof throughTransact> => throughTransact(folders, { rounds, seconds });
      add(await measured('P1', 'durable commands through transact against raw appends', work));
    }
    if (wanted('P2')) {
      // The load generator counts in whole seconds.
      const order = { rounds, seconds: Math.max(1, seconds) };
      add(
        await measured('P2', 'POST /v1/needs against a route that does nothing', () =>
          creatingOverHttp(folders, order),
        ),
      );
    }
    if (wanted('P10')) {
      const order = { rounds, seconds: Math.max(1, seconds), ...(values.smoke === true ? { commitments: 60 } : {}) };
      add(
        await measured('P10', 'POST …/transfers against a route that does nothing', () =>
          transferringOverHttp(folders, order),
        ),
      );
    }
    if (wanted('P7')) {
      add(await measured('P7', 'proposal to held against one durable append', () => holding(folders, { proposals })));
    }
    if (wanted('P5')) {
      add(
        await measured('P5', `max-value over ${arcs} pairs, with its certificate, against HiGHS alone`, () =>
          allocating({ rounds, arcs }),
        ),
      );
    }
    if (wanted('P9')) {
      const work = (): ReturnType<typeof readingStatements> =>
        readingStatements(folders, { transfers, reads: statements });
      add(
        await measured('P9', `statement of a holder over ${transfers} transfers, from its read model`, () =>
          Promise.resolve(work()),
        ),
      );
    }
    if (wanted('P4')) {
      add(
        await measured('P4', 'twenty best of 150 matches, over few offers and over many', () =>
          matching(folders, matches),
        ),
      );
    }
    if (wanted('P3') || wanted('P6') || wanted('P8')) {
      const log = folders.fresh('log');
      const written = await writeLog(log, events);
      if (wanted('P3')) {
        const work = (): ReturnType<typeof rebuilding> => rebuilding(folders, log, { rounds: rebuilds });
        add(await measured('P3', `rebuilding read models of ${written} events against a raw scan`, work));
      }
      if (wanted('P6')) {
        const work = (): ReturnType<typeof signingTheLog> =>
          signingTheLog(folders, log, { rounds: rebuilds, seconds, ...signed });
        add(await measured('P6', `the signed log of ${written} events`, work));
      }
      if (wanted('P8')) {
        const work = (): ReturnType<typeof coldStart> => coldStart(log, written, { rounds: starts });
        add(await measured('P8', 'cold start to ready', work));
      }
    }
    if (wanted('P11')) {
      const order = { rounds, seconds, events: streamed };
      add(
        await measured('P11', "the log on KurrentDB against its server's bare client", () => onKurrent(folders, order)),
      );
    }
    const skipped: Record<string, string> = {};
    if (['P12', 'P13', 'P14'].some(wanted)) {
      const servers = await startServers(folders).catch((error: unknown) => {
        // A machine with nothing but Node.js can measure all the rest.
        if (!(error instanceof LocalBrokerError)) throw error;
        for (const part of ['P12', 'P13', 'P14'].filter(wanted)) skipped[part] = error.message;
        say(`\n${Object.keys(skipped).join(', ')}  skipped: ${error.message}`);
        return undefined;
      });
      try {
        if (servers !== undefined) await onKafka(servers);
      } finally {
        await servers?.stop();
      }
    }
    if (values.json === true)
      process.stdout.write(`${JSON.stringify({ machine: facts, results, skipped }, null, 2)}\n`);
    requireFinite(results);
  } finally {
    folders.remove();
  }
};

/** A bench that measured nothing has failed, whatever it printed. */
const requireFinite = (results: readonly Measured[]): void => {
  for (const { part, figures } of results) {
    for (const { name, value } of figures) {
      if (!Number.isFinite(value) || value <= 0) throw new Error(`${part}: "${name}" is ${value}`);
    }
  }
};

run().catch((error: unknown) => {
  process.stderr.write(
    `bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n\n${USAGE}\n`,
  );
  process.exit(1);
});
