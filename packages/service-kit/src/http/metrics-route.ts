import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import type { RawRoute } from '../port.ts';

/** `/metrics` in Prometheus' text form. Open to whoever reaches the port it is served on. */
export function metricsRoute(registry: Registry): RawRoute {
  return {
    method: 'GET',
    pattern: /^\/metrics$/,
    name: '/metrics',
    handle: async (_: IncomingMessage, response: ServerResponse) => {
      const text = await registry.metrics();
      response.writeHead(200, { 'content-type': registry.contentType, 'cache-control': 'no-store' }).end(text);
    },
  };
}
