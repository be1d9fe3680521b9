import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { CryptoKey, JWK } from 'jose';
import { calculateJwkThumbprint, errors, importJWK, SignJWT } from 'jose';
import { KeyRing } from './key-ring.js';

export const LOCAL_ISSUER = 'pledgebook-local';
export const DEFAULT_AUDIENCE = 'pledgebook';
/** Tokens of the local issuer live this long. */
const LIFETIME_S = 12 * 60 * 60;

/** Whom a token is for. */
export interface TokenRequest {
  readonly party: string;
  readonly roles: readonly string[];
  /** The person; one per party and role unless told. */
  readonly sub?: string;
  readonly audience?: string;
  /** When it is issued; now unless told. */
  readonly issuedAt?: Date;
  readonly lifetimeSeconds?: number;
}

/** The file that holds its key. */
const ISSUER_KEY = 'local-issuer.jwk';

const newKey = (): string => {
  const { privateKey } = generateKeyPairSync('ed25519');
  return `${JSON.stringify(privateKey.export({ format: 'jwk' }))}\n`;
};

const publicOf = (key: string): string => {
  const { d: _private, ...jwk } = JSON.parse(key) as JWK;
  return JSON.stringify(jwk);
};

const RULES = {
  make: newKey,
  remains: publicOf,
  // A token that another process signs just before it sees the new key lives a little longer.
  keepMs: (LIFETIME_S + 60) * 1000,
};

/** Issues and verifies tokens with the EdDSA key of one data folder, so that they survive restarts. */
export class LocalIssuer {
  private readonly keys = new Map<string, Promise<{ readonly kid: string; readonly key: CryptoKey }>>();

  private constructor(private readonly ring: KeyRing) {}

  /** The issuer of a data folder: its key is made where absent, also before a server ever ran there. */
  static open(dataFolder: string): LocalIssuer {
    return new LocalIssuer(KeyRing.open(dataFolder, ISSUER_KEY, RULES));
  }

  /** An issuer whose key is gone with the process. */
  static inMemory(): LocalIssuer {
    return new LocalIssuer(KeyRing.inMemory(RULES));
  }

  /**
   * An issuer whose keys are configured, as JWKs: the first signs, what any of them signed is accepted. Where the first is a public key it
   * issues nothing: enough for who only verifies.
   */
  static configured(jwks: readonly string[]): LocalIssuer {
    return new LocalIssuer(KeyRing.configured(RULES, jwks));
  }

  /** The issuer of a folder of keys that several processes read; undefined where it holds none. */
  static shared(folder: string): LocalIssuer | undefined {
    const ring = KeyRing.shared(folder, ISSUER_KEY, RULES);
    return ring === undefined ? undefined : new LocalIssuer(ring);
  }

  /** Signs with a new key from now on; answers until when tokens signed before are accepted at most. */
  rotate(at: Date): Date {
    return this.ring.rotate(at);
  }

  /**
   * The public key that tokens with this `kid` are verified with at `at`.
   * @throws {errors.JWKSNoMatchingKey} where it is none of ours, or was retired too long ago
   */
  async publicKey(kid: string | undefined, at: Date): Promise<CryptoKey> {
    for (const text of [this.ring.current, ...this.ring.older(at)].map(publicOf)) {
      const known = await this.imported(text);
      if (known.kid === kid) return known.key;
    }
    throw new errors.JWKSNoMatchingKey();
  }

  private imported(text: string): Promise<{ readonly kid: string; readonly key: CryptoKey }> {
    let known = this.keys.get(text);
    if (known === undefined) {
      const jwk = JSON.parse(text) as JWK;
      known = Promise.all([calculateJwkThumbprint(jwk), importJWK(jwk, 'EdDSA')]).then(([kid, key]) => ({
        kid,
        key: key as CryptoKey,
      }));
      this.keys.set(text, known);
    }
    return known;
  }

  /** A signed token. What it claims is not judged here: that is the reader's part. */
  async token({
    party,
    roles,
    sub,
    audience = DEFAULT_AUDIENCE,
    issuedAt = new Date(),
    lifetimeSeconds = LIFETIME_S,
  }: TokenRequest): Promise<string> {
    const now = Math.floor(issuedAt.getTime() / 1000);
    const { current } = this.ring;
    const [{ kid }, signing] = await Promise.all([this.imported(publicOf(current)), this.imported(current)]);
    return new SignJWT({ party, roles: [...roles] })
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'JWT' })
      .setIssuer(LOCAL_ISSUER)
      .setAudience(audience)
      .setSubject(sub ?? `${roles.join('+')}@${party}`)
      .setIssuedAt(now)
      .setExpirationTime(now + lifetimeSeconds)
      .setJti(randomUUID())
      .sign(signing.key);
  }
}
