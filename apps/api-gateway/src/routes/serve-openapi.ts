import type { GatewayRoute } from '@switchboard/contracts';
import { openApiOf, type RawRoute } from '@switchboard/service-kit';
import { createSecurityHeaders } from '../security-headers.ts';

/** `/openapi.json`: the table of routes as OpenAPI 3.1. Without a public address the paths are those of the host it was asked at. */
export function serveOpenApi(routes: readonly GatewayRoute[], publicGatewayUrl: string | undefined): RawRoute[] {
  const secure = createSecurityHeaders();
  let document: Buffer | undefined;
  return (['GET', 'HEAD'] as const).map((method) => ({
    method,
    pattern: /^\/openapi\.json$/,
    name: '/openapi.json',
    handle: (_, response) => {
      // Made when it is first asked for: a gateway that nobody reads about starts sooner.
      document ??= Buffer.from(JSON.stringify(openApiOf(routes, { title: 'Switchboard', version: '0.1.0', servers: [publicGatewayUrl ?? '/'] })));
      secure(response);
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': document.length, 'cache-control': 'public, max-age=60' }).end(document);
    },
  }));
}
