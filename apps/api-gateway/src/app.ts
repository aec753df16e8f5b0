import { gatewayRoutes, type ServiceName, type TenantId } from '@switchboard/contracts';
import type { Kit, ServiceParts } from '@switchboard/service-kit';
import { createApiCalls, leftAfterMs } from './api-calls.ts';
import { createCallJournal } from './call-journal.ts';
import type { Config } from './config.ts';
import { onApiKeyChanged } from './consumers/on-api-key-changed.ts';
import { onIssuerChanged } from './consumers/on-issuer-changed.ts';
import { onMemberChanged } from './consumers/on-member-changed.ts';
import { onTenantChanged } from './consumers/on-tenant-changed.ts';
import { createCors } from './cors.ts';
import { createIdentification } from './identify.ts';
import { createRateLimit } from './rate-limit.ts';
import { limitByAddress } from './limit-by-address.ts';
import { forwardRoutes } from './routes/forward-routes.ts';
import { serveDocs } from './routes/serve-docs.ts';
import { serveOpenApi } from './routes/serve-openapi.ts';
import { createUpstreams } from './upstream/create-upstreams.ts';

export function build(kit: Kit<Config, unknown>): ServiceParts {
  const identification = createIdentification(kit);
  const upstreams = createUpstreams(kit);
  const { redisUrl } = kit.config;
  const rateLimit = createRateLimit({ redisUrl, burstSeconds: kit.config.rateLimitBurstSeconds, publicPerMinute: kit.config.publicRequestsPerMinute, log: kit.log, registry: kit.registry });
  const journal = redisUrl === undefined ? undefined : createCallJournal({ url: redisUrl, leftAfterMs, onError: ({ code, name }) => kit.log.warn({ code: code ?? name }, 'Redis is not available') });
  const apiCalls = createApiCalls({ ...kit, journal });
  const cors = createCors(kit);
  const forgetTenant = (tenantId: TenantId) => {
    identification.forgetTenant(tenantId);
    cors.forget();
  };
  return {
    routes: [],
    rawRoutes: [
      ...[...serveOpenApi(gatewayRoutes, kit.config.publicGatewayUrl), ...serveDocs()].map((route) => limitByAddress(route, rateLimit, identification)),
      forwardRoutes({ routes: gatewayRoutes, identification, rateLimit, apiCalls, cors, upstreamOf: (service: ServiceName) => upstreams.of(service), signToken: kit.signToken }),
    ],
    consumers: [onApiKeyChanged(identification), onIssuerChanged(identification), onMemberChanged(identification), onTenantChanged({ forgetTenant })],
    onStart: async () => apiCalls.start(),
    onStop: async () => {
      await apiCalls.stop();
      journal?.close();
      await upstreams.close();
      await rateLimit.close();
    },
  };
}
