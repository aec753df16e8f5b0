import { getConnectionInternal } from '@switchboard/contracts';
import type { Kit, ServiceParts } from '@switchboard/service-kit';
import type { Config } from './config.ts';
import { onConnectionChanged } from './consumers/on-connection-changed.ts';
import { createProviderTokens } from './domain/create-provider-tokens.ts';
import { tokenFetchers } from './providers/token-fetchers.ts';
import { postProviderToken } from './routes/post-provider-token.ts';
import type { PrismaClient } from './store/generated/client.ts';

export function build({ name, callRoute, egress, now }: Kit<Config, PrismaClient>): ServiceParts {
  const tokens = createProviderTokens({
    loadConnection: (connectionId) => callRoute('tenant-service', getConnectionInternal, { params: { connectionId } }),
    fetchToken: (connection) => tokenFetchers[connection.provider]?.(connection, egress),
    now,
  });
  return { routes: [postProviderToken(tokens)], consumers: [onConnectionChanged(name, tokens)] };
}
