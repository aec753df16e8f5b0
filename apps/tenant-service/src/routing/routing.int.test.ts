import { describe, expect, it } from '@jest/globals';
import { newId } from '@switchboard/contracts';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { hashHandshakeToken } from '../accounts/post-draft.ts';
import { codeOf, connect, genesysForm, metaForm, useAccountWorld } from '../testing/account-world.ts';
import { chooseRoutes } from './update-routes.ts';

const world = useAccountWorld();

describe('routes', () => {
  it('join one channel and one desk by themselves, and tell those who keep them', async () => {
    const channel = await connect(world, world.acme, metaForm(world));
    expect(await runAsTenant(world.acme, () => world.deps.routes.list())).toEqual([]);
    const desk = await connect(world, world.acme, genesysForm(world));
    expect(await runAsTenant(world.acme, () => world.deps.routes.list())).toEqual([{ channelConnectionId: channel.id, botConnectionId: null, deskConnectionId: desk.id, startsWith: 'desk', settings: {} }]);
    expect(world.kit.published.filter((event) => event.type === 'routes.changed').map((event) => event.payload)).toEqual([{ version: 1 }, { version: 2 }]);
  });

  it('stay as the tenant chose them', async () => {
    const [channel, desk] = [await connect(world, world.acme, metaForm(world)), await connect(world, world.acme, genesysForm(world))];
    const chosen = [{ channelConnectionId: channel.id, botConnectionId: null, deskConnectionId: desk.id, startsWith: 'none' as const, settings: {} }];
    expect(await runAsTenant(world.acme, () => chooseRoutes(world.deps, chosen))).toMatchObject({ source: 'chosen' });
    await connect(world, world.acme, genesysForm(world));
    expect(await runAsTenant(world.acme, () => world.deps.routes.list())).toEqual(chosen);
  });

  it('take no connection of another tenant', async () => {
    const channel = await connect(world, world.acme, metaForm(world));
    const desk = await connect(world, world.globex, genesysForm(world));
    const route = { channelConnectionId: channel.id, botConnectionId: null, deskConnectionId: desk.id, startsWith: 'desk' as const, settings: {} };
    expect(await codeOf(runAsTenant(world.acme, () => chooseRoutes(world.deps, [route])))).toBe('route.invalid');
    expect(await codeOf(runAsTenant(world.acme, () => chooseRoutes(world.deps, [{ ...route, deskConnectionId: newId('con') }])))).toBe('route.invalid');
  });
});

describe('what webhooks belong to', () => {
  it('is found by routing identifier over all tenants, active connections alone', async () => {
    const [mine, theirs] = [metaForm(world, { wabaId: '901' }), metaForm(world, { wabaId: '901' })];
    const [a, b] = [await connect(world, world.acme, mine), await connect(world, world.globex, theirs)];
    const pending = await connect(world, world.acme, metaForm(world, { wabaId: '901', accessToken: 'wrong' }));
    const find = (name: string, value: string) =>
      runAsSystem('test', () => world.deps.webhookConnections.find({ connectionIds: [], routingIdentifiers: [{ provider: 'whatsapp', name, value }], handshake: undefined }, world.now));
    expect((await find('phoneNumberId', mine.credentials.phoneNumberId)).map((found) => [found.tenantId, found.connectionId])).toEqual([[world.acme, a.id]]);
    expect((await find('wabaId', '901')).map((found) => found.connectionId).toSorted()).toEqual([a.id, b.id].toSorted());
    expect(await find('phoneNumberId', pending.routingIdentifiers['phoneNumberId'] ?? '')).toEqual([]);
  });

  it('is found by the handshake token, of a connection that is still pending too', async () => {
    const connection = await connect(world, world.acme, metaForm(world, { verifyToken: `token-of-${world.acme}`, accessToken: 'wrong' }));
    const handshake = (token: string) => ({ provider: 'whatsapp' as const, tokenHash: hashHandshakeToken(world.kit.config.apiKeyPepper, token) });
    const find = (token: string) => runAsSystem('test', () => world.deps.webhookConnections.find({ connectionIds: [], routingIdentifiers: [], handshake: handshake(token) }, world.now));
    expect(await find(`token-of-${world.acme}`)).toMatchObject([{ connectionId: connection.id, verifyToken: `token-of-${world.acme}` }]);
    expect(await find('another')).toEqual([]);
  });
});
