import type { GatewayRoute, Method, RouteContract, ServiceName, TenantId } from '@switchboard/contracts';
import createRouter from 'find-my-way';

/** A route as requests are forwarded by it. */
export type ForwardedRoute = {
  readonly contract: RouteContract;
  /** Bounded label for /metrics and logs. */
  readonly label: string;
  /** Undefined where the path names a service that the route does not lead to. */
  serviceOf(params: Params): ServiceName | undefined;
  /** The path at the service; `tenantId` of the caller where the tenant calls what is its own. Undefined: the path as it came. */
  servicePathOf(params: Params, tenantId: TenantId | undefined): string | undefined;
};

export type Params = Readonly<Record<string, string | undefined>>;

export type Match =
  | { readonly kind: 'route'; readonly route: ForwardedRoute; readonly params: Params }
  /** The path is there, with other methods: those of the Allow header. */
  | { readonly kind: 'other-methods'; readonly allow: readonly string[] }
  | { readonly kind: 'nothing' };

const methods: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Characters of one segment: ids and names are shorter. */
const segmentLengthMax = 512;

/** What a URL parser further on would read as another path than the one that was matched here; also a last segment that is empty. */
const unclear = /\/\.{1,2}(?:\/|$)|\/\/|\/$|%2e|%2f|%5c|%00|[\\#;?]|[^\x21-\x7e]/i;

/** Finds the route of a method and a path (without query). HEAD is GET. A path that two parsers could read differently is none. */
export function createRouteMatch(routes: readonly GatewayRoute[]): (method: string, path: string) => Match {
  const router = createRouter({ maxParamLength: segmentLengthMax });
  for (const route of routes) router.on(route.contract.method, route.contract.path, unused, compile(route));

  const find = (method: Method, path: string) => router.find(method, path);
  return (method, path) => {
    if (unclear.test(path)) return { kind: 'nothing' };
    const asked = method === 'HEAD' ? 'GET' : method;
    const found = isMethod(asked) ? find(asked, path) : null;
    if (found !== null) {
      const route = found.store as ForwardedRoute; // stored there above
      return route.serviceOf(found.params) === undefined ? { kind: 'nothing' } : { kind: 'route', route, params: found.params };
    }
    const allow = methods.filter((other) => find(other, path) !== null);
    if (allow.length === 0) return { kind: 'nothing' };
    return { kind: 'other-methods', allow: [...allow, ...(allow.includes('GET') ? ['HEAD'] : []), 'OPTIONS'] };
  };
}

function isMethod(method: string): method is Method {
  return (methods as readonly string[]).includes(method);
}

function compile({ contract, source, services }: GatewayRoute): ForwardedRoute {
  const [only] = services;
  const isPlain = contract.path === source.path;
  const segments = source.path.split('/').map((segment) => (segment.startsWith(':') ? { param: segment.slice(1) } : segment));
  return {
    contract,
    label: contract.path,
    serviceOf: services.length === 1 && only !== undefined ? () => only : ({ service }) => services.find((name) => name === service),
    servicePathOf(params, tenantId) {
      if (isPlain) return undefined;
      // A tenant's own route has no :tenantId of its own at the gateway.
      return segments.map((segment) => (typeof segment === 'string' ? segment : encodeURIComponent(params[segment.param] ?? (segment.param === 'tenantId' ? (tenantId ?? '') : '')))).join('/');
    },
  };
}

/** The router wants a handler; this app asks it for what is stored with the route. */
function unused(): void {}
