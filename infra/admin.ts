import { existsSync, readFileSync } from 'node:fs';
import { readEcbFile } from '#accounts';
import { LocalIssuer } from '#web';
import { readSettings, type Settings } from '../apps/pledgebook/settings.js';

const USAGE = `npm run admin -- <command>      asks the running server of PORT (3000 unless set)

  projections                   every read model: version, position, lag, and the event it is parked at
  rebuild <projection>          builds a read model anew from the log; the old one serves meanwhile
  release <projection>          tries the event that parked it again, after the fix
  processes                     every process: position, lag, and the events it keeps failing on
  dead-letters                  the streams that processes gave up on (services on Kafka; one process tries for ever)
  replay <process> [stream]     has it take them up again, or one of them, after the fix
  rotate-keys                   new keys for tokens of the local issuer, and for cursors and consistency tokens;
                                what the old keys signed stays valid for 12 hours
  load-rates <file> <source>    reference rates of a file as the European Central Bank publishes it (CSV, a row per day,
                                units for one euro), recorded under that source; what is recorded already stays

The token comes from the data folder (PLEDGEBOOK_DATA, ./data unless set), or from PLEDGEBOOK_TOKEN.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no server answers.`;

const EXIT = { refused: 1, usage: 2, unreachable: 3 } as const;

/** Ends the command with a sentence for people. */
class CommandError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

interface Poison {
  readonly position: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly error: string;
}

interface Projection {
  readonly name: string;
  readonly version: number;
  readonly state: string;
  readonly position: string;
  readonly lag: string;
  readonly parked?: Poison;
  readonly rebuildingSince?: string;
}

interface Process {
  readonly name: string;
  readonly position: string;
  readonly lag: string;
  readonly stuck: readonly (Poison & { readonly attempts: number; readonly since: string })[];
}

interface DeadLetter {
  readonly process: string;
  readonly stream: string;
  readonly revision: number;
  readonly eventType: string;
  readonly reason: string;
  readonly attempts: number;
  readonly since: string;
}

/** The running server, as the operator asks it. */
class Server {
  private constructor(
    private readonly address: string,
    private readonly token: string,
    private readonly folder: string,
  ) {}

  static async reach(settings: Settings): Promise<Server> {
    const { host, port, dataFolder } = settings;
    // A server that listens everywhere is asked on this machine's own address.
    const own = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
    const address = `http://${own.includes(':') ? `[${own}]` : own}:${port}`;
    const alive = await fetch(`${address}/healthz`).catch(() => undefined);
    if (alive?.ok !== true) {
      throw new CommandError(
        EXIT.unreachable,
        `no Pledgebook server answers on ${address}: start it with npm start, or set PORT to the port it listens on`,
      );
    }
    await alive.arrayBuffer();
    return new Server(address, await tokenFor(settings), dataFolder);
  }

  get<T>(path: string): Promise<T> {
    return this.ask<T>('GET', path);
  }

  post<T>(path: string, body: object = {}): Promise<T> {
    return this.ask<T>('POST', path, body);
  }

  record<T>(path: string, body: object): Promise<T> {
    return this.ask<T>('POST', `../${path}`, body);
  }

  private async ask<T>(method: string, path: string, body: object = {}): Promise<T> {
    const response = await fetch(new URL(path, `${this.address}/v1/admin/`), {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json', prefer: 'wait=10' },
      ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
    });
    const answer = (await response.json()) as T & { readonly detail?: string };
    if (response.ok) return answer;
    throw new CommandError(EXIT.refused, this.refusal(response.status, answer.detail));
  }

  private refusal(status: number, detail: string | undefined): string {
    switch (status) {
      case 401:
        return `the server on ${this.address} does not accept this token: set PLEDGEBOOK_DATA to its data folder (not ${this.folder}), or PLEDGEBOOK_TOKEN to an operator's token of its identity provider`;
      case 404:
        return 'the server knows no such name: "npm run admin -- projections" lists the projections, "npm run admin -- processes" the processes';
      default:
        return detail ?? `the server answered ${status}`;
    }
  }
}

const tokenFor = async ({ dataFolder, audience, oidc }: Settings): Promise<string> => {
  const given = process.env.PLEDGEBOOK_TOKEN?.trim();
  if (given !== undefined && given !== '') return given;
  if (oidc !== undefined) {
    throw new CommandError(EXIT.refused, "set PLEDGEBOOK_TOKEN to an operator's token of your identity provider");
  }
  // Opening an issuer makes its key: not in a folder that no server ever used.
  if (!existsSync(dataFolder)) {
    throw new CommandError(EXIT.refused, `there is no data folder ${dataFolder}: set PLEDGEBOOK_DATA to the server's`);
  }
  return LocalIssuer.open(dataFolder).token({ party: 'agency:hosting', roles: ['operator'], audience });
};

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const poisonLine = ({ eventType, eventId, position, error }: Poison): string =>
  `${eventType} ${eventId} at position ${position}: ${error}`;

