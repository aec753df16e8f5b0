import type { ConnectionId, TenantId } from '@switchboard/contracts';
import type { RoutingIdentifier, WebhookPart } from '@switchboard/providers';

/** A connection as far as a part's way is decided by it. */
export type Candidate = { readonly tenantId: TenantId; readonly connectionId: ConnectionId; readonly isActive: boolean; readonly isEnabled: boolean; /** Milliseconds since the epoch; while it waits to become active. */ readonly pendingSince?: number | undefined };

export type AssignedParts<C extends Candidate> = {
  /** Verified by the secret of their own connection. */
  readonly accepted: readonly { readonly part: WebhookPart; readonly connection: C }[];
  /** They name a connected account whose secret did not verify the body: somebody else's word about it. */
  readonly refused: readonly WebhookPart[];
  /** Verified as a connection's that is not active yet, or not in our copy: soon somebody's, so they must come again. */
  readonly early: readonly WebhookPart[];
  /** The same, of one that has waited so long that coming again for it would never end. */
  readonly overdue: readonly { readonly part: WebhookPart; readonly reason: string }[];
  /** Nobody's, as far as can be told. */
  readonly unowned: readonly { readonly part: WebhookPart; readonly reason: string }[];
};

type Context<C extends Candidate> = {
  readonly find: (identifier: RoutingIdentifier) => readonly C[];
  readonly isVerified: (connection: C) => boolean;
  readonly addressee: C | undefined;
  /** The addressee has the account that the part names, and no other connection's claim to the same numbers counts at its URL. */
  readonly isAddressees: (part: WebhookPart) => boolean;
  /**
   * The accounts are numbers that every server counts for itself: many connections have the same, and one that did not sign says nothing of whose it is.
   * Elsewhere a part is never the wider account's when the specific one is connected.
   */
  readonly hasLocalIds: boolean;
  /** Milliseconds since the epoch: what waits since before is not waited for any more. */
  readonly awaitedSinceMin: number;
};

/**
 * Says whose each part is. A part is accepted only when the secret of its own connection verified the body: a tenant that knows its own
 * secret (or one that many share) must not speak for another's account. `addressee` is the connection of the URL it came to; only its
 * tenant's parts are taken there. Pure.
 */
export function assignParts<C extends Candidate>(
  parts: readonly WebhookPart[],
  context: Context<C>,
): AssignedParts<C> {
  const accepted: { part: WebhookPart; connection: C }[] = [];
  const refused: WebhookPart[] = [];
  const early: WebhookPart[] = [];
  const overdue: { part: WebhookPart; reason: string }[] = [];
  const unowned: { part: WebhookPart; reason: string }[] = [];
  for (const part of parts) {
    if (context.addressee?.isActive === true && context.isVerified(context.addressee) && context.isAddressees(part)) {
      accepted.push({ part, connection: context.addressee });
      continue;
    }
    const candidates = connectedTo(part, context);
    const verified = candidates.filter(context.isVerified);
    const awaited = candidates.length === 0 || (context.hasLocalIds && verified.length === 0) ? awaitedBy(part, context) : [];
    if (awaited.length > 0) {
      if (awaited.some(({ pendingSince }) => pendingSince === undefined || pendingSince >= context.awaitedSinceMin)) early.push(part);
      else overdue.push({ part, reason: 'its connection has waited too long for working credentials' });
      continue;
    }
    if (candidates.length === 0) {
      unowned.push({ part, reason: 'no active connection has this account' });
      continue;
    }
    const owner = verified.find((candidate) => candidate.connectionId === context.addressee?.connectionId) ?? verified.toSorted(byId)[0];
    if (owner === undefined) refused.push(part);
    else if (verified.some((candidate) => candidate.tenantId !== owner.tenantId)) unowned.push({ part, reason: 'several tenants have this account' });
    else if (context.addressee !== undefined && context.addressee.tenantId !== owner.tenantId) unowned.push({ part, reason: 'it came to the URL of another tenant\'s connection' });
    else accepted.push({ part, connection: owner });
  }
  return { accepted, refused, early, overdue, unowned };
}

/**
 * The active connections of the most specific identifier that has any; with local ids, that has any whose secret signed it. What a tenant has switched off
 * is not its wider account's instead: it would be answered from another number.
 */
function connectedTo<C extends Candidate>(part: WebhookPart, { find, isVerified, hasLocalIds }: Context<C>): readonly C[] {
  let first: readonly C[] | undefined;
  const switchedOff: C[] = [];
  for (const identifier of part.routingIdentifiers) {
    const known = find(identifier);
    // Only the same tenant's secrets are tried here: strangers cannot use up those that may be.
    const isOff = ({ tenantId }: C) => switchedOff.some((off) => off.tenantId === tenantId && isVerified(off));
    const active = known.filter((candidate) => candidate.isActive && !isOff(candidate));
    if (!hasLocalIds) switchedOff.push(...known.filter(({ isEnabled }) => !isEnabled));
    if (active.length === 0) continue;
    if (!hasLocalIds || active.some(isVerified)) return active;
    first ??= active;
  }
  return first ?? [];
}

/** Connections that wait to become active and have the account and the secret, where the URL is not another tenant's. */
function awaitedBy<C extends Candidate>(part: WebhookPart, { find, isVerified, addressee, isAddressees }: Context<C>): readonly C[] {
  const own = addressee !== undefined && isAddressees(part) ? [addressee] : [];
  const waiting = [...own, ...part.routingIdentifiers.flatMap(find)].filter((candidate) => candidate.isEnabled && !candidate.isActive);
  return waiting.filter((candidate) => (addressee === undefined || addressee.tenantId === candidate.tenantId) && isVerified(candidate));
}

/** Ids sort by age: where several connections of one tenant have a part, it is the oldest one's, every time. */
function byId(a: Candidate, b: Candidate): number {
  return a.connectionId < b.connectionId ? -1 : 1;
}
