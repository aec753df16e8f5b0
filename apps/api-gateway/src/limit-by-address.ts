import type { RawRoute } from '@switchboard/service-kit';
import type { Identification } from './identify.ts';
import type { RateLimit } from './rate-limit.ts';

/** The route, for so many requests of one address. */
export function limitByAddress(route: RawRoute, rateLimit: Pick<RateLimit, 'countAddress'>, { clientAddressOf }: Pick<Identification, 'clientAddressOf'>): RawRoute {
  return {
    ...route,
    async handle(request, response, match) {
      await rateLimit.countAddress(request, response, clientAddressOf(request));
      await route.handle(request, response, match);
    },
  };
}
