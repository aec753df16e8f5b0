import type { TenantId, TenantRouting } from '@switchboard/contracts';
import { createDatabase } from '@switchboard/db';
import { prepareServices, startService } from '@switchboard/service-kit';
import { keyHeaders, testEnvironment } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword } from '@switchboard/testing';
import { service } from '../src/service.ts';
import { PrismaClient } from '../src/store/generated/client.ts';
import { acme, globex, makeTenant } from './start-state.ts';
import { startTenantService } from './start-tenant-service.ts';

const none: TenantRouting = { version: 0, timeZone: 'UTC', plan: 'enterprise', routes: [], connections: [] };
/** Whom the tenant-service of these tests knows. */
export const tenants = new Map([acme, globex].map((tenantId) => [tenantId, makeTenant(tenantId)]));

export type Answer<T> = { status: number; json: T; text: string; headers: Headers };

/** state-manager as it runs, asked over HTTP. */
export async function runState() {
  const database = await startTestDatabase();
  await prepareServices([service], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  const tenantService = await startTenantService((tenantId) => tenants.get(tenantId)?.routing ?? none);
  const running = await startService(
    service,
    testEnvironment({ DATABASE_URL: database.url('switchboard_state'), BUS_DATABASE_URL: database.url('switchboard_bus'), TENANT_SERVICE_URL: tenantService.url }),
  );
  // Of the superuser, for whom no policy holds: looks behind the curtain, at all tenants.
  const behind = createDatabase({ url: database.adminUrl, schema: 'state', connectionsMax: 2, createClient: (adapter) => new PrismaClient({ adapter }) });
  return {
    url: running.url,
    query: <Row extends object>(text: string, values: readonly unknown[] = []) => runAsTenant(acme, () => behind.transaction(() => behind.sql.query<Row>(text, values))),
    async call<T>(tenantId: TenantId, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
      const response = await fetch(`${running.url}${path}`, {
        method,
        headers: { ...keyHeaders('state-manager', tenantId), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      return { status: response.status, json: (isJson ? JSON.parse(text) : undefined) as T, text, headers: response.headers }; // the test says what it expects
    },
    async stop(): Promise<void> {
      await running.stop();
      await behind.close();
      await tenantService.stop();
      await database.drop();
    },
  };
}
export type RunningState = Awaited<ReturnType<typeof runState>>;
