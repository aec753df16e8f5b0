import { hubError } from '@switchboard/contracts';
import { clientAddressHeader, internalTokenHeader, type Kit, type RawRoute } from '@switchboard/service-kit';
import helmet from 'helmet';
import type { Identification } from '../identify.ts';
import type { Caller } from '../identity.ts';
import { createInFlightLimit } from '../in-flight-limit.ts';
import type { Forwarder } from '../forward-request.ts';
import type { RateLimit } from '../rate-limit.ts';
import { createTokenCache } from '../token-cache.ts';

export type ForwardStateDeps = {
  readonly identification: Pick<Identification, 'identify' | 'clientAddressOf'>;
  readonly rateLimit: Pick<RateLimit, 'count'>;
  readonly forwarder: Pick<Forwarder, 'forward'>;
  readonly signToken: Kit<unknown, unknown>['signToken'];
};

/** Requests of one tenant at the same time: a quarter of the forwarder's connections, so that no tenant's slowness is the others'. */
const inFlightMax = 32;

/** `/state/*` of the tenant whose key it is, at state-manager. */
export function forwardState({ identification, rateLimit, forwarder, signToken }: ForwardStateDeps): RawRoute {
  const secure = helmet();
  const inFlight = createInFlightLimit(inFlightMax);
  const tokenFor = createTokenCache((caller: Caller) => signToken('state-manager', { tenantId: caller.tenantId, subject: caller.subject, scopes: caller.scopes, via: caller.via, ...(caller.role === undefined ? {} : { role: caller.role }) }));
  return {
    method: '*',
    pattern: /^\/state(?:\/|$)/,
    name: '/state/*',
    async handle(request, response, { input: path = '' }) {
      secure(request, response, () => undefined);
      // What a URL parser further on would climb out of the prefix with.
      if (/\/\.{1,2}(?:\/|$)|%2e|%2f|%5c|\\/i.test(path)) throw hubError('route.not_found');
      const identity = await identification.identify(request);
      if (identity.kind !== 'tenant') throw hubError('auth.missing');
      const { caller } = identity;
      await inFlight.run(caller.tenantId, async () => {
        await rateLimit.count(request, response, caller);
        await forwarder.forward(request, response, { [internalTokenHeader]: tokenFor(caller), [clientAddressHeader]: identification.clientAddressOf(request) });
      });
    },
  };
}
