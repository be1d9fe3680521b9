import { keptSecrets, replaceSecret, secretFile } from './key-folder.js';

/** A key that no longer makes anything, but whose marks are still accepted. */
export interface RetiredKey {
  /** What is needed to recognise its marks: the key itself, or its public half. */
  readonly key: string;
  /** Until when, RFC 3339 UTC. */
  readonly until: string;
}

export interface KeyRingRules {
  /** A fresh key, as text. */
  readonly make: () => string;
  /** What is kept of a key once it is retired; all of it unless told. */
  readonly remains?: (key: string) => string;
  /** How long a retired key's marks are accepted, in milliseconds. */
  readonly keepMs: number;
}

/** A key of the service that the operator replaces now and then: what carries the mark of an older one stays good for a while. */
export class KeyRing {
  private constructor(
    private readonly rules: KeyRingRules,
    private key: string,
    private retired: readonly RetiredKey[],
    private readonly save: (key: string, retired: readonly RetiredKey[]) => void,
  ) {}

  /** The ring in `<data>/keys/<name>` (and `<name>.retired`); its first key is made where absent. */
  static open(dataFolder: string, name: string, rules: KeyRingRules): KeyRing {
    const key = secretFile(dataFolder, name, rules.make);
    const kept = keptSecrets(dataFolder, `${name}.retired`);
    const retired = kept === undefined ? [] : (JSON.parse(kept) as readonly RetiredKey[]);
    return new KeyRing(rules, key, retired, (next, older) => {
      // The retired one first: a stop in between leaves it in both places, never in none.
      replaceSecret(dataFolder, `${name}.retired`, `${JSON.stringify(older, null, 2)}\n`);
      replaceSecret(dataFolder, name, next);
    });
  }

  /** A ring that is gone with the process. */
  static inMemory(rules: KeyRingRules): KeyRing {
    return new KeyRing(rules, rules.make(), [], () => undefined);
  }

  /** The key that new marks are made with. */
  get current(): string {
    return this.key;
  }

  /** What older keys left behind and is accepted at `at`, newest first. */
  older(at: Date): readonly string[] {
    return this.retired.filter(({ until }) => new Date(until) > at).map(({ key }) => key);
  }

  /** Replaces the current key; answers until when the one before is accepted. */
  rotate(at: Date): Date {
    const { make, remains = (key: string): string => key, keepMs } = this.rules;
    const until = new Date(at.getTime() + keepMs);
    const retired = [
      { key: remains(this.key), until: until.toISOString() },
      ...this.retired.filter((older) => new Date(older.until) > at),
    ];
    const key = make();
    this.save(key, retired);
    this.key = key;
    this.retired = retired;
    return until;
  }
}
