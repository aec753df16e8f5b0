import { getProviderToken } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { ProviderTokens } from '../domain/create-provider-tokens.ts';

export function postProviderToken(tokens: ProviderTokens): Route {
  return defineRoute(getProviderToken, ({ params, body }) => tokens.get(params.connectionId, body.refusedFingerprint));
}
