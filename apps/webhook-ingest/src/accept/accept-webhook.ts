import type { HealthReports } from '@switchboard/connector-kit';
import { hubError, type ConnectionId } from '@switchboard/contracts';
import type { ProviderEntry, RawWebhook, RoutingIdentifier, WebhookAnswer, WebhookPart } from '@switchboard/providers';
import { currentTrace } from '@switchboard/tenant-context';
import type { ConnectionDirectory, KnownConnection } from '../connections/connection-directory.ts';
import { assignParts, type AssignedParts } from '../domain/assign-parts.ts';
import { routingKey } from '../store/connections.ts';
import { contentKey, type ReceivedWebhook } from '../store/webhooks.ts';
import type { Quarantine } from './create-quarantine.ts';
import type { IntakeLimiter } from './create-intake-limiter.ts';
import type { UnknownAccounts } from './create-unknown-accounts.ts';
import { createVerifier, triedSecretsMax, type Verifier } from './create-verifier.ts';
import type { IngestMetrics } from './ingest-metrics.ts';

export type AcceptParts = {
  readonly directory: ConnectionDirectory;
  /** Resolves when they are durable. */
  readonly store: (webhooks: readonly ReceivedWebhook[]) => Promise<void>;
  readonly quarantine: Quarantine;
  readonly limiter: IntakeLimiter;
  readonly unknownAccounts: Pick<UnknownAccounts, 'note'>;
  readonly metrics: IngestMetrics;
  readonly health: Pick<HealthReports, 'note'>;
  readonly now: () => Date;
  /** Where providers reach ingest, without a slash at the end. */
  readonly publicUrl: string;
};

/**
 * 200 or 204: durable, or a repetition, or kept aside; with what the provider shall do next, where it asks. 401: no secret of an account it names has signed
 * it. 403: it contradicts itself about whose it is. 404: nobody's account. 429: some of it was too much for a connection or its tenant, and is not stored.
 */
export type Answer = WebhookAnswer | { readonly status: 401 | 403 | 404 } | { readonly status: 429; readonly retryAfterSeconds: number };

/**
 * Takes a webhook in: whose is it, did their secret sign it, and is it stored? Throws `storage.unavailable`, `service.unavailable` or
 * `service.timeout` where that cannot be told now; nothing is acknowledged then.
 */
export type AcceptWebhook = (entry: ProviderEntry, webhook: RawWebhook, addresseeId: ConnectionId | undefined) => Promise<Answer>;

export function createAcceptWebhook(parts: AcceptParts): AcceptWebhook {
  return async (entry, webhook, addresseeId) => {
    const receivedAt = parts.now();
    const verifier = createVerifier(entry.webhook.auth, webhook, receivedAt);
    // Nothing is parsed or looked up for who does not even claim to be the provider.
    if (!verifier.isPlausible) return refuse(parts, entry);
    const addressee = addresseeId === undefined ? undefined : await parts.directory.findById(addresseeId);
    if (addresseeId !== undefined && (addressee === undefined || addressee.provider !== entry.id || !addressee.isEnabled)) {
      parts.metrics.count(entry.id, 'unknown');
      return { status: 404 };
    }
    const visit: Visit = { entry, webhook, addressee, receivedAt, verifier };
    // First of all, so that accounts the body names cannot use up the secrets that may be tried.
    if (addressee !== undefined) verifier.isSignedBy(addressee);
    const split = entry.webhook.split(webhook);
    if (split.kind === 'contradictory') return refuse(parts, entry, 403);
    if (split.kind === 'unreadable') return await answerUnreadable(parts, visit, split.reason);

    const isAddressees = (part: WebhookPart) => addressee !== undefined && part.routingIdentifiers.some((identifier) => isOwnUrlOf(entry, addressee, identifier));
    const isAddressed = addressee?.isActive === true && verifier.isSignedBy(addressee);
    // What is the addressee's is nobody else's: most webhooks to a connection's own URL need no look-up at all.
    const found = await findOwnersOfAll(parts, visit, isAddressed ? split.parts.filter((part) => !isAddressees(part)) : split.parts);
    if (found === undefined) return refuse(parts, entry);
    const { accepted, refused, early, overdue, unowned } = assignParts(split.parts, {
      find: found.find,
      isVerified: (connection) => verifier.isSignedBy(connection),
      addressee,
      isAddressees,
      hasLocalIds: entry.webhook.hasLocalIds === true,
      awaitedSinceMin: receivedAt.getTime() - earlyMaxMs,
    });
    // Strangers cannot use up an allowance: only what is verified counts.
    const waits = parts.limiter.take([...new Map(accepted.map(({ connection }) => [connection.connectionId, limitedOf(entry, connection)])).values()]);
    const within = waits.size === 0 ? accepted : accepted.filter(({ connection }) => !waits.has(connection.connectionId));
    if (within.length > 0) await storeAccepted(parts, visit, within);
    if (within.length < accepted.length) parts.metrics.count(entry.id, 'limited', accepted.length - within.length);
    // Somebody else's word about their account: dropped, not kept, though the rest of the body may be good.
    if (refused.length > 0) parts.metrics.count(entry.id, 'refused', refused.length);
    // What may be somebody's after all is not acknowledged, or it would be lost: the provider shall come again, with what is stored already too.
    if (early.length > 0) throw hubError('service.unavailable', { detail: { reason: 'the connection is not active yet' } });
    if (unowned.length > 0 && found.failure !== undefined) throw found.failure;
    if (accepted.length > 0 || overdue.length > 0) {
      const aside = [...overdue, ...unowned];
      if (aside.length > 0) await keepAside(parts, visit, aside, Buffer.from(`[${aside.map(({ part }) => part.write().body).join(',')}]`));
      if (waits.size > 0) return { status: 429, retryAfterSeconds: Math.ceil(Math.max(...waits.values()) / 1000) };
      const [first] = accepted;
      return first === undefined ? answerAside(entry, aside[0]?.part) : answerStored(parts, entry, first);
    }
    return refused.length > 0 ? { status: 401 } : await answerUnowned(parts, visit, unowned);
  };
}

