import { generateApiKey, newId, tenantIdSchema, type BodyOf, type ResolvedApiKey, type resolveApiKey, type resolveApiKeys, type TenantId } from '@switchboard/contracts';
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
  const find = (apiKey: string) => {
    lookUps++;
    return known.get(apiKey);
  };
  function answerTo(url: string | undefined, text: string): unknown {
    if (url === '/internal/api-keys/resolve') return find((JSON.parse(text) as BodyOf<typeof resolveApiKey>).apiKey);
    // The rest it is asked: counts of calls, whose answer is empty, and whether there are keys of another form.
    if (url !== '/internal/api-keys/resolve-many') return { any: false };
    const found = (JSON.parse(text) as BodyOf<typeof resolveApiKeys>).apiKeys.map(find);
    const ofTenants = new Map(found.map((key) => [key?.tenant.tenantId, key?.tenant]));
    return { keys: found.map((key) => (key === undefined ? null : { ...key, tenant: undefined, tenantId: key.tenant.tenantId })), tenants: [...ofTenants.values()].filter((tenant) => tenant !== undefined) };
  }
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const answer = answerTo(request.url, text);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, keys, lookUps: () => lookUps, stop: () => void server.close() }; // TCP
}
