import { prepareServices, startService, type RunningService, type ServiceDefinition } from '@switchboard/service-kit';
import { testEnvironment } from '@switchboard/service-kit/testing';
import { createDatabase } from '@switchboard/db';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { tmpdir } from 'node:os';
import { service } from '../src/service.ts';
import type { BotpressDatabase } from '../src/store/client.ts';
import { PrismaClient } from '../src/store/generated/client.ts';
import { startFakeTenantService, type FakeTenantService } from './fake-tenant-service.ts';

/** The running service on a database of its own, beside a tenant-service that knows the test tenants. */
export type ChatbotService = {
  readonly url: () => string;
  readonly tenantService: FakeTenantService;
  readonly db: BotpressDatabase;
  /** One more process of the service. */
  readonly startAnother: () => Promise<RunningService>;
  readonly stop: () => Promise<void>;
};

export async function startChatbotService(more: Readonly<Record<string, string>> = {}): Promise<ChatbotService> {
  // The cast drops the service's own config type.
  const definition = service as unknown as ServiceDefinition;
  const database: TestDatabase = await startTestDatabase();
  await prepareServices([definition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  const tenantService = await startFakeTenantService(testTenants);
  const db = createDatabase({ url: database.url('switchboard_botpress'), schema: 'botpress', connectionsMax: 3, createClient: (adapter) => new PrismaClient({ adapter }) });
  const environment = testEnvironment({
    DATABASE_URL: database.url('switchboard_botpress'),
    BUS_DRIVER: 'embedded',
    BUS_DATABASE_URL: database.url('switchboard_bus'),
    TENANT_SERVICE_URL: tenantService.url,
    MEDIA_URL_SECRET: 's'.repeat(32),
    MEDIA_DIR: tmpdir(),
    ...more,
  });
  const running = [await startService(definition, environment)];
  return {
    url: () => running[0]?.url ?? '',
    tenantService,
    db,
    async startAnother() {
      const another = await startService(definition, environment);
      running.push(another);
      return another;
    },
    async stop() {
      for (const process of running) await process.stop();
      await tenantService.stop();
      await db.close();
      await database.drop();
    },
  };
}