/** Whether the connection's own URL settles whose this is: it has the account, which nobody else can have or which every server numbers for itself. */
function isOwnUrlOf(entry: ProviderEntry, addressee: KnownConnection, identifier: RoutingIdentifier): boolean {
  return (entry.webhook.hasLocalIds === true || entry.routingFields.includes(identifier.name)) && addressee.routingKeys.includes(routingKey(entry.id, identifier));
}

/**
 * Milliseconds for which a provider is asked to come again with what is for a connection that waits for working credentials: time to mend them.
 * Afterwards its webhooks are kept aside, so that one forgotten connection does not have the app of many tenants throttled or switched off by Meta.
 */
const earlyMaxMs = 6 * 3_600_000;

function refuse(parts: AcceptParts, entry: ProviderEntry, status: 401 | 403 = 401): Answer {
  parts.metrics.count(entry.id, 'refused');
  return { status };
}

/** What stands in the answer to one that is stored, now or before: a repetition gets the same. */
function answerStored({ publicUrl }: AcceptParts, entry: ProviderEntry, { part, connection }: Assigned['accepted'][number]): WebhookAnswer {
  const { connectionId, answerSettings } = connection;
  return entry.webhook.answer?.(part.write(), { connectionId, settings: answerSettings, publicUrl }) ?? { status: 200 };
}

function answerAside(entry: ProviderEntry, part: WebhookPart | undefined): WebhookAnswer {
  return entry.webhook.answer?.(part?.write(), undefined) ?? { status: 200 };
}

/** The connection as the limiter counts it: with its sisters in one account, where the provider has such, else by itself. */
function limitedOf(entry: ProviderEntry, connection: KnownConnection): Parameters<IntakeLimiter['take']>[0][number] {
  const name = entry.webhook.limitedBy;
  if (name === undefined) return connection;
  const account = connection.routingKeys.find((key) => key.startsWith(routingKey(entry.id, { name, value: '' })));
  return { tenantId: connection.tenantId, connectionId: connection.connectionId, account };
}

/** One webhook on its way in. */
type Visit = { readonly entry: ProviderEntry; readonly webhook: RawWebhook; readonly addressee: KnownConnection | undefined; readonly receivedAt: Date; readonly verifier: Verifier };

type Assigned = AssignedParts<KnownConnection>;

type Owners = { readonly find: (identifier: RoutingIdentifier) => readonly KnownConnection[]; /** Why nobody can say whose the unknown ones are. */ readonly failure: unknown };

/** Accounts that are looked up for who may be a stranger: one question to tenant-service. Meta's body seldom names more than one. */
const strangersAccountsMax = 100;

/** Undefined: it names many accounts, and none of the first is of somebody whose secret signed it, nor did another that is known. */
async function findOwnersOfAll(parts: AcceptParts, visit: Visit, split: readonly WebhookPart[]): Promise<Owners | undefined> {
  const { entry, verifier } = visit;
  const named = [...new Map(split.flatMap((part) => part.routingIdentifiers).map((identifier) => [routingKey(entry.id, identifier), identifier])).values()];
  const first = await findOwners(parts.directory, visit, named.slice(0, strangersAccountsMax));
  if (named.length <= strangersAccountsMax) return first;
  const isKnown = named.slice(0, strangersAccountsMax).flatMap(first.find).some((connection) => verifier.isSignedBy(connection));
  if (!isKnown && !(await isSignedByKnown(parts, visit, split.flatMap((part) => part.relatedIdentifiers)))) {
    if (first.failure !== undefined) throw first.failure;
    return undefined;
  }
  const rest = await findOwners(parts.directory, visit, named.slice(strangersAccountsMax));
  return { find: (identifier) => [...first.find(identifier), ...rest.find(identifier)], failure: first.failure ?? rest.failure };
}

