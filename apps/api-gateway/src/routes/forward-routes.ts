import { hubError, isHubError, type GatewayRoute, type ServiceName, type TenantFacts } from '@switchboard/contracts';
import { clientAddressHeader, internalTokenHeader, labelRoute, networkOf, type InternalClaims, type Kit, type RawRoute } from '@switchboard/service-kit';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiCalls } from '../api-calls.ts';
import { authorize } from '../authorize.ts';
import type { Cors } from '../cors.ts';
import { forwardRequest } from '../forward-request.ts';
import type { Identification } from '../identify.ts';
import type { Caller, Identity } from '../identity.ts';
import { createInFlightLimit } from '../in-flight-limit.ts';
import { createRouteMatch, type ForwardedRoute, type Params } from '../match-route.ts';
import { doorCaller, type RateLimit } from '../rate-limit.ts';
import { createSecurityHeaders } from '../security-headers.ts';
import { createTokenCache } from '../token-cache.ts';
import type { Upstream } from '../upstream/create-upstream.ts';

export type ForwardRoutesDeps = {
  readonly routes: readonly GatewayRoute[];
  readonly identification: Pick<Identification, 'identify' | 'clientAddressOf'>;
  readonly rateLimit: Pick<RateLimit, 'count' | 'countAddress'>;
  readonly apiCalls: Pick<ApiCalls, 'count'>;
  readonly cors: Cors;
  readonly upstreamOf: (service: ServiceName) => Upstream;
  readonly signToken: Kit<unknown, unknown>['signToken'];
};

/** Requests of one tenant at the same time: a quarter of the connections to one process, so that no tenant's slowness is the others'. */
const inFlightMax = 32;

/** Every route of the table, for whom it is meant: which route, who calls, within the limit? then on to its service. */
export function forwardRoutes({ routes, identification, rateLimit, apiCalls, cors, upstreamOf, signToken }: ForwardRoutesDeps): RawRoute {
  const { identify, clientAddressOf } = identification;
  const match = createRouteMatch(routes);
  const secure = createSecurityHeaders();
  const inFlight = createInFlightLimit(inFlightMax);
  const tokenFor = createTokenCache(signToken);

  /** A public route asks for no credentials: stale ones must not keep anybody from logging in. */
  async function identifyForPublic(request: IncomingMessage): Promise<Identity> {
    try {
      return await identify(request);
    } catch (error) {
      if (!isHubError(error) || error.code !== 'auth.missing') throw error;
      const { authorization: _, 'x-api-key': __, ...headers } = request.headers;
      return identify(Object.create(request, { headers: { value: headers } }) as IncomingMessage); // the same request without its credentials
    }
  }

  /** Whose requests are counted together while they are under way. Of a tenant's host anybody may know the name: it gives no share in what is the tenant's. */
  function holderOf(identity: Identity, request: IncomingMessage): string {
    if (identity.kind === 'tenant' && identity.caller.via !== 'subdomain') return identity.caller.tenantId;
    return identity.kind === 'platform' ? `platform ${identity.subject}` : `network ${networkOf(clientAddressOf(request))}`;
  }

  function forward(request: IncomingMessage, response: ServerResponse, { route, params, identity }: { route: ForwardedRoute; params: Params; identity: Identity }): Promise<void> {
    const { contract } = route;
    authorize(contract, identity, params);
    const service = route.serviceOf(params);
    if (service === undefined) throw hubError('route.not_found');
    const url = request.url ?? '/';
    const servicePath = route.servicePathOf(params, identity.kind === 'tenant' ? identity.caller.tenantId : undefined);
    const token = tokenOf(contract.auth, identity, service);
    return forwardRequest(request, response, {
      upstream: upstreamOf(service),
      path: servicePath === undefined ? url : `${servicePath}${queryOf(url)}`,
      headers: token === undefined ? {} : { [internalTokenHeader]: token, [clientAddressHeader]: clientAddressOf(request) },
      passesCookies: contract.auth === 'public' && service === 'auth-service',
    });
  }

  function tokenOf(auth: string, identity: Identity, service: ServiceName): string | undefined {
    if (auth === 'public') {
      const tenant = doorOf(identity);
      return tenant === undefined ? tokenFor(stranger, service, () => ({ subject: '', via: 'subdomain' })) : tokenFor(tenant, service, claimsOfDoor);
    }
    if (identity.kind === 'tenant') return tokenFor(identity.caller, service, claimsOfCaller);
    return identity.kind === 'platform' ? tokenFor(identity, service, claimsOfPlatform) : undefined;
  }

  return {
    method: '*',
    pattern: /^\//,
    name: 'none',
    async handle(request, response, { input: path = '' }) {
      secure(response);
      const found = match(request.method ?? '', path);
      if (found.kind === 'nothing') throw hubError('route.not_found');
      if (found.kind === 'other-methods') {
        if (request.method === 'OPTIONS') {
          const identity = await identifyForPublic(request);
          const holder = holderOf(identity, request);
          inFlight.enter(holder);
          try {
            return await cors.answerPreflight(request, response, { allow: found.allow, tenant: doorOf(identity) });
          } finally {
            inFlight.leave(holder);
          }
        }
        response.setHeader('allow', found.allow.join(', '));
        throw hubError('route.method_not_allowed');
      }
      const { route, params } = found;
      labelRoute(request, route.label);
      response.setHeader('vary', 'Origin');
      const isPublic = route.contract.auth === 'public';
      const who = isPublic ? identifyForPublic(request) : identify(request);
      const identity = who instanceof Promise ? await who : who;
      if (request.headers.origin !== undefined) cors.letRead(request, response, doorOf(identity));
      const caller = identity.kind === 'tenant' ? identity.caller : undefined;
      const isAtDoor = caller?.via === 'subdomain';
      const holder = holderOf(identity, request);
      inFlight.enter(holder);
      try {
        if (isPublic) await rateLimit.countAddress(request, response, clientAddressOf(request));
        if (caller !== undefined && !(isPublic && isAtDoor)) {
          await rateLimit.count(request, response, isAtDoor ? doorCaller(caller, clientAddressOf(request)) : caller);
          apiCalls.count(caller.tenantId);
        }
        await forward(request, response, { route, params, identity });
      } finally {
        inFlight.leave(holder);
      }
    },
  };
}

/** Beside the token a service believes the gateway where the call came from, also of strangers. */
const stranger = {};

function claimsOfCaller({ tenantId, subject, scopes, via, role }: Caller): InternalClaims {
  return { tenantId, subject, scopes, via, ...(role === undefined ? {} : { role }) };
}

function claimsOfPlatform({ subject }: { readonly subject: string }): InternalClaims {
  return { subject, via: 'platform' };
}

/** Whose door it is, and nothing that could be done with it. */
function claimsOfDoor({ tenantId }: TenantFacts): InternalClaims {
  return { tenantId, subject: '', scopes: [], via: 'subdomain' };
}

function doorOf(identity: Identity): TenantFacts | undefined {
  return identity.kind === 'tenant' ? identity.caller.tenant : identity.kind === 'nobody' ? identity.tenant : undefined;
}

function queryOf(url: string): string {
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start);
}
