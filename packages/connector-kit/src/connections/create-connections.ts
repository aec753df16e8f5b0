import { getConnectionInternal, getProviderToken, type ConnectionId, type ConnectionWithSecrets } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { currentTenant } from '@switchboard/tenant-context';
import { createShortCache } from './create-short-cache.ts';

type ProviderToken = { readonly accessToken: string; readonly fingerprint: string };

/** Connections of the current tenant with their secrets, and the providers' access tokens. In memory for a minute at most. */
export interface Connections {
  load(connectionId: ConnectionId): Promise<ConnectionWithSecrets>;
  /** `refused` names the token that the provider just refused: it is dropped everywhere and a new one is fetched. */
  loadToken(connectionId: ConnectionId, refused?: { readonly fingerprint: string }): Promise<ProviderToken>;
  /** After `connection.changed`, or when the provider refused the credentials. */
  drop(connectionId: ConnectionId): void;
}

const keepMs = 60_000;
/** Some kilobytes each. */
const entriesMax = 10_000;
/** A token is not kept into its last seconds: the call that uses it takes time too. */
const tokenMarginMs = 5_000;

export type ConnectionsOptions = {
  readonly callRoute: CallRoute;
  readonly now: () => Date;
  /** Told of every access token that was fetched. */
  readonly onToken?: (connectionId: ConnectionId, expiresAt: string) => void;
};

export function createConnections(options: ConnectionsOptions): Connections {
  const connections = createShortCache<ConnectionWithSecrets>({ keepMs, entriesMax, now: options.now });
  const tokens = createShortCache<ProviderToken>({ keepMs, entriesMax, now: options.now });
  // The tenant is part of the key: a command of one tenant that names another's connection finds nothing that was loaded for the other.
  const keyOf = (connectionId: ConnectionId) => `${currentTenant()}/${connectionId}`;

  return {
    load: (connectionId) =>
      connections.load(keyOf(connectionId), async () => ({ value: await options.callRoute('tenant-service', getConnectionInternal, { params: { connectionId } }) })),
    async loadToken(connectionId, refused) {
      const key = keyOf(connectionId);
      const fetchToken = (refusedFingerprint?: string) => async () => {
        const { expiresAt, ...value } = await options.callRoute('auth-service', getProviderToken, { params: { connectionId }, body: { refusedFingerprint } });
        options.onToken?.(connectionId, expiresAt);
        return { value, keepMs: Date.parse(expiresAt) - options.now().getTime() - tokenMarginMs };
      };
      const token = await tokens.load(key, fetchToken(refused?.fingerprint));
      if (token.fingerprint !== refused?.fingerprint) return token;
      tokens.drop(key);
      return tokens.load(key, fetchToken(refused.fingerprint));
    },
    drop(connectionId) {
      connections.drop(keyOf(connectionId));
      tokens.drop(keyOf(connectionId));
    },
  };
}
