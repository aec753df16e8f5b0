import { hubError, isHubError, type ConnectionId, type ConnectionWithSecrets, type HubError, type TenantId } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import { createHash } from 'node:crypto';

/** A token as the provider gave it. */
export type FetchedToken = { readonly accessToken: string; readonly lifetimeSeconds: number };

export type ProviderToken = { readonly accessToken: string; readonly fingerprint: string; readonly expiresAt: string };

export interface ProviderTokens {
  /**
   * A token for the current tenant's connection. `refusedFingerprint` names the token that the provider just refused with 401: it is
   * dropped, and one new one is fetched. Throws `connection.not_found`, `provider.unauthorized`, `provider.throttled`, `provider.unavailable`.
   */
  get(connectionId: ConnectionId, refusedFingerprint?: string): Promise<ProviderToken>;
  /** New credentials: forgets the token and the refusal; what is being fetched with the old ones is forgotten too, and fetched again for those who wait. */
  drop(connectionId: ConnectionId): void;
}

type Deps = {
  /** As the current tenant; another tenant's connection is not found. */
  readonly loadConnection: (connectionId: ConnectionId) => Promise<ConnectionWithSecrets>;
  /** Undefined for a provider that has no tokens of its own. */
  readonly fetchToken: (connection: ConnectionWithSecrets) => Promise<FetchedToken> | undefined;
  readonly now: () => Date;
};

/** Milliseconds before the end of a token's life at which it is not given out any more: a call takes up to half a minute. */
const expiryMarginMs = 60_000;
/** Milliseconds in which wrong credentials are not tried again: the login end would lock a client that loops. */
const refusalKeptMs = 30_000;
/** Milliseconds after a fetch in which another 401 means wrong credentials, not an old token. */
const freshTokenMs = 10_000;
/** Tokens kept in memory; the longest unused goes first. 10 000 tenants with two connections each fit. */
const tokensMax = 20_000;

type Entry = { readonly tenantId: TenantId; readonly token: ProviderToken; readonly fetchedAtMs: number; readonly expiresAtMs: number };
type Refusal = { readonly error: HubError; readonly untilMs: number };
/** `isStale`: begun with credentials that were replaced meanwhile. */
type Fetch = { readonly key: string; readonly connectionId: ConnectionId; isStale: boolean };

/** Keeps one token a connection, in memory alone, with one fetch in flight a connection. */
export function createProviderTokens({ loadConnection, fetchToken, now }: Deps): ProviderTokens {
  const entries = new Map<ConnectionId, Entry>();
  const refusals = new Map<ConnectionId, Refusal & { readonly tenantId: TenantId }>();
  const inFlight = new Map<string, Fetch & { readonly entry: Promise<Entry> }>();

  const keep = (connectionId: ConnectionId, entry: Entry) => {
    entries.delete(connectionId);
    entries.set(connectionId, entry);
    const [oldest] = entries.keys();
    if (entries.size > tokensMax && oldest !== undefined) entries.delete(oldest);
  };

  const fetchOnce = (connectionId: ConnectionId): Promise<Entry> => {
    // The tenant is part of the key: a foreign id must fail on its own look-up, not wait for the owner's.
    const key = `${currentTenant()}/${connectionId}`;
    const running = inFlight.get(key);
    if (running !== undefined) return running.entry;
    const fetch: Fetch = { key, connectionId, isStale: false };
    const entry = runFetch(fetch);
    inFlight.set(key, Object.assign(fetch, { entry }));
    return entry;
  };

  const runFetch = async (fetch: Fetch): Promise<Entry> => {
    const { key, connectionId } = fetch;
    try {
      const entry = await fetchEntry(connectionId);
      if (fetch.isStale) return fetchOnce(connectionId);
      keep(connectionId, entry);
      refusals.delete(connectionId);
      return entry;
    } catch (error) {
      if (fetch.isStale) return fetchOnce(connectionId);
      // Not swallowed: wrong credentials and throttling are remembered, so that a queue of messages asks once.
      if (isHubError(error)) remember(connectionId, currentTenant(), error);
      throw error;
    } finally {
      if (inFlight.get(key) === fetch) inFlight.delete(key);
    }
  };

  const fetchEntry = async (connectionId: ConnectionId): Promise<Entry> => {
    const connection = await loadConnection(connectionId);
    const asked = fetchToken(connection);
    if (asked === undefined) throw hubError('connection.not_found', { publicMessage: 'This connection has no access tokens.' });
    const { accessToken, lifetimeSeconds } = await asked;
    const fetchedAtMs = now().getTime();
    const expiresAtMs = fetchedAtMs + lifetimeSeconds * 1000;
    const token = { accessToken, fingerprint: fingerprintOf(accessToken), expiresAt: new Date(expiresAtMs).toISOString() };
    return { tenantId: currentTenant(), token, fetchedAtMs, expiresAtMs };
  };

  const remember = (connectionId: ConnectionId, tenantId: TenantId, error: HubError) => {
    const keptMs = error.code === 'provider.unauthorized' ? refusalKeptMs : error.code === 'provider.throttled' && typeof error.retry === 'object' ? error.retry.afterMs : 0;
    if (keptMs > 0) refusals.set(connectionId, { tenantId, error, untilMs: now().getTime() + keptMs });
  };

  return {
    async get(connectionId, refusedFingerprint) {
      const tenantId = currentTenant();
      const nowMs = now().getTime();
      const refusal = refusals.get(connectionId);
      if (refusal?.tenantId === tenantId && refusal.untilMs > nowMs) throw refusal.error;

      const entry = entries.get(connectionId);
      const isOwn = entry?.tenantId === tenantId;
      if (isOwn && entry.token.fingerprint === refusedFingerprint) {
        entries.delete(connectionId);
        if (nowMs - entry.fetchedAtMs < freshTokenMs) {
          const error = hubError('provider.unauthorized', { publicMessage: 'The provider refuses a token that it has just given out: the account or its role was disabled.' });
          remember(connectionId, tenantId, error);
          throw error;
        }
      } else if (isOwn && entry.expiresAtMs - marginOf(entry) > nowMs) {
        keep(connectionId, entry);
        return entry.token;
      }
      return (await fetchOnce(connectionId)).token;
    },

    drop(connectionId) {
      entries.delete(connectionId);
      refusals.delete(connectionId);
      for (const [key, fetch] of inFlight) {
        if (fetch.connectionId !== connectionId) continue;
        fetch.isStale = true;
        inFlight.delete(key);
      }
    },
  };
}

/** A token that lives five minutes (the shortest Genesys allows) keeps most of its life. */
function marginOf(entry: Entry): number {
  return Math.min(expiryMarginMs, (entry.expiresAtMs - entry.fetchedAtMs) / 5);
}

/** Names a token without showing it. */
function fingerprintOf(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest('base64url').slice(0, 22);
}
