import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, migrate, provision } from '@switchboard/db';
import type { BusinessHours } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { createBookingStore } from '../store/bookings.ts';
import type { BotpressDatabase } from '../store/client.ts';
import { PrismaClient } from '../store/generated/client.ts';
import { createRequestCalendar } from './create-request-calendar.ts';

const [acme, globex] = testTenants;
const schema = { service: 'botpress-connector', schema: 'botpress', prismaDirectory: new URL('../../prisma/', import.meta.url) };
const now = new Date('2026-11-16T07:00:00Z');
const hours: BusinessHours = { timezone: 'UTC', hours: [{ day: 'mon-sun', from: '09:00', to: '17:00' }] };
const wish = { from: now, days: 2, slotMinutes: 60, count: 3 };

let database: TestDatabase;
let db: BotpressDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
  await provision({ adminUrl: database.adminUrl, services: [schema], rolePassword: testRolePassword });
  await migrate({ adminUrl: database.adminUrl, service: schema });
  db = createDatabase({ url: database.url('switchboard_botpress'), schema: 'botpress', connectionsMax: 8, createClient: (adapter) => new PrismaClient({ adapter }) });
}, 60_000);
afterAll(async () => {
  await db?.close();
  await database?.drop();
});

const calendar = () => createRequestCalendar({ db, bookings: createBookingStore(db), now: () => now });
const at = (time: string) => new Date(`2026-11-16T${time}:00Z`);
const request = (requestKey: string, from: string, until: string) => ({ requestKey, startsAt: at(from), endsAt: at(until), contact: { name: requestKey } });

describe('the calendar of requests', () => {
  it('gives a time to one contact of a tenant, however many ask at the same moment, and to each tenant its own', async () => {
    const asked = Array.from({ length: 8 }, (_, index) => index);
    const outcomes = await Promise.all(asked.map((index) => runAsTenant(acme, () => calendar().book(hours, request(`a${index}`, `09:0${index}`, `10:0${index}`)))));
    expect(outcomes.filter(({ kind }) => kind === 'booked')).toHaveLength(1);
    expect(await runAsTenant(globex, () => calendar().book(hours, request('g', '09:00', '10:00')))).toMatchObject({ kind: 'booked', booking: { status: 'requested' } });
  });

  it('answers the same request by the same booking', async () => {
    const [first, again] = [await runAsTenant(acme, () => calendar().book(hours, request('same', '12:00', '13:00'))), await runAsTenant(acme, () => calendar().book(hours, request('same', '12:00', '13:00')))];
    expect(first).toMatchObject({ kind: 'booked' });
    expect(again).toEqual(first);
  });

  it('refuses what is outside the hours, and what is over', async () => {
    for (const [from, until] of [['16:30', '17:30'], ['06:00', '06:30'], ['08:30', '09:30']] as const) expect(await runAsTenant(acme, () => calendar().book(hours, request(`no ${from}`, from, until)))).toEqual({ kind: 'unavailable' });
    // An hour ago somebody was there, and a calendar without hours has been open all the time.
    const over = (requestKey: string) => ({ requestKey, startsAt: new Date(now.getTime() - 3_600_000), endsAt: new Date(now.getTime() - 1_800_000), contact: {} });
    expect(await runAsTenant(acme, () => calendar().book(undefined, over('over')))).toEqual({ kind: 'unavailable' });
  });

  it('notes a wish without a time', async () => {
    expect(await runAsTenant(acme, () => calendar().book(hours, { requestKey: 'wish', contact: { phone: '+4930123' }, notes: 'any Tuesday' }))).toMatchObject({ kind: 'booked', booking: { startsAt: null, contact: { phone: '+4930123' }, notes: 'any Tuesday' } });
  });

  it('proposes what is left', async () => {
    const proposed = await runAsTenant(globex, () => calendar().propose(hours, wish));
    expect(proposed.map(({ from }) => from)).toEqual([at('10:00'), at('11:00'), at('12:00')]);
  });
});
