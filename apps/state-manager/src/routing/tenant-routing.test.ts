import { newId, tenantIdSchema, type TenantRouting } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { describe, expect, it } from '@jest/globals';
import { createTenantRoutings } from './tenant-routing.ts';

const acme = tenantIdSchema.parse('acme');
const globex = tenantIdSchema.parse('globex');
const minute = 60_000;

function setUp() {
  const state = { loads: 0, now: 0, fails: false, routing: makeRouting() };
  const routings = createTenantRoutings({
    load: async () => {
      state.loads++;
      const { routing } = state;
      await new Promise((resolve) => setImmediate(resolve));
      if (state.fails) throw new Error('away');
      return routing;
    },
    now: () => new Date(state.now),
  });
  return { state, routings };
}

function makeRouting(): TenantRouting {
  const connection = { connectionId: newId('con'), provider: 'whatsapp' as const, role: 'channel' as const, status: 'active' as const, createdAt: '2026-11-21T12:00:00.000Z' };
  return { version: 1, timeZone: 'UTC', plan: 'enterprise', routes: [], connections: [connection] };
}

describe('the copy of a tenant\'s routing', () => {
  it('is asked for once by many at the same time, for each tenant its own', async () => {
    const { state, routings } = setUp();
    await Promise.all([...Array.from({ length: 10 }, () => runAsTenant(acme, () => routings.current())), runAsTenant(globex, () => routings.current())]);
    expect(state.loads).toBe(2);
  });

  it('is asked for again after a minute, and after a change at once', async () => {
    const { state, routings } = setUp();
    await runAsTenant(acme, () => routings.current());
    state.now = minute;
    await runAsTenant(acme, () => routings.current());
    await runAsTenant(acme, () => routings.drop());
    await runAsTenant(acme, () => routings.current());
    expect(state.loads).toBe(3);
  });

  it('is asked for again when it does not know a connection, at most once a second', async () => {
    const { state, routings } = setUp();
    const unknown = newId('con');
    await runAsTenant(acme, () => routings.current(unknown));
    await runAsTenant(acme, () => routings.current(unknown));
    expect(state.loads).toBe(1);
    state.now = 1_000;
    await runAsTenant(acme, () => routings.current(unknown));
    expect(state.loads).toBe(2);
  });

  it('serves for ten minutes while tenant-service is away, and then fails', async () => {
    const { state, routings } = setUp();
    await runAsTenant(acme, () => routings.current());
    state.fails = true;
    state.now = 9 * minute;
    await expect(runAsTenant(acme, () => routings.current())).resolves.toBe(state.routing);
    state.now = 11 * minute;
    await expect(runAsTenant(acme, () => routings.current())).rejects.toThrow('away');
  });

  it('does not keep what was on its way when the change came', async () => {
    const { state, routings } = setUp();
    const before = runAsTenant(acme, () => routings.current());
    while (state.loads === 0) await Promise.resolve();
    await runAsTenant(acme, () => routings.drop());
    state.routing = makeRouting();
    await before;
    await expect(runAsTenant(acme, () => routings.current())).resolves.toBe(state.routing);
  });
});