const printProjection = ({ name, version, state, position, lag, parked, rebuildingSince }: Projection): void => {
  const rebuilding = rebuildingSince === undefined ? '' : `, being rebuilt since ${rebuildingSince}`;
  print(`${name} v${version}: ${state} at ${position}, ${lag} behind${rebuilding}`);
  if (parked !== undefined) print(`  parked at ${poisonLine(parked)}`);
};

const printProcess = ({ name, position, lag, stuck }: Process): void => {
  print(`${name}: at ${position}, ${lag} behind, ${stuck.length} stuck`);
  for (const event of stuck) print(`  ${poisonLine(event)}, ${event.attempts} attempts since ${event.since}`);
};

const rebuild = async (server: Server, name: string): Promise<void> => {
  for (;;) {
    const projection = await server.post<Projection>(`projections/${encodeURIComponent(name)}/rebuild`);
    if (projection.rebuildingSince === undefined) {
      print(`${name} was rebuilt and serves at ${projection.position}`);
      return;
    }
    print(`${name} is being rebuilt since ${projection.rebuildingSince}`);
  }
};

const loadRates = async (server: Server, file: string, source: string): Promise<void> => {
  const batches = readEcbFile(readFileSync(file, 'utf8'));
  const reference = 'European Central Bank, euro foreign exchange reference rates';
  const days = batches.reduce((sum, batch) => sum + batch.length, 0);
  for (const batch of batches) {
    const { id, rates } = await server.record<{ readonly id: string; readonly rates: number }>('rates', {
      source,
      reference,
      base: 'EUR',
      days: batch,
    });
    print(`${id}: ${batch[0]?.on ?? ''} to ${batch.at(-1)?.on ?? ''}, ${rates} rates on record`);
  }
  print(`${days} days were read from ${file}; what was on record before stays as it was`);
};

/** Every instance of a service knows the letters of its processes: each is told once. */
const lettersIn = (items: readonly DeadLetter[]): readonly string[] => [
  ...new Set(
    items.map(
      ({ process, stream, revision, eventType, reason, attempts, since }) =>
        `${process}: ${stream} from revision ${revision} (${eventType}): ${reason}, ${attempts} attempts since ${since}`,
    ),
  ),
];

const replay = async (server: Server, process: string, stream: string): Promise<void> => {
  const { items } = await server.post<{ readonly items: readonly DeadLetter[] }>(
    `processes/${encodeURIComponent(process)}/replay`,
    stream === '' ? {} : { stream },
  );
  const streams = new Set(items.map((letter) => letter.stream));
  print(`${process} was asked to take up ${streams.size} ${streams.size === 1 ? 'stream' : 'streams'} again`);
  for (const each of streams) print(`  ${each}`);
};

const WANTED = ['nothing more', 'the name of one projection', 'a file and the name of its source'] as const;

const COMMANDS: Readonly<
  Record<
    string,
    {
      readonly takes: 0 | 1 | 2;
      readonly least?: 1;
      readonly run: (server: Server, first: string, second: string) => Promise<void>;
    }
  >
> = {
  projections: {
    takes: 0,
    run: async (server) => {
      const { items } = await server.get<{ readonly items: readonly Projection[] }>('projections');
      items.forEach(printProjection);
    },
  },
  processes: {
    takes: 0,
    run: async (server) => {
      const { items } = await server.get<{ readonly items: readonly Process[] }>('processes');
      items.forEach(printProcess);
    },
  },
  'dead-letters': {
    takes: 0,
    run: async (server) => {
      const { items } = await server.get<{ readonly items: readonly DeadLetter[] }>('dead-letters');
      const lines = lettersIn(items);
      if (lines.length === 0) print('no process gave up on anything');
      lines.forEach(print);
    },
  },
  replay: { takes: 2, least: 1, run: replay },
  rebuild: { takes: 1, run: rebuild },
  'load-rates': { takes: 2, run: loadRates },
  release: {
    takes: 1,
    run: async (server, name) => {
      printProjection(await server.post<Projection>(`projections/${encodeURIComponent(name)}/release`));
    },
  },
  'rotate-keys': {
    takes: 0,
    run: async (server) => {
      for (const name of ['local-issuer', 'seals']) {
        const { olderAcceptedUntil } = await server.post<{ readonly olderAcceptedUntil: string }>(
          `keys/${name}/rotate`,
        );
        print(`${name}: a new key is in use; what the one before signed is accepted until ${olderAcceptedUntil}`);
      }
    },
  },
};

const run = async ([name = '', ...parameters]: readonly string[]): Promise<void> => {
  if (name === '--help' || name === 'help') {
    print(USAGE);
    return;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new CommandError(EXIT.usage, USAGE);
  const { takes, least = takes } = command;
  if (parameters.length < least || parameters.length > takes) {
    const wanted = least === takes ? WANTED[takes] : 'the name of a process, and perhaps a stream';
    throw new CommandError(EXIT.usage, `${name} takes ${wanted}\n\n${USAGE}`);
  }
  await command.run(await Server.reach(readSettings(process.env)), parameters[0] ?? '', parameters[1] ?? '');
};

try {
  await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof CommandError ? error.code : EXIT.refused;
}
