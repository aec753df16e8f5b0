import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { hasTestKafka, startTestDatabase, testKafka, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { Pool } from 'pg';
import { relayGroup } from '../dead-letters.ts';
import { installTestBus, testService } from '../testing/index.ts';
import { noteOf, openBus, publishNote } from '../testing/bus-under-test.ts';
import { eventually, listen, upTo } from '../testing/suite-tools.ts';

const [acme, globex] = testTenants;

let database: TestDatabase;
let pool: Pool;
let urls: { busUrl: string; databaseUrl: string };

beforeAll(async () => {
  database = await startTestDatabase();
  const { busRole, runtimeRole } = await installTestBus({ adminUrl: database.adminUrl, driver: 'kafka', password: testRolePassword });
  urls = { busUrl: database.url(busRole), databaseUrl: database.url(runtimeRole) };
  pool = new Pool({ connectionString: urls.busUrl, max: 2 });
}, 60_000);
afterAll(async () => {
  await pool.end();
  await database.drop();
});

(hasTestKafka() ? describe : describe.skip)('the outbox relay', () => {
  it('goes on behind an event that Kafka refuses for its size, and keeps it as a dead letter of its tenant', async () => {
    const { brokers } = await testKafka();
    const run = newId('req');
    const place = { driver: 'kafka', service: testService, ...urls, kafka: { brokers: [brokers], prefix: `${run}.` } } as const;
    const consumer = openBus(place);
    const seen: string[] = [];
    listen(consumer, run, 'idempotent', async (event) => {
      seen.push(`${event.tenantId} ${noteOf(event).n}`);
    });
    // Before the relay runs, so that all of them are one batch; the large one goes past `publish`, which would have refused it.
    await publishNote(consumer.bus, globex, { run, key: 'k', n: 1 });
    const poison = newId('evt');
    await pool.query(
      `insert into ${testService}_bus.outbox (tenant_id, envelope)
       select $1, envelope || jsonb_build_object('tenantId', $1::text, 'eventId', $2::text, 'padding', repeat('x', 17 * 1024 * 1024)) from ${testService}_bus.outbox limit 1`,
      [acme, poison],
    );
    for (const n of upTo(3)) await publishNote(consumer.bus, acme, { run, key: 'k', n });
    await publishNote(consumer.bus, globex, { run, key: 'k', n: 2 });
    try {
      await consumer.bus.start();
      await eventually(() => seen.length, (length) => length >= 5, 40_000);
      expect(new Set(seen)).toEqual(new Set([`${globex} 1`, `${globex} 2`, `${acme} 1`, `${acme} 2`, `${acme} 3`]));
      const { deadLetters } = consumer.bus;
      const letters = await runAsTenant(acme, () => deadLetters.list({ limit: 5 }));
      expect(letters.data.map(({ event, group, error }) => [event.eventId, group, error.code])).toEqual([[poison, relayGroup, 'request.too_large']]);
      await eventually(() => pool.query(`select from ${testService}_bus.outbox`), ({ rowCount }) => rowCount === 0);

      // Redriven, it is offered to Kafka again; here it is refused again.
      expect(await runAsTenant(acme, () => deadLetters.redrive())).toBe(1);
      const again = await eventually(() => runAsTenant(acme, () => deadLetters.list({ limit: 5 })), ({ data }) => data.length === 1);
      expect(again.data[0]?.deadLetterId).not.toBe(letters.data[0]?.deadLetterId);
    } finally {
      await consumer.close();
    }
  }, 90_000);
});
