import type { Caller } from '#directory/contract';
import type { SqlValue } from '#kernel';
import type { Visibility } from '#vocabulary';

/** What of an offer says who sees it. */
export interface OfferLabel {
  readonly id: string;
  /** The lead, whose record it is. */
  readonly provider: string;
  /** Every provider. */
  readonly providers: readonly string[];
  readonly draft: boolean;
  readonly visibility: Visibility;
  readonly named: readonly string[];
}

/** How this caller stands to this offer beside its label. */
export interface Bonds {
  /** Its party is a side, agency or signatory of a commitment on the offer. */
  readonly party: boolean;
  /** It hosts an open need that the offer could match: what the label `eligible` asks of the receiving side. */
  readonly eligible: boolean;
}

/**
 * Auditors without a mandate and operators see what anyone sees; every other token belongs to a member (DOMAIN, visibility; API, callers).
 */
const isMember = ({ anonymous, party, roles }: Caller): boolean =>
  !anonymous &&
  !party.startsWith('auditor:') &&
  (roles.length === 0 || roles.some((role) => role !== 'auditor' && role !== 'operator'));

/** True where a mandate of the calling auditor covers the offer; a sealed one only by its owner's own mandate. */
export const isMandated = ({ mandates }: Caller, { id, provider, providers, visibility }: OfferLabel): boolean =>
  mandates.some(
    (mandate) =>
      (mandate.everything || providers.some((party) => mandate.parties.has(party)) || mandate.records.has(id)) &&
      (mandate.sealed ? mandate.appointedBy === provider : visibility !== 'sealed'),
  );

/** Whether the caller sees the offer: every provider does; a draft is its lead's alone. */
export const seesOffer = (caller: Caller, offer: OfferLabel, bonds: Bonds): boolean => {
  if (!caller.anonymous && caller.party === offer.provider) return true;
  if (offer.draft) return false;
  if (!caller.anonymous && offer.providers.includes(caller.party)) return true;
  if (offer.visibility === 'public' || isMandated(caller, offer)) return true;
  if (!isMember(caller)) return false;
  return (
    bonds.party ||
    offer.visibility === 'members' ||
    (offer.visibility === 'eligible' && bonds.eligible) ||
    (offer.visibility === 'named' && offer.named.includes(caller.party))
  );
};

/** The same rule over the rows of the offer board (`o`): the two are tested against each other. */
export const seenOffers = (
  caller: Caller,
  eligible: ReadonlySet<string>,
): { readonly sql: string; readonly parameters: readonly SqlValue[] } => {
  const own = caller.anonymous ? '' : caller.party;
  const parameters: SqlValue[] = [own, own];
  const open = [
    "o.visibility = 'public'",
    "EXISTS (SELECT 1 FROM offer_facet f WHERE f.offer = o.id AND f.facet = 'provider' AND f.value = ?)",
  ];
  for (const { everything, parties, records, sealed, appointedBy } of caller.mandates) {
    const covered = everything
      ? '1'
      : "(EXISTS (SELECT 1 FROM offer_facet f WHERE f.offer = o.id AND f.facet = 'provider' AND f.value IN (SELECT value FROM json_each(?))) OR o.id IN (SELECT value FROM json_each(?)))";
    if (!everything) parameters.push(JSON.stringify([...parties]), JSON.stringify([...records]));
    open.push(`(${covered} AND ${sealed ? 'o.provider = ?' : "o.visibility <> 'sealed'"})`);
    if (sealed) parameters.push(appointedBy);
  }
  if (isMember(caller)) {
    open.push(
      "o.visibility = 'members'",
      'EXISTS (SELECT 1 FROM offer_party p WHERE p.offer = o.id AND p.party = ?)',
      "(o.visibility = 'eligible' AND o.id IN (SELECT value FROM json_each(?)))",
      "(o.visibility = 'named' AND EXISTS (SELECT 1 FROM offer_facet f WHERE f.offer = o.id AND f.facet = 'named' AND f.value = ?))",
    );
    parameters.push(own, JSON.stringify([...eligible]), own);
  }
  return { sql: `(o.provider = ? OR (o.draft = 0 AND (${open.join(' OR ')})))`, parameters };
};
