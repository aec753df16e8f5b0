import { newId, tenantIdSchema, type WebhookConnection } from '@switchboard/contracts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** tenant-service as far as ingest asks it: one WhatsApp connection a tenant, all signed by one Meta app. Asked at the start, then never. */
export async function startTenantStandIn(options: { readonly phoneNumberIds: readonly string[]; readonly secret: string }) {
  const connections: WebhookConnection[] = options.phoneNumberIds.map((phoneNumberId, index) => ({
    tenantId: tenantIdSchema.parse(`tenant-${index}`),
    connectionId: newId('con'),
    provider: 'whatsapp',
    status: 'active',
    version: 1,
    routingIdentifiers: { phoneNumberId },
    webhookSecrets: [{ value: options.secret, expiresAt: null }],
    verifyToken: null,
  }));
  const server = createServer((request, response) => {
    request.resume();
    const answer = request.method === 'GET' ? { data: connections, nextCursor: null } : { connections };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => void server.close() };
}
