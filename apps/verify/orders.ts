import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Given, keysIn, type Trust } from '#evidence';
import { TlogRefusal, VerifierKey } from '#tlog';

export const USAGE = `pledgebook-verify <bundle.zip | folder | url of a server> [options]

  --key <key or file>        the log's verifier key, from elsewhere than what is verified; a file of several lines, as
                             /log/verifier-keys has them, names those that were rotated out, too
  --witness <key or file>    a witness that must have cosigned; may be said again
  --need <k>                 so many of the witnesses suffice
  --receipt <file>           a .tlog-proof that was handed out: its event must be there; may be said again
  --checkpoint <file>        a checkpoint seen before: the log must only have grown since; may be said again (also --since)

A bundle or a folder is verified offline. Of a server, checkpoint and tiles are fetched from <url>/log/.
Exit codes: 0 verified, 1 refused or in doubt, 64 wrong usage.`;

/** Wrong usage, with a sentence for people. */
export class UsageError extends Error {}

export interface Orders {
  readonly subject: string;
  readonly trust: Trust;
}

/** What the arguments ask for; undefined where they ask for help. @throws {UsageError} */
export const ordersIn = (args: readonly string[]): Orders | undefined => {
  const { values, positionals } = parsed(args);
  if (values.help === true) return undefined;
  const [subject, ...more] = positionals;
  if (subject === undefined) throw new UsageError('say what to verify: a bundle, a folder or the url of a server');
  if (more.length > 0) throw new UsageError(`"${more.join(' ')}" is one argument too many`);
  const witnesses = (values.witness ?? []).map((text) =>
    keyOf(text, '--witness', (given) => VerifierKey.parse(given.trimEnd())),
  );
  const need = needIn(values.need, witnesses.length);
  return {
    subject,
    trust: {
      ...(values.key === undefined ? {} : keysOf(values.key)),
      witnesses,
      ...(need === undefined ? {} : { need }),
      receipts: (values.receipt ?? []).map((path) => fileOf(path, '--receipt')),
      checkpoints: [...(values.checkpoint ?? []), ...(values.since ?? [])].map((path) => fileOf(path, '--checkpoint')),
    },
  };
};

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        key: { type: 'string' },
        witness: { type: 'string', multiple: true },
        need: { type: 'string' },
        receipt: { type: 'string', multiple: true },
        checkpoint: { type: 'string', multiple: true },
        since: { type: 'string', multiple: true },
      },
    });
  } catch (error) {
    throw new UsageError(reasonOf(error));
  }
};

const needIn = (text: string | undefined, witnesses: number): number | undefined => {
  if (text === undefined) return undefined;
  const need = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : 0;
  if (need < 1 || need > witnesses)
    throw new UsageError(
      `--need is ${text}: say a number from 1 to ${witnesses}, which is how many witnesses are named`,
    );
  return need;
};

const keysOf = (given: string): ReturnType<typeof keysIn> => keyOf(given, '--key', keysIn);

/** A key as text, or in a file. */
const keyOf = <T>(given: string, option: string, read: (text: string) => T): T => {
  try {
    return read(existsSync(given) ? readFileSync(given, 'utf8') : given);
  } catch (error) {
    if (error instanceof TlogRefusal)
      throw new UsageError(`${option}: ${error.message}, and ${given} is no file with one`);
    throw new UsageError(`${option}: ${reasonOf(error)}`);
  }
};

const fileOf = (name: string, option: string): Given => {
  try {
    return { name, bytes: readFileSync(name) };
  } catch (error) {
    throw new UsageError(`${option}: ${reasonOf(error)}`);
  }
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