async function findOwners(directory: ConnectionDirectory, { entry }: Visit, identifiers: readonly RoutingIdentifier[]): Promise<Owners> {
  const { byKey, failure } = await directory.findByIdentifiers(entry.id, identifiers);
  return { find: (identifier) => byKey.get(routingKey(entry.id, identifier)) ?? [], failure };
}

async function storeAccepted(parts: AcceptParts, { entry, receivedAt }: Visit, accepted: Assigned['accepted']): Promise<void> {
  const at = receivedAt.toISOString();
  const traceparent = currentTrace()?.traceparent;
  await parts.store(
    accepted.map(({ part, connection }) => {
      const { providerEventId, sameWithinSeconds, orderingKey, body } = part.write();
      const period = sameWithinSeconds === undefined ? undefined : Math.floor(receivedAt.getTime() / 1000 / sameWithinSeconds);
      const scope = entry.webhook.hasLocalIds === true ? `${connection.connectionId}:` : '';
      const eventKey = providerEventId === undefined ? contentKey(connection.connectionId, body, period) : scope + providerEventId;
      const before = providerEventId === undefined && period !== undefined && sameWithinSeconds !== undefined ? { eventKey: contentKey(connection.connectionId, body, period - 1), withinSeconds: sameWithinSeconds } : undefined;
      return { tenantId: connection.tenantId, connectionId: connection.connectionId, provider: entry.id, eventKey, before, orderingKey, body, receivedAt: at, traceparent };
    }),
  );
  parts.metrics.count(entry.id, 'accepted', accepted.length);
  for (const { connection } of accepted) parts.health.note(connection, { lastWebhookAt: at });
}

/** All accounts are unknown. Signed with a secret we know, the provider would repeat it for days: it is told 200, and the platform can look at it. */
async function answerUnowned(parts: AcceptParts, visit: Visit, unowned: Assigned['unowned']): Promise<Answer> {
  if (await isSignedByKnown(parts, visit, unowned.flatMap(({ part }) => part.relatedIdentifiers))) {
    await keepAside(parts, visit, unowned, visit.webhook.body);
    return answerAside(visit.entry, unowned[0]?.part);
  }
  if (visit.addressee !== undefined) return refuse(parts, visit.entry);
  parts.metrics.count(visit.entry.id, 'unknown');
  parts.unknownAccounts.note(visit.entry.id, unowned.flatMap(({ part }) => namedAccountOf(visit.entry, part)));
  return { status: 404 };
}

/** The account that a part is counted under when nobody has it: the one that limits are counted by, else the most specific. */
function namedAccountOf(entry: ProviderEntry, { routingIdentifiers, relatedIdentifiers }: WebhookPart): RoutingIdentifier[] {
  const named = [...routingIdentifiers, ...relatedIdentifiers].find(({ name }) => name === entry.webhook.limitedBy) ?? routingIdentifiers[0];
  return named === undefined ? [] : [named];
}

async function answerUnreadable(parts: AcceptParts, visit: Visit, reason: string): Promise<Answer> {
  if (await isSignedByKnown(parts, visit, [])) {
    await keepAside(parts, visit, [{ reason }], visit.webhook.body);
    return answerAside(visit.entry, undefined);
  }
  return refuse(parts, visit.entry);
}

async function isSignedByKnown({ directory }: AcceptParts, visit: Visit, related: readonly RoutingIdentifier[]): Promise<boolean> {
  const { entry, addressee, verifier } = visit;
  // On a connection's own URL its secret alone counts.
  if (addressee !== undefined) return verifier.isSignedBy(addressee);
  const near = [...new Map(related.map((identifier) => [routingKey(entry.id, identifier), identifier])).values()].slice(0, triedSecretsMax);
  const { find } = await findOwners(directory, visit, near);
  if (near.flatMap(find).some((connection) => verifier.isSignedBy(connection))) return true;
  // Of an account that has a name nobody else's secret says anything; what names none may be anybody's.
  if (entry.webhook.hasSecretPerAccount === true && related.length > 0) return false;
  const likely = await directory.listLikely(entry.id, triedSecretsMax);
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
