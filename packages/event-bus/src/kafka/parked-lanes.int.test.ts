import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventIdSchema, hubError, newId } from '@switchboard/contracts';
import { hasTestKafka, startTestDatabase, testKafka, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { Pool } from 'pg';
import { busSchemaOf } from '../bus-schema.ts';
import { loadEffects, noteOf, openBus, publishNote, storeEffect, type OpenBus } from '../testing/bus-under-test.ts';
import { countLaggingPartitions } from '../testing/count-lagging-partitions.ts';
import { installTestBus, testService } from '../testing/index.ts';
import { eventually } from '../testing/suite-tools.ts';
import { createParkedLanes, type LaneEvent } from './parked-lanes.ts';

const [acme, globex] = testTenants;
const error = { code: 'provider.unavailable', message: 'down' };

let database: TestDatabase;
let pool: Pool;
let urls: { busUrl: string; databaseUrl: string };

beforeAll(async () => {
  database = await startTestDatabase();
  const { busRole, runtimeRole } = await installTestBus({ adminUrl: database.adminUrl, driver: 'kafka', password: testRolePassword });
  urls = { busUrl: database.url(busRole), databaseUrl: database.url(runtimeRole) };
  pool = new Pool({ connectionString: urls.busUrl, max: 4 });
}, 60_000);
afterAll(async () => {
  await pool.end();
  await database.drop();
});

describe('createParkedLanes', () => {
  const event = (tenantId: string, orderingKey: string): LaneEvent => ({ tenantId, group: 'lanes', orderingKey, envelope: { eventId: newId('evt'), tenantId } });
  const lanes = () => createParkedLanes(pool, busSchemaOf('kafka', testService));

  it('lets an event follow its own lane only: not another key, group or tenant', async () => {
    await lanes().park(event(acme, 'parked'), 2, 60_000, error);
    expect(await lanes().follow(event(acme, 'parked'))).toBe(true);
    expect(await lanes().follow(event(acme, 'free'))).toBe(false);
    expect(await lanes().follow(event(globex, 'parked'))).toBe(false);
    expect(await lanes().follow({ ...event(acme, 'parked'), group: 'other' })).toBe(false);
    expect(await lanes().load('lanes')).toEqual(new Set([`${acme} parked`]));
  });

  it('decides for each event alike while the lane empties: behind what is parked, or to be run', async () => {
    await lanes().park(event(acme, 'emptying'), 2, 0, error);
    const following = Array.from({ length: 20 }, () => lanes().follow(event(acme, 'emptying')));
    const remove = pool.query(`delete from ${testService}_bus.pending_events where ordering_key = 'emptying' and attempts = 2`);
    const [followed] = await Promise.all([Promise.all(following), remove]);
    const { rowCount } = await pool.query(`select from ${testService}_bus.pending_events where ordering_key = 'emptying'`);
    expect(rowCount).toBe(followed.filter(Boolean).length);
  });

  it('buries an event once, however often it is delivered', async () => {
    const dead = event(acme, 'dead');
    await lanes().bury(dead, 3, error);
    await lanes().bury(dead, 3, error);
    const { rows } = await pool.query(`select envelope ->> 'eventId' as id from ${testService}_bus.dead_letters where ordering_key = 'dead'`);
    expect(rows).toHaveLength(1);
    expect(eventIdSchema.safeParse(rows[0]?.id).success).toBe(true);
  });
});

(hasTestKafka() ? describe : describe.skip)('a parked lane', () => {
  it('keeps its order when its partition moves to another process', async () => {
    const { brokers } = await testKafka();
    const run = newId('req');
    const place = { driver: 'kafka', service: testService, ...urls, kafka: { brokers: [brokers], prefix: `${run}.` } } as const;
    let healed = false;
    const open = (name: string): OpenBus => {
      const opened = openBus(place, { retry: { attemptsMax: 100, delayMs: () => 1_500 } });
      opened.bus.subscribe({
        type: 'conversation.changed',
        group: `group-${run}`,
        effect: 'transaction',
        handle: async (received) => {
          const { key, n } = noteOf(received);
          if (!healed && key === 'failing' && n === 1) throw hubError('provider.unavailable');
          await storeEffect(opened.unitOfWork, received, name);
        },
      });
      return opened;
    };
    const first = open('first');
    await first.bus.start();
    for (const n of [1, 2, 3]) await publishNote(first.bus, acme, { run, key: 'failing', n });
    await publishNote(first.bus, acme, { run, key: 'other', n: 1 });
    const effectsUntil = (count: number) => eventually(() => loadEffects(database.adminUrl, run), ({ length }) => length >= count);
    await effectsUntil(1);
    // All is committed: the second process begins behind the parked ones.
    await eventually(() => countLaggingPartitions([brokers], `${run}.`, `group-${run}`), (count) => count === 0);
    const second = open('second');
    await second.bus.start();
    await first.close();
    for (const n of [4, 5]) await publishNote(second.bus, acme, { run, key: 'failing', n });
    await publishNote(second.bus, acme, { run, key: 'other', n: 2 });
    await effectsUntil(2);
    healed = true;
    const effects = await effectsUntil(7);
    await second.close();
    expect(effects.slice(0, 2).map(({ key, n }) => `${key} ${n}`)).toEqual(['other 1', 'other 2']);
    expect(effects.slice(2).map(({ key, n, by }) => `${key} ${n} ${by}`)).toEqual([1, 2, 3, 4, 5].map((n) => `failing ${n} second`));
  }, 90_000);
});
