import type { ConnectionId, ProviderId, TenantId } from '@switchboard/contracts';
import type { RoutingIdentifier } from '@switchboard/providers';
import { runAsSystem } from '@switchboard/tenant-context';
import { createGroupedWork } from '../accept/create-grouped-work.ts';
import { routingKey, type ConnectionStore, type OpenedSecrets, type StoredConnection } from '../store/connections.ts';
import { createBoundedCache } from './bounded-cache.ts';
import type { ConnectionSource } from './connection-source.ts';

/** A connection with its secrets in memory. */
export type KnownConnection = {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly provider: ProviderId;
  readonly isActive: boolean;
  /** False when a tenant has switched it off: nothing of it is accepted. */
  readonly isEnabled: boolean;
  readonly version: number;
  /** Milliseconds since the epoch when it began to wait to become active. */
  readonly pendingSince: number | undefined;
  /** What it is found by, as `routingKey` writes it. */
  readonly routingKeys: readonly string[];
  readonly secrets: OpenedSecrets;
  /** What its webhooks are answered from, where the provider acts by an answer. */
  readonly answerSettings: Readonly<Record<string, string>>;
};

/** Whose accounts are these, and what verifies their webhooks? Answers from memory, else from ingest's own table, else from tenant-service. */
export interface ConnectionDirectory {
  findById(connectionId: ConnectionId): Promise<KnownConnection | undefined>;
  findByIdentifiers(provider: ProviderId, identifiers: readonly RoutingIdentifier[]): Promise<FoundConnections>;
  /** Asks tenant-service, which alone can find a handshake's token. */
  findByVerifyToken(provider: ProviderId, token: string): Promise<readonly KnownConnection[]>;
  /** Connections of the provider whose secrets may have signed what nobody owns: those in use, then those changed last; at most `limit`. */
  listLikely(provider: ProviderId, limit: number): Promise<readonly KnownConnection[]>;
  /** A connection changed: forget it, and trust no copy older than this version. */
  forget(connectionId: ConnectionId, version: number): void;
}

export type FoundConnections = {
  /** By `routingKey`. */
  readonly byKey: ReadonlyMap<string, readonly KnownConnection[]>;
  /** Why nobody can say whose the others are: tenant-service is away. Undefined: they are nobody's. */
  readonly failure: unknown;
};

/** Milliseconds that what was read stays in memory. Changes arrive as events; this bounds what a lost event can do. */
const keepMs = 60_000;
/** Unknown accounts are asked about again soon: they may have just been connected. */
const keepUnknownMs = 10_000;
/** What an event has overtaken and tenant-service could not be asked about: long enough not to ask for every webhook. */
const keepOvertakenMs = 5_000;
/** Connections in memory, about 2 KB each. */
const keptMax = 20_000;

