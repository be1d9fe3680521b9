import { join } from 'node:path';
import { keptSecrets, keyFolder, replaceSecretAt, secretFile } from './key-folder.js';

/** A key that no longer makes anything, but whose marks are still accepted. */
export interface RetiredKey {
  /** What is needed to recognise its marks: the key itself, or its public half. */
  readonly key: string;
  /** Until when, RFC 3339 UTC. */
  readonly until: string;
}

/** The keys are not this process's to replace. */
export class ConfiguredKeyError extends Error {
  override readonly name = 'ConfiguredKeyError';
}

export interface KeyRingRules {
  /** A fresh key, as text. */
  readonly make: () => string;
  /** What is kept of a key once it is retired; all of it unless told. */
  readonly remains?: (key: string) => string;
  /** How long a retired key's marks are accepted, in milliseconds. */
  readonly keepMs: number;
}

/** What a ring consists of at a moment. */
interface Keys {
  readonly key: string;
  readonly retired: readonly RetiredKey[];
}

/** How soon a process that runs takes up keys that were replaced in a folder it only reads. */
const LOOK_AGAIN_MS = 5_000;
/** A key that is configured is accepted as long as it is. */
const FOR_EVER = '9999-12-31T00:00:00.000Z';

/** A key of the service that the operator replaces now and then: what carries the mark of an older one stays good for a while. */
export class KeyRing {
  private constructor(
    private readonly rules: KeyRingRules,
    private keys: Keys,
    /** Undefined: the keys are configured, not this process's to replace. */
    private readonly save: ((keys: Keys) => void) | undefined,
    /** What is configured now, where that may change while the process runs. */
    private readonly look: () => Keys | undefined = () => undefined,
  ) {}

  /** The ring in `<data>/keys/<name>` (and `<name>.retired`); its first key is made where absent. */
  static open(dataFolder: string, name: string, rules: KeyRingRules): KeyRing {
    const key = secretFile(dataFolder, name, rules.make);
    const folder = keyFolder(dataFolder);
    return new KeyRing(rules, KeyRing.read(folder, name) ?? { key, retired: [] }, savedIn(folder, name));
  }

  /** The ring in `<folder>/<name>` (and `<name>.retired`), to replace its key. Undefined where there is no such key. */
  static keptIn(folder: string, name: string, rules: KeyRingRules): KeyRing | undefined {
    const keys = KeyRing.read(folder, name);
    return keys === undefined ? undefined : new KeyRing(rules, keys, savedIn(folder, name));
  }

  private static read(folder: string, name: string): Keys | undefined {
    const key = keptSecrets(folder, name);
    if (key === undefined) return undefined;
    const kept = keptSecrets(folder, `${name}.retired`);
    return { key, retired: kept === undefined ? [] : (JSON.parse(kept) as readonly RetiredKey[]) };
  }

  /** The ring of keys that were configured: the first makes marks, those of all are accepted. @throws {RangeError} without any */
  static configured(rules: KeyRingRules, [key, ...older]: readonly string[]): KeyRing {
    if (key === undefined) throw new RangeError('a ring has at least one key');
    return new KeyRing(rules, { key, retired: older.map((each) => ({ key: each, until: FOR_EVER })) }, undefined);
  }

  /**
   * The ring in `<folder>/<name>` (and `<name>.retired`), which several processes read and none of them writes: what is replaced there is
   * taken up within seconds. Undefined where there is no such key.
   */
  static shared(folder: string, name: string, rules: KeyRingRules): KeyRing | undefined {
    const read = (): Keys | undefined => KeyRing.read(folder, name);
    const keys = read();
    if (keys === undefined) return undefined;
    let lookedAt = performance.now();
    return new KeyRing(rules, keys, undefined, () => {
      const now = performance.now();
      if (now - lookedAt < LOOK_AGAIN_MS) return undefined;
      lookedAt = now;
      try {
        return read();
      } catch {
        // Half-way through being replaced: the next look finds it whole.
        return undefined;
      }
    });
  }

  /** A ring that is gone with the process. */
  static inMemory(rules: KeyRingRules): KeyRing {
    return new KeyRing(rules, { key: rules.make(), retired: [] }, () => undefined);
  }

  /** The key that new marks are made with. */
  get current(): string {
    return this.now().key;
  }

  /** What older keys left behind and is accepted at `at`, newest first. */
  older(at: Date): readonly string[] {
    return this.now()
      .retired.filter(({ until }) => new Date(until) > at)
      .map(({ key }) => key);
  }

  /** Replaces the current key; answers until when the one before is accepted. @throws {ConfiguredKeyError} */
  rotate(at: Date): Date {
    if (this.save === undefined) throw new ConfiguredKeyError('the keys are configured: replace them there');
    const { make, remains = (key: string): string => key, keepMs } = this.rules;
    const until = new Date(at.getTime() + keepMs);
    const retired = [
      { key: remains(this.keys.key), until: until.toISOString() },
      ...this.keys.retired.filter((older) => new Date(older.until) > at),
    ];
    const next = { key: make(), retired };
    this.save(next);
    this.keys = next;
    return until;
  }

  private now(): Keys {
    this.keys = this.look() ?? this.keys;
    return this.keys;
  }
}

const savedIn =
  (folder: string, name: string) =>
  ({ key, retired }: Keys): void => {
    // The retired one first: a stop in between leaves it in both places, never in none.
    replaceSecretAt(join(folder, `${name}.retired`), `${JSON.stringify(retired, null, 2)}\n`);
    replaceSecretAt(join(folder, name), key);
  };
