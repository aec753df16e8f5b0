import { getConnectionInternal } from '@switchboard/contracts';
import type { Kit, ServiceParts } from '@switchboard/service-kit';
import type { Config } from './config.ts';
import { onConnectionChanged } from './consumers/on-connection-changed.ts';
import { onTenantChanged } from './consumers/on-tenant-changed.ts';
import { createProviderTokens } from './domain/create-provider-tokens.ts';
import { createDependencies } from './dependencies.ts';
import { tokenFetchers } from './providers/token-fetchers.ts';
import { sweep } from './people/sweep.ts';
import { issuerRoutes } from './routes/issuers.ts';
import { acceptInvitationRoute, loginRoute, logoutRoute, refreshSessionRoute } from './routes/login.ts';
import { changePasswordRoute, endMySessionsRoute, getMeRoute, requestPasswordResetRoute, resetPasswordRoute } from './routes/me.ts';
import { memberRoutes } from './routes/members.ts';
import { postProviderToken } from './routes/post-provider-token.ts';
import { secondFactorRoutes } from './routes/second-factor.ts';
import { getJwksRoute, rotateSigningKeysRoute } from './routes/signing-keys.ts';
import { ssoRoutes } from './routes/sso.ts';
import { staffRoutes } from './routes/staff.ts';
import { verifyTokenRoute } from './routes/verify-token.ts';
import type { PrismaClient } from './store/generated/client.ts';

export function build(kit: Kit<Config, PrismaClient>): ServiceParts {
  const { name, callRoute, egress, now } = kit;
  const providerTokens = createProviderTokens({
    loadConnection: (connectionId) => callRoute('tenant-service', getConnectionInternal, { params: { connectionId } }),
    fetchToken: (connection) => tokenFetchers[connection.provider]?.(connection, egress),
    now,
  });
  const deps = createDependencies(kit);
  return {
    routes: [
      loginRoute(deps),
      refreshSessionRoute(deps),
      logoutRoute(deps),
      acceptInvitationRoute(deps),
      getMeRoute(deps),
      endMySessionsRoute(deps),
      changePasswordRoute(deps),
      requestPasswordResetRoute(deps),
      resetPasswordRoute(deps),
      ...memberRoutes(deps),
      ...staffRoutes(deps),
      ...secondFactorRoutes(deps),
      ...ssoRoutes({ ...deps, publicUrl: kit.config.publicGatewayUrl }),
      ...issuerRoutes({ issuers: deps.issuers, store: deps.issuerStore }),
      getJwksRoute(deps),
      rotateSigningKeysRoute(deps),
      verifyTokenRoute(deps),
      postProviderToken(providerTokens),
    ],
    consumers: [onConnectionChanged(name, providerTokens), onTenantChanged(name, deps.tenants)],
    onStop: () => deps.cacheStore.close(),
    tasks: [
      { name: 'sweep-people', cron: '17 * * * *', run: () => sweep(deps) },
      { name: 'maintain-signing-keys', cron: '*/10 * * * *', run: () => deps.signingKeys.maintain() },
    ],
  };
}
