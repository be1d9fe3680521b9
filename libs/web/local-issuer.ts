import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { CryptoKey, JWK } from 'jose';
import { calculateJwkThumbprint, importJWK, SignJWT } from 'jose';
import { secretFile } from './key-folder.js';

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

const newKey = (): string => {
  const { privateKey } = generateKeyPairSync('ed25519');
  return `${JSON.stringify(privateKey.export({ format: 'jwk' }))}\n`;
};

/** Issues and verifies tokens with the EdDSA key of one data folder, so that they survive restarts. */
export class LocalIssuer {
  private constructor(
    private readonly privateKey: CryptoKey,
    readonly publicKey: CryptoKey,
    private readonly kid: string,
  ) {}

  /** The issuer of a data folder: its key is made where absent, also before a server ever ran there. */
  static open(dataFolder: string): Promise<LocalIssuer> {
    return LocalIssuer.from(JSON.parse(secretFile(dataFolder, 'local-issuer.jwk', newKey)) as JWK);
  }

  /** An issuer whose key is gone with the process. */
  static inMemory(): Promise<LocalIssuer> {
    return LocalIssuer.from(JSON.parse(newKey()) as JWK);
  }

  private static async from(jwk: JWK): Promise<LocalIssuer> {
    const { d: _private, ...publicJwk } = jwk;
    const [privateKey, publicKey] = await Promise.all([importJWK(jwk, 'EdDSA'), importJWK(publicJwk, 'EdDSA')]);
    return new LocalIssuer(privateKey as CryptoKey, publicKey as CryptoKey, await calculateJwkThumbprint(publicJwk));
  }

  /** A signed token. What it claims is not judged here: that is the reader's part. */
  token({
    party,
    roles,
    sub,
    audience = DEFAULT_AUDIENCE,
    issuedAt = new Date(),
    lifetimeSeconds = LIFETIME_S,
  }: TokenRequest): Promise<string> {
    const now = Math.floor(issuedAt.getTime() / 1000);
    return new SignJWT({ party, roles: [...roles] })
      .setProtectedHeader({ alg: 'EdDSA', kid: this.kid, typ: 'JWT' })
      .setIssuer(LOCAL_ISSUER)
      .setAudience(audience)
      .setSubject(sub ?? `${roles.join('+')}@${party}`)
      .setIssuedAt(now)
      .setExpirationTime(now + lifetimeSeconds)
      .setJti(randomUUID())
      .sign(this.privateKey);
  }
}
