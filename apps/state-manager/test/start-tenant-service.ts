import type { TenantId, TenantRouting } from '@switchboard/contracts';
import { internalTokenHeader } from '@switchboard/service-kit';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What stands where tenant-service would: answers each tenant's routing, by the tenant of the token. */
export async function startTenantService(routingOf: (tenantId: TenantId) => TenantRouting) {
  const server = createServer((request, response) => {
    const claims = JSON.parse(Buffer.from(String(request.headers[internalTokenHeader]).split('.')[1] ?? '', 'base64url').toString()) as { tenant: TenantId };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(routingOf(claims.tenant)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // a TCP server that listens
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
