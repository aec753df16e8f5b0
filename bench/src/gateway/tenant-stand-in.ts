import { generateApiKey, newId, tenantIdSchema, type ResolvedApiKey, type TenantId } from '@switchboard/contracts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type SeededKey = { readonly apiKey: string; readonly tenantId: TenantId };

export type TenantStandIn = { readonly url: string; readonly keys: readonly SeededKey[]; /** Keys it was asked about. */ readonly lookUps: () => number; stop(): void };

/** tenant-service as far as a gateway asks it: whose a key is. */
export async function startTenantStandIn({ tenants, keysOfEach }: { readonly tenants: number; readonly keysOfEach: number }): Promise<TenantStandIn> {
  const known = new Map<string, ResolvedApiKey>();
  const keys: SeededKey[] = [];
  for (let index = 0; index < tenants; index++) {
    const tenantId = tenantIdSchema.parse(`tenant-${index}`);
    for (let key = 0; key < keysOfEach; key++) {
      const keyId = newId('key');
      const apiKey = generateApiKey(keyId);
      keys.push({ apiKey, tenantId });
      const tenant = { tenantId, status: 'active', plan: 'enterprise', rateLimit: 10_000_000, subdomain: null, corsOrigins: [] } as const;
      known.set(apiKey, { keyId, scopes: ['state:read', 'state:write'], expiresAt: null, cidrs: [], rateLimit: null, tenant: { ...tenant, corsOrigins: [] } });
    }
  }
  let lookUps = 0;
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const isKey = request.url === '/internal/api-keys/resolve';
      if (isKey) lookUps++;
      // The rest it is asked: counts of calls, whose answer is empty, and whether there are keys of another form.
      const answer = isKey ? known.get((JSON.parse(text) as { apiKey: string }).apiKey) : { any: false };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, keys, lookUps: () => lookUps, stop: () => void server.close() }; // TCP
}
