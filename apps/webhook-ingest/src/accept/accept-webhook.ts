import type { ConnectionId } from '@switchboard/contracts';
import type { ProviderEntry, RawWebhook, RoutingIdentifier, WebhookPart } from '@switchboard/providers';
import { currentTrace } from '@switchboard/tenant-context';
import type { ConnectionDirectory, KnownConnection } from '../connections/connection-directory.ts';
import { assignParts, type AssignedParts } from '../domain/assign-parts.ts';
import { routingKey } from '../store/connections.ts';
import { contentKey, type ReceivedWebhook } from '../store/webhooks.ts';
import type { Quarantine } from './create-quarantine.ts';
import { createVerifier, type Verifier } from './create-verifier.ts';
import type { IngestMetrics } from './ingest-metrics.ts';

export type AcceptParts = {
  readonly directory: ConnectionDirectory;
  /** Resolves when they are durable. */
  readonly store: (webhooks: readonly ReceivedWebhook[]) => Promise<void>;
  readonly quarantine: Quarantine;
  readonly metrics: IngestMetrics;
  readonly now: () => Date;
};

/** 200: durable, or a repetition, or kept aside. 401: no secret of an account it names has signed it. 404: nobody's account. */
export type Answer = 200 | 401 | 404;

/**
 * Takes a webhook in: whose is it, did their secret sign it, and is it stored? Throws `storage.unavailable`, `service.unavailable` or
 * `service.timeout` where that cannot be told now; nothing is acknowledged then.
 */
export type AcceptWebhook = (entry: ProviderEntry, webhook: RawWebhook, addresseeId: ConnectionId | undefined) => Promise<Answer>;

export function createAcceptWebhook(parts: AcceptParts): AcceptWebhook {
  return async (entry, webhook, addresseeId) => {
    const addressee = addresseeId === undefined ? undefined : await parts.directory.findById(addresseeId);
    if (addresseeId !== undefined && (addressee === undefined || addressee.provider !== entry.id || !addressee.isEnabled)) {
      parts.metrics.count(entry.id, 'unknown');
      return 404;
    }
    const receivedAt = parts.now();
    const visit: Visit = { entry, webhook, addressee, receivedAt, verifier: createVerifier(entry.webhook.auth, webhook, receivedAt) };
    const split = entry.webhook.split(webhook);
    if (split.kind === 'unreadable') return await answerUnreadable(parts, visit, split.reason);

    const found = await findOwners(parts.directory, visit, split.parts.flatMap((part) => part.routingIdentifiers));
    const assigned = assignParts(split.parts, { find: found.find, isVerified: (connection) => visit.verifier.isSignedBy(connection), addressee });
    if (assigned.accepted.length > 0) return await answerAccepted(parts, visit, assigned);
    if (assigned.refused.length > 0) {
      parts.metrics.count(entry.id, 'refused', assigned.refused.length);
      return 401;
    }
    // Somebody may have them after all: the provider shall come again.
    if (found.failure !== undefined) throw found.failure;
    return await answerUnowned(parts, visit, assigned);
  };
}

/** One webhook on its way in. */
type Visit = { readonly entry: ProviderEntry; readonly webhook: RawWebhook; readonly addressee: KnownConnection | undefined; readonly receivedAt: Date; readonly verifier: Verifier };

type Owners = { readonly find: (identifier: RoutingIdentifier) => readonly KnownConnection[]; /** Why nobody can say whose the unknown ones are. */ readonly failure: unknown };

async function findOwners(directory: ConnectionDirectory, { entry }: Visit, identifiers: readonly RoutingIdentifier[]): Promise<Owners> {
  const distinct = new Map(identifiers.map((identifier) => [routingKey(entry.id, identifier), identifier]));
  const { byKey, failure } = await directory.findByIdentifiers(entry.id, [...distinct.values()]);
  return { find: (identifier) => byKey.get(routingKey(entry.id, identifier)) ?? [], failure };
}

