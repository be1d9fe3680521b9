import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { Clock } from '#kernel';
import { recentlyUsed } from '#kernel';
import type { PartyId, PartyKind, Role } from '#vocabulary';
import { isPartyId, isRole, partyKind } from '#vocabulary';
import type { LocalIssuer } from './local-issuer.js';
import { LOCAL_ISSUER } from './local-issuer.js';

/** What a token that was verified says. `subject` is still the issuer's own name of the person: it never leaves this layer. */
export interface VerifiedToken {
  readonly issuer: string;
  readonly subject: string;
  readonly party: PartyId;
  readonly roles: readonly Role[];
}

/** Why a token is not accepted; the reason goes to the log, never to the caller in detail. */
export class BadTokenError extends Error {
  override readonly name = 'BadTokenError';
}

/** The issuer's keys cannot be had now: nothing is known about the token. */
export class IdentityProviderError extends Error {
  override readonly name = 'IdentityProviderError';
}

// What jose throws where fetching keys went wrong, not the token.
const OF_THE_PROVIDER = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']);

/** Whose tokens are accepted. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  readonly keys: JWTVerifyGetKey;
}

/** The issuer of this data folder. */
export const trustLocal = (local: LocalIssuer, audience: string, clock: Clock): TrustedIssuer => ({
  issuer: LOCAL_ISSUER,
  audience,
  algorithms: ['EdDSA'],
  keys: ({ kid }) => local.publicKey(kid, clock.now()),
});

/**
 * An OpenID Connect issuer: its signing keys are fetched when first needed and again when an unknown key id appears.
 * @param jwksUri where absent it is read from the issuer's discovery document
 */
export const trustOidc = (issuer: string, audience: string, jwksUri?: string): TrustedIssuer => {
  let keys: JWTVerifyGetKey | undefined;
  return {
    issuer,
    audience,
    algorithms: ['EdDSA', 'ES256', 'ES384', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
    keys: async (header, token) => {
      keys ??= createRemoteJWKSet(new URL(jwksUri ?? (await discoveredJwks(issuer))));
      return keys(header, token);
    },
  };
};

const discoveredJwks = async (issuer: string): Promise<string> => {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(address, { signal: AbortSignal.timeout(5_000) });
  const document = (await response.json()) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
  if (document.issuer !== issuer || typeof document.jwks_uri !== 'string') {
    throw new IdentityProviderError(`${address} does not describe ${issuer}`);
  }
  return document.jwks_uri;
};

// DOMAIN, roles table. Secretariats are agencies; hosting staff may stand under any party.
const FITTING: Readonly<Record<Role, readonly PartyKind[]>> = {
  npc: ['state', 'authority'],
  mission: ['state', 'authority'],
  'line-ministry': ['state', 'authority'],
  'donor-desk': ['donor', 'fund', 'state', 'authority'],
  implementer: ['agency'],
  'fiscal-agent': ['agency'],
  'network-host': ['network'],
  coordinator: ['agency'],
  auditor: ['auditor'],
  operator: ['agency', 'state', 'authority', 'donor', 'fund', 'network', 'auditor'],
};

const MAX_TOKEN_LENGTH = 8_192;
const MAX_CACHED = 10_000;
/** However long a token lives: a key that is retired meanwhile must come to count. */
const MAX_CACHED_MS = 60 * 60 * 1000;

interface Cached {
  readonly token: VerifiedToken;
  readonly expiresAtMs: number;
}

/** Verifies bearer tokens, each once an hour: a signature check costs about as much as a whole write. */
export class TokenVerifier {
  private readonly cache = recentlyUsed<string, Cached>(MAX_CACHED);

  constructor(
    private readonly trusted: TrustedIssuer,
    private readonly clock: Clock,
  ) {}

  /** What the token says if it was verified before and still lives. */
  known(token: string): VerifiedToken | undefined {
    const cached = this.cache.get(token);
    if (cached === undefined) return undefined;
    if (cached.expiresAtMs > this.clock.now().getTime()) return cached.token;
    this.cache.delete(token);
    return undefined;
  }

  /** @throws {BadTokenError} */
  async verify(token: string): Promise<VerifiedToken> {
    const known = this.known(token);
    if (known !== undefined) return known;
    if (token.length > MAX_TOKEN_LENGTH) throw new BadTokenError('longer than any token of ours');
    const { payload } = await this.verified(token);
    const verified = readClaims(payload, this.trusted.issuer);
    const expiresAtMs = Math.min((payload.exp ?? 0) * 1000, this.clock.now().getTime() + MAX_CACHED_MS);
    this.cache.set(token, { token: verified, expiresAtMs });
    return verified;
  }

  private async verified(token: string): Promise<{ readonly payload: JWTPayload }> {
    const { issuer, audience, algorithms, keys } = this.trusted;
    try {
      return await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: [...algorithms],
        requiredClaims: ['sub', 'exp'],
        currentDate: this.clock.now(),
      });
    } catch (error) {
      if (error instanceof BadTokenError) throw error;
      if (error instanceof errors.JOSEError && !OF_THE_PROVIDER.has(error.code)) {
        throw new BadTokenError(error.message, { cause: error });
      }
      throw new IdentityProviderError('the signing keys cannot be fetched', { cause: error });
    }
  }
}

/**
 * Roles that the party's kind can never hold are left out: the token is genuine, but nobody becomes a coordinator by claim of a
 * State's office.
 */
const readClaims = ({ sub, party, roles }: JWTPayload, issuer: string): VerifiedToken => {
  if (typeof sub !== 'string' || sub === '' || sub.length > 1_000 || !sub.isWellFormed())
    throw new BadTokenError('sub is not a text');
  if (!isPartyId(party)) throw new BadTokenError('party is not a party id');
  if (!Array.isArray(roles) || roles.length === 0 || roles.length > 20 || !roles.every(isRole)) {
    throw new BadTokenError('roles is not a list of known roles');
  }
  const kind = partyKind(party);
  return { issuer, subject: sub, party, roles: [...new Set(roles)].filter((role) => FITTING[role].includes(kind)) };
};
