import type { Plan, TenantFacts, TenantId } from '@switchboard/contracts';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type FakeTenantService = { readonly url: string; readonly plans: Map<string, Plan>; readonly close: () => void };

/** Answers who a tenant is, as tenant-service does; tenants that have no plan here do not exist. */
export async function startFakeTenantService(): Promise<FakeTenantService> {
  const plans = new Map<string, Plan>();
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { tenantId } = JSON.parse(Buffer.concat(chunks).toString()) as { tenantId: TenantId };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ tenant: factsOf(tenantId, plans.get(tenantId)) }));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    plans,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export function factsOf(tenantId: TenantId, plan: Plan | undefined): TenantFacts | null {
  return plan === undefined ? null : { tenantId, status: 'active', plan, rateLimit: 100, subdomain: null, corsOrigins: [] };
}
