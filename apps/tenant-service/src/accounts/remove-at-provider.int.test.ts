import { describe, expect, it } from '@jest/globals';
import { runAsTenant } from '@switchboard/tenant-context';
import type { ConnectionId, TenantId } from '@switchboard/contracts';
import { connect, genesysForm, metaForm, show, useAccountWorld } from '../testing/account-world.ts';
import { removeAtProvider } from './remove-at-provider.ts';

const world = useAccountWorld();

async function remove(tenantId: TenantId, connectionId: ConnectionId, leaving?: readonly ConnectionId[]) {
  const connection = await show(world, tenantId, connectionId);
  if (connection === undefined) throw new Error('no such connection');
  world.meta.calls.length = 0;
  return await runAsTenant(tenantId, () => removeAtProvider(world.deps, connection, leaving));
}
const asked = () => world.meta.calls.map(({ method, path }) => `${method} ${path}`);

describe('what the hub set up at a provider', () => {
  it('ends with the last connection of a WhatsApp business account, whichever tenant has it', async () => {
    const [mine, theirs] = [await connect(world, world.acme, metaForm(world, { wabaId: '9001' })), await connect(world, world.globex, metaForm(world, { wabaId: '9001' }))];
    expect(await remove(world.acme, mine.id)).toMatchObject({ kind: 'nothing_to_remove', reason: expect.stringContaining('Another connection') });
    expect(asked()).toEqual([]);
    expect(await remove(world.globex, theirs.id, [mine.id, theirs.id])).toEqual({ kind: 'removed' });
    expect(asked()).toEqual(['DELETE /v25.0/9001/subscribed_apps']);
  });

  it('is the integration it made at Genesys, found even when its id was never learned, and none that a tenant brought', async () => {
    const made = await connect(world, world.acme, genesysForm(world));
    expect(await remove(world.acme, made.id)).toEqual({ kind: 'removed' });
    expect(world.genesys.integrations.has(made.routingIdentifiers['integrationId'] ?? '')).toBe(false);
    expect(await remove(world.acme, made.id)).toMatchObject({ kind: 'nothing_to_remove', reason: expect.stringContaining('gone already') });

    world.genesys.integrations.set('brought', { name: 'Theirs', looks: 0 });
    const brought = await connect(world, world.globex, genesysForm(world, { integrationId: 'brought' }));
    expect(await remove(world.globex, brought.id)).toMatchObject({ kind: 'nothing_to_remove' });
    expect(world.genesys.integrations.has('brought')).toBe(true);
  });

  it('stays when the provider does not answer, and the reason is said without secrets', async () => {
    const made = await connect(world, world.acme, genesysForm(world));
    world.genesys.down = true;
    expect(await remove(world.acme, made.id)).toEqual({ kind: 'failed', reason: expect.stringContaining('problem of its own') });
    world.genesys.down = false;
    world.genesys.clientSecret = 'another';
    const failed = await remove(world.acme, made.id);
    expect(failed).toMatchObject({ kind: 'failed', reason: expect.stringContaining('refuses the client id') });
    expect(JSON.stringify(failed)).not.toContain('genesys-client-secret');
  });
});
