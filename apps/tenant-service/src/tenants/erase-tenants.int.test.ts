import { describe, expect, it } from '@jest/globals';
import type { Envelope, TenantId } from '@switchboard/contracts';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { codeOf, connect, genesysForm, metaForm, show, useAccountWorld, webhooksOf } from '../testing/account-world.ts';
import { eraseTenants } from './erase-tenants.ts';

const world = useAccountWorld();
const minute = 60_000;

async function remove(tenantId: TenantId, graceMs = 0): Promise<void> {
  const { db, tenants } = world.deps;
  await runAsTenant(tenantId, () => db.transaction(() => tenants.update({ status: 'deleted', deletedAt: world.now, deleteAfter: new Date(world.now.getTime() + graceMs) })));
}
async function roundAfter(ms: number): Promise<void> {
  world.now = new Date(world.now.getTime() + ms);
  await runAsSystem('a scheduled task', () => eraseTenants(world.deps, world.kit.log));
}
const erasureOf = (tenantId: TenantId) => runAsSystem('test', () => world.deps.erasures.findLast(tenantId));
const eraseOrders = (tenantId: TenantId) => world.kit.published.filter((event): event is Envelope<'tenant.changed'> => event.type === 'tenant.changed' && event.tenantId === tenantId && (event as Envelope<'tenant.changed'>).payload.reason === 'erase');

describe('a tenant whose grace time is over', () => {
  it('leaves its accounts at the providers first, and nobody else\'s', async () => {
    const [channel, desk] = [await connect(world, world.acme, metaForm(world, { wabaId: '9102' })), await connect(world, world.acme, genesysForm(world))];
    const theirs = await connect(world, world.globex, metaForm(world, { wabaId: '9103' }));
    await remove(world.acme);
    await roundAfter(0);
    const removals = world.meta.calls.filter(({ method }) => method === 'DELETE').map(({ path }) => path);
    expect(removals).toContainEqual(expect.stringContaining('/9102/subscribed_apps'));
    expect(removals).not.toContainEqual(expect.stringContaining('/9103/'));
    expect(world.genesys.calls.filter(({ method }) => method === 'DELETE').length).toBeGreaterThan(0);
    expect(await show(world, world.acme, channel.id)).toBeUndefined();
    expect(await show(world, world.acme, desk.id)).toBeUndefined();
    expect(await show(world, world.globex, theirs.id)).toMatchObject({ status: 'active' });
    expect((await webhooksOf(world, theirs.id)).webhookSecrets).toHaveLength(1);
    expect((await erasureOf(world.acme))?.webhooks).toEqual(expect.arrayContaining([
      { connectionId: channel.id, provider: 'whatsapp', outcome: 'removed', reason: null },
      { connectionId: desk.id, provider: 'genesys', outcome: 'removed', reason: null },
    ]));
    const gone = world.kit.published.filter(({ type, payload }) => type === 'connection.changed' && (payload as { status: string }).status === 'deleted').map(({ tenantId }) => tenantId);
    expect(gone).toEqual([world.acme, world.acme]);
  });

  it('is erased everywhere when nobody can know its connections any more, by an order that stays the same when it is repeated', async () => {
    await remove(world.acme);
    await roundAfter(0);
    await roundAfter(minute);
    expect(eraseOrders(world.acme)).toEqual([]);
    await roundAfter(minute);
    await roundAfter(minute);
    expect(eraseOrders(world.acme)).toMatchObject([{ orderingKey: world.acme, payload: { status: 'deleted', reason: 'erase' } }]);
    await roundAfter(61 * minute);
    const [first, second, ...more] = eraseOrders(world.acme);
    expect(second?.eventId).toBe(first?.eventId);
    expect(more).toEqual([]);
    expect(eraseOrders(world.globex)).toEqual([]);
  });

  it('connects no account any more, which would stay at its provider when the tenant is gone', async () => {
    await remove(world.acme, 60 * minute);
    expect(await codeOf(connect(world, world.acme, metaForm(world, { wabaId: '9104' })))).toBe('accepted');
    await roundAfter(61 * minute);
    expect(await codeOf(connect(world, world.acme, metaForm(world, { wabaId: '9105' })))).toBe('tenant.deleted');
    expect(await codeOf(connect(world, world.globex, metaForm(world, { wabaId: '9105' })))).toBe('accepted');
  });

  it('does not wait for a provider for ever: after some tries it goes, and the receipt says what is left there', async () => {
    const { id } = await connect(world, world.acme, genesysForm(world));
    await remove(world.acme);
    world.genesys.down = true;
    for (let round = 1; round < 5; round++) await roundAfter(minute);
    expect(await erasureOf(world.acme)).toMatchObject({ attempts: 4, disconnectedAt: null, webhooks: [{ connectionId: id, outcome: 'failed' }] });
    expect(await show(world, world.acme, id)).toBeDefined();
    // Nobody makes a copy of it any more.
    await expect(webhooksOf(world, id)).rejects.toThrow('no such connection');
    await roundAfter(minute);
    expect(await erasureOf(world.acme)).toMatchObject({ attempts: 5, disconnectedAt: world.now, webhooks: [{ connectionId: id, outcome: 'failed', reason: expect.any(String) }] });
    expect(await show(world, world.acme, id)).toBeUndefined();
  });
});

describe('a deleted tenant within its grace time', () => {
  it('is not touched, and its neighbour neither', async () => {
    const { id } = await connect(world, world.acme, metaForm(world));
    await remove(world.acme, 60 * minute);
    await roundAfter(59 * minute);
    expect(await erasureOf(world.acme)).toBeUndefined();
    expect(await show(world, world.acme, id)).toMatchObject({ status: 'active' });
    await roundAfter(2 * minute);
    expect(await erasureOf(world.acme)).toMatchObject({ tenantId: world.acme, completedAt: null });
    expect(await erasureOf(world.globex)).toBeUndefined();
  });
});
