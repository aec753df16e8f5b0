import type { Kit, ServiceParts } from '@switchboard/service-kit';
import type { Config } from './config.ts';
import { onApiKeyChanged } from './consumers/on-api-key-changed.ts';
import { onMemberChanged } from './consumers/on-member-changed.ts';
import { onTenantChanged } from './consumers/on-tenant-changed.ts';
import { createForwarder } from './forward-request.ts';
import { createIdentification } from './identify.ts';
import { createRateLimit } from './rate-limit.ts';
import { forwardState } from './routes/forward-state.ts';

export function build(kit: Kit<Config, unknown>): ServiceParts {
  const identification = createIdentification(kit);
  const forwarder = createForwarder({ origin: kit.urlsOf('state-manager')[0], timeoutMs: kit.config.upstreamTimeoutMs });
  const rateLimit = createRateLimit({ redisUrl: kit.config.redisUrl, log: kit.log });
  return {
    routes: [],
    rawRoutes: [forwardState({ identification, rateLimit, forwarder, signToken: kit.signToken })],
    consumers: [onApiKeyChanged(identification), onMemberChanged(identification), onTenantChanged(identification)],
    onStop: async () => {
      await forwarder.close();
      await rateLimit.close();
    },
  };
}
