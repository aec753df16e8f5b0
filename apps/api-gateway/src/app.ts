import type { Kit, ServiceParts } from '@switchboard/service-kit';
import type { Config } from './config.ts';
import { onApiKeyChanged } from './consumers/on-api-key-changed.ts';
import { onTenantChanged } from './consumers/on-tenant-changed.ts';
import { createCallerLookup } from './caller-lookup.ts';
import { createForwarder } from './forward-request.ts';
import { createRateLimit } from './rate-limit.ts';
import { forwardState } from './routes/forward-state.ts';

export function build(kit: Kit<Config, unknown>): ServiceParts {
  const callers = createCallerLookup(kit);
  const forwarder = createForwarder({ origin: kit.urlsOf('state-manager')[0], timeoutMs: kit.config.upstreamTimeoutMs });
  const rateLimit = createRateLimit({ redisUrl: kit.config.redisUrl, log: kit.log });
  return {
    routes: [],
    rawRoutes: [forwardState({ callers, rateLimit, forwarder, signToken: kit.signToken })],
    consumers: [onApiKeyChanged(callers), onTenantChanged(callers)],
    onStop: async () => {
      await forwarder.close();
      await rateLimit.close();
    },
  };
}