export function createConnectionDirectory(options: { readonly store: ConnectionStore; readonly source: ConnectionSource; readonly now: () => number }): ConnectionDirectory {
  const { store, source, now } = options;
  const byId = createBoundedCache<ConnectionId, KnownConnection>(keptMax, now);
  const byKey = createBoundedCache<string, readonly ConnectionId[]>(keptMax * 2, now);
  const unknown = createBoundedCache<string, true>(keptMax, now);
  const likely = createBoundedCache<ProviderId, readonly ConnectionId[]>(16, now);
  /** Versions told by events that the copy may not have reached yet. */
  const staleBelow = createBoundedCache<ConnectionId, number>(keptMax, now);
  /** Grows with every change: what was read before it is not kept. */
  let generation = 0;

  async function open(stored: StoredConnection): Promise<KnownConnection> {
    const { tenantId, connectionId, provider, status, version, routingKeys, pendingSince } = stored;
    const { answerSettings = {}, ...secrets } = await store.open(stored);
    return { tenantId, connectionId, provider, version, routingKeys, isActive: status === 'active', isEnabled: status !== 'disabled', pendingSince: pendingSince?.getTime(), secrets, answerSettings };
  }

  /** Opens rows of the copy; those that an event has overtaken are asked for again, and used as they are while nobody answers. */
  async function openAll(rows: readonly StoredConnection[]): Promise<KnownConnection[]> {
    const startedAt = generation;
    const overtaken = rows.filter((row) => row.version < (staleBelow.find(row.connectionId) ?? 0)).map((row) => row.connectionId);
    // Without an answer the copy is what there is: a change that is late is better than a webhook that is lost.
    const refreshed = overtaken.length === 0 ? undefined : await source.refresh(overtaken).catch(() => undefined);
    const opened: KnownConnection[] = [];
    for (const row of rows) {
      const isOvertaken = overtaken.includes(row.connectionId);
      const current = isOvertaken && refreshed !== undefined ? refreshed.find((fresh) => fresh.connectionId === row.connectionId) : row;
      // Gone at tenant-service.
      if (current === undefined) continue;
      const kept = byId.find(row.connectionId);
      const known = kept !== undefined && kept.version >= current.version ? kept : await open(current);
      if (generation === startedAt) byId.put(known.connectionId, known, isOvertaken && refreshed === undefined ? keepOvertakenMs : keepMs);
      opened.push(known);
    }
    return opened;
  }

  // Strangers may name any number of accounts: their look-ups share one call at a time.
  const lookUps = createGroupedWork<LookUp>({
    run: async (wanted) => {
      const ids = wanted.flatMap((item) => (item.kind === 'id' ? [item.connectionId] : []));
      const identifiers = wanted.flatMap((item) => (item.kind === 'identifier' ? [{ provider: item.provider, ...item.identifier }] : []));
      await runAsSystem('looking up a connection before its tenant is known', () => source.lookUp({ connectionIds: ids, routingIdentifiers: identifiers }));
    },
    groupsAtOnceMax: 1,
    itemsMax: 100,
    weightOf: () => 1,
    weightMax: 100,
    waitingWeightMax: 2_000,
    timeoutMs: 4_000,
  });

  async function readByKeys(keys: readonly string[]): Promise<Map<string, KnownConnection[]>> {
    const rows = await runAsSystem('finding the connections of a webhook', () => store.findByRoutingKeys(keys));
    const opened = new Map((await openAll(rows)).map((known) => [known.connectionId, known]));
    const found = new Map<string, KnownConnection[]>();
    for (const key of keys) {
      const connections = rows.filter((row) => row.routingKeys.includes(key)).flatMap((row) => opened.get(row.connectionId) ?? []);
      if (connections.length > 0) found.set(key, connections);
    }
    return found;
  }

  function findKept(key: string): KnownConnection[] | undefined {
    const ids = byKey.find(key);
    if (ids === undefined) return unknown.find(key) === undefined ? undefined : [];
    const connections = ids.map((id) => byId.find(id));
    return connections.every((connection) => connection !== undefined) ? connections : undefined;
  }

  return {
    async findById(connectionId) {
      const kept = byId.find(connectionId);
      if (kept !== undefined || unknown.find(connectionId) !== undefined) return kept;
      const startedAt = generation;
      const read = async () => (await openAll(await runAsSystem('finding the connection of a URL', () => store.findByIds([connectionId]))))[0];
      const known = await read();
      if (known !== undefined) return known;
      await lookUps.submit([{ kind: 'id', connectionId }]);
      const fetched = await read();
      if (fetched === undefined && generation === startedAt) unknown.put(connectionId, true, keepUnknownMs);
      return fetched;
    },

    async findByIdentifiers(provider, identifiers) {
      const found = new Map<string, readonly KnownConnection[]>();
      const missing = new Map<string, RoutingIdentifier>();
      for (const identifier of identifiers) {
        const key = routingKey(provider, identifier);
        const kept = findKept(key);
        if (kept === undefined) missing.set(key, identifier);
        else found.set(key, kept);
      }
      if (missing.size === 0) return { byKey: found, failure: undefined };

      const startedAt = generation;
      const read = async () => {
        for (const [key, connections] of await readByKeys([...missing.keys()])) {
          missing.delete(key);
          found.set(key, connections);
          if (generation === startedAt) byKey.put(key, connections.map((connection) => connection.connectionId), keepMs);
        }
      };
      await read();
      if (missing.size === 0) return { byKey: found, failure: undefined };
      try {
        for (const chunk of chunksOf([...missing.values()], lookUpItemsMax)) await lookUps.submit(chunk.map((identifier) => ({ kind: 'identifier', provider, identifier })));
      } catch (failure) {
        return { byKey: found, failure };
      }
      await read();
      if (generation === startedAt) for (const key of missing.keys()) unknown.put(key, true, keepUnknownMs);
      return { byKey: found, failure: undefined };
    },

    async findByVerifyToken(provider, token) {
      const stored = await runAsSystem('finding the connection of a handshake', () => source.lookUp({ verifyToken: { provider, value: token } }));
      return await openAll(stored);
    },

    async listLikely(provider, limit) {
      const inUse = [...byId.values()].filter((connection) => connection.provider === provider).toReversed();
      if (inUse.length >= limit) return inUse.slice(0, limit);
      const ids = likely.find(provider);
      const kept = ids?.map((id) => byId.find(id));
      if (kept?.every((connection) => connection !== undefined) === true) return unique([...inUse, ...kept]).slice(0, limit);
      const opened = await openAll(await runAsSystem('finding secrets that may have signed a webhook', () => store.listLastChanged(provider, limit)));
      likely.put(provider, opened.map((connection) => connection.connectionId), keepUnknownMs);
      return unique([...inUse, ...opened]).slice(0, limit);
    },

    forget(connectionId, version) {
      generation++;
      if (version > (staleBelow.find(connectionId) ?? 0)) staleBelow.put(connectionId, version, keepMs * 60);
      const kept = byId.find(connectionId);
      if (kept === undefined || kept.version < version) byId.remove(connectionId);
      // Its accounts may be another connection's now, or the other way round; the copy knows.
      byKey.clear();
      unknown.clear();
      likely.clear();
    },
  };
}

/** As many as one call to tenant-service may ask for by its contract, and as one group holds. */
const lookUpItemsMax = 100;

type LookUp = { readonly kind: 'id'; readonly connectionId: ConnectionId } | { readonly kind: 'identifier'; readonly provider: ProviderId; readonly identifier: RoutingIdentifier };

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}

function unique(connections: readonly KnownConnection[]): KnownConnection[] {
  return [...new Map(connections.map((connection) => [connection.connectionId, connection])).values()];
}