async function answerAccepted(parts: AcceptParts, visit: Visit, { accepted, refused, unowned }: AssignedParts<KnownConnection>): Promise<Answer> {
  const { entry, receivedAt } = visit;
  const at = receivedAt.toISOString();
  const traceparent = currentTrace()?.traceparent;
  await parts.store(
    accepted.map(({ part, connection }) => ({
      tenantId: connection.tenantId,
      connectionId: connection.connectionId,
      provider: entry.id,
      eventKey: part.providerEventId ?? contentKey(connection.connectionId, part.body),
      orderingKey: part.orderingKey,
      body: part.body,
      receivedAt: at,
      traceparent,
    })),
  );
  parts.metrics.count(entry.id, 'accepted', accepted.length);
  // Somebody else's word about their account: dropped, not kept, though the rest of the body was good.
  if (refused.length > 0) parts.metrics.count(entry.id, 'refused', refused.length);
  if (unowned.length > 0) await keepAside(parts, visit, unowned, Buffer.from(`[${unowned.map(({ part }) => part.body).join(',')}]`));
  return 200;
}

/** All accounts are unknown. Signed with a secret we know, the provider would repeat it for days: it is told 200, and the platform can look at it. */
async function answerUnowned(parts: AcceptParts, visit: Visit, { unowned }: AssignedParts<KnownConnection>): Promise<Answer> {
  if (await isSignedByKnown(parts, visit, unowned.flatMap(({ part }) => part.relatedIdentifiers))) {
    await keepAside(parts, visit, unowned, visit.webhook.body);
    return 200;
  }
  parts.metrics.count(visit.entry.id, visit.addressee === undefined ? 'unknown' : 'refused');
  return visit.addressee === undefined ? 404 : 401;
}

async function answerUnreadable(parts: AcceptParts, visit: Visit, reason: string): Promise<Answer> {
  if (await isSignedByKnown(parts, visit, [])) {
    await keepAside(parts, visit, [{ reason }], visit.webhook.body);
    return 200;
  }
  parts.metrics.count(visit.entry.id, 'refused');
  return 401;
}

/** Bytes hashed for one webhook that nobody owns: strangers must not make us work for long. */
const hashedBytesMax = 16 * 1024 * 1024;
const likelySecretsMax = 64;

async function isSignedByKnown({ directory }: AcceptParts, visit: Visit, related: readonly RoutingIdentifier[]): Promise<boolean> {
  const { entry, webhook, addressee, verifier } = visit;
  // On a connection's own URL its secret alone counts.
  if (addressee !== undefined) return verifier.isSignedBy(addressee);
  if (!verifier.isPlausible) return false;
  const near = related.slice(0, likelySecretsMax);
  const { find } = await findOwners(directory, visit, near);
  if (near.flatMap(find).some((connection) => verifier.isSignedBy(connection))) return true;
  const attempts = Math.max(1, Math.min(likelySecretsMax, Math.floor(hashedBytesMax / Math.max(1, webhook.body.length))));
  const likely = await directory.listLikely(entry.id, attempts);
  return likely.some((connection) => verifier.isSignedBy(connection));
}

async function keepAside(parts: AcceptParts, { entry, addressee, receivedAt }: Visit, unowned: readonly { readonly part?: WebhookPart; readonly reason: string }[], body: Buffer): Promise<void> {
  const accounts = new Set(unowned.flatMap(({ part }) => part?.routingIdentifiers ?? []).map((identifier) => `${identifier.name}:${identifier.value}`));
  await parts.quarantine.keep({
    provider: entry.id,
    reason: [...new Set(unowned.map(({ reason }) => reason))].join('; '),
    connectionId: addressee?.connectionId ?? null,
    accounts: [...accounts].slice(0, 100),
    body,
    receivedAt: receivedAt.toISOString(),
  });
  parts.metrics.count(entry.id, 'quarantined', Math.max(1, unowned.length));
}
