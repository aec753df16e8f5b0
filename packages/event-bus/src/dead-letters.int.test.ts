import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { Pool } from 'pg';
import { busSchemaOf } from './bus-schema.ts';
import { createDeadLetters } from './dead-letters.ts';
import { installTestBus, testService } from './testing/index.ts';

const [acme, globex] = testTenants;
let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await startTestDatabase();
  const { busRole } = await installTestBus({ adminUrl: database.adminUrl, driver: 'embedded', password: testRolePassword });
  pool = new Pool({ connectionString: database.url(busRole), max: 1 });
}, 60_000);
afterAll(async () => {
  await pool.end();
  await database.drop();
});

describe('dead letters', () => {
  it('are listed all of them, but few at once where they are large: all tenants share the memory', async () => {
    const letters = createDeadLetters(pool, busSchemaOf('embedded', testService), 'embedded');
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) {
      const [tenantId, connectionId] = [index === 3 ? globex : acme, newId('con')];
      const payload = { webhookId: newId('whk'), connectionId, body: 'x'.repeat(3 * 1024 * 1024), receivedAt: new Date().toISOString() };
      const envelope = { eventId: newId('evt'), type: 'webhook.received.whatsapp', version: 1, tenantId, occurredAt: new Date().toISOString(), orderingKey: connectionId, payload };
      const id = newId('dlq');
      if (tenantId === acme) ids.push(id);
      await pool.query(`insert into bus.dead_letters (tenant_id, id, consumer_group, ordering_key, envelope, error_code, error_message, attempts, failed_at) values ($1, $2, 'group', $3, $4, 'internal', 'failed', 1, now())`, [tenantId, id, connectionId, envelope]);
    }
    const pages: string[][] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: Awaited<ReturnType<typeof letters.list>> = await runAsTenant(acme, () => letters.list({ limit: 200, cursor: cursor ?? undefined }));
      pages.push(page.data.map(({ deadLetterId }) => deadLetterId));
      cursor = page.nextCursor;
    }
    expect(pages).toEqual([ids.slice(0, 3), ids.slice(3)]);
    expect((await runAsTenant(globex, () => letters.list({ limit: 200 }))).data).toHaveLength(1);
  }, 30_000);
});
