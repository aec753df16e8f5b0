import { describe, expect, it } from '@jest/globals';
import { runAsTenant } from '@switchboard/tenant-context';
import { connect, genesysForm, recheckAfter, show, useAccountWorld, webhooksOf } from '../testing/account-world.ts';

const world = useAccountWorld();

describe('connecting Genesys', () => {
  it('creates the integration with our webhook and a secret of its own, and waits until it is completed', async () => {
    world.genesys.completesAfter = 1;
    const connection = await connect(world, world.acme, genesysForm(world));
    expect(connection).toMatchObject({ type: 'genesys', role: 'desk', status: 'active', settings: { region: 'mypurecloud.de', clientId: 'client-1', integrationOrigin: 'created' }, sharedWebhookUrl: null });
    const created = world.genesys.integrations.get(connection.routingIdentifiers['integrationId'] ?? '');
    expect(created?.outboundNotificationWebhookUrl).toBe(`https://hub.example.net/webhooks/genesys/${connection.id}`);
    expect(created?.outboundNotificationWebhookSignatureSecretToken).toMatch(/^[\w-]{43}$/);
    expect((await webhooksOf(world, connection.id)).webhookSecrets).toEqual([{ value: created?.outboundNotificationWebhookSignatureSecretToken, expiresAt: null }]);
  });

  it('stays pending while Genesys takes its time, and is finished later without creating a second one', async () => {
    world.genesys.completesAfter = 100;
    const made = world.genesys.integrations.size;
    const connection = await connect(world, world.acme, genesysForm(world));
    expect(connection).toMatchObject({ status: 'pending', statusReason: expect.stringContaining('still creating'), routingIdentifiers: { integrationId: expect.any(String) } });
    world.genesys.completesAfter = 0;
    await recheckAfter(world, 1);
    expect(await show(world, world.acme, connection.id)).toMatchObject({ status: 'active', routingIdentifiers: connection.routingIdentifiers });
    expect(world.genesys.integrations.size).toBe(made + 1);
  });

  it('finds the integration it created when the answer was lost', async () => {
    const made = world.genesys.integrations.size;
    const attempt = connect(world, world.acme, genesysForm(world), async (real, call) => {
      const reply = await real.request(call);
      if (call.method === 'POST' && call.url.endsWith('/integrations/open')) throw new Error('connection lost');
      return reply;
    });
    await expect(attempt).rejects.toThrow('connection lost');
    await recheckAfter(world, 3);
    const [connection] = await runAsTenant(world.acme, () => world.deps.connections.list());
    expect(connection).toMatchObject({ status: 'active' });
    expect(world.genesys.integrations.size).toBe(made + 1);
  });

  it('makes no second one while Genesys does not say whether there is a first, and finds it behind a hundred others', async () => {
    for (let index = 0; index < 120; index++) world.genesys.integrations.set(`other-${index}`, { name: 'Other', looks: 0 });
    const made = world.genesys.integrations.size;
    const lost = connect(world, world.acme, genesysForm(world), async (real, call) => {
      const reply = await real.request(call);
      if (call.method === 'POST' && call.url.endsWith('/integrations/open')) throw new Error('connection lost');
      return reply;
    });
    await expect(lost).rejects.toThrow('connection lost');
    // The list is not answered: 503, then a permission that is missing.
    for (const status of [503, 403]) {
      const again = await connect(world, world.acme, genesysForm(world), async (real, call) => (call.url.includes('pageNumber=') ? { status, headers: {}, body: Buffer.from('{}') } : await real.request(call)));
      expect(again).toMatchObject({ status: 'pending' });
      expect(world.genesys.integrations.size).toBe(made + 1);
    }
    expect(await connect(world, world.acme, genesysForm(world))).toMatchObject({ status: 'active' });
    expect(world.genesys.integrations.size).toBe(made + 1);
  });

  it('keeps the integration it created when credentials are posted again, and gives Genesys a new secret', async () => {
    const first = await connect(world, world.acme, genesysForm(world));
    const [oldSecret] = (await webhooksOf(world, first.id)).webhookSecrets;
    const second = await connect(world, world.acme, genesysForm(world));
    expect(second).toMatchObject({ id: first.id, status: 'active', routingIdentifiers: first.routingIdentifiers });
    const [newSecret, previous] = (await webhooksOf(world, first.id)).webhookSecrets;
    expect(previous?.value).toBe(oldSecret?.value);
    expect(newSecret?.value).not.toBe(oldSecret?.value);
    expect(world.genesys.integrations.get(first.routingIdentifiers['integrationId'] ?? '')?.outboundNotificationWebhookSignatureSecretToken).toBe(newSecret?.value);
  });

  it('accepts the new secret before Genesys is told of it, so that no webhook falls between', async () => {
    const first = await connect(world, world.acme, genesysForm(world));
    let acceptedAtPatch: string[] = [];
    await connect(world, world.acme, genesysForm(world), async (real, call) => {
      if (call.method === 'PATCH') acceptedAtPatch = (await webhooksOf(world, first.id)).webhookSecrets.map((secret) => secret.value);
      return await real.request(call);
    });
    const inUse = (await webhooksOf(world, first.id)).webhookSecrets.map((secret) => secret.value);
    expect([...acceptedAtPatch].toSorted()).toEqual([...inUse].toSorted());
  });

  it('leaves an integration that the tenant configured as it is', async () => {
    world.genesys.integrations.set('int-1', { name: 'Ours', looks: 0 });
    const connection = await connect(world, world.acme, genesysForm(world, { integrationId: 'int-1', webhookSecret: 'a-secret-of-the-tenant' }));
    expect(connection).toMatchObject({ status: 'active', routingIdentifiers: { integrationId: 'int-1' } });
    expect(world.genesys.calls.filter((call) => call.method === 'PATCH')).toEqual([]);
    expect((await webhooksOf(world, connection.id)).webhookSecrets[0]?.value).toBe('a-secret-of-the-tenant');
  });

  it('gives a known integration our URL and a secret when the tenant has none', async () => {
    world.genesys.integrations.set('int-2', { name: 'Theirs', looks: 0 });
    const connection = await connect(world, world.acme, genesysForm(world, { integrationId: 'int-2' }));
    expect(world.genesys.integrations.get('int-2')).toMatchObject({ name: 'Theirs', outboundNotificationWebhookUrl: connection.webhookUrl, outboundNotificationWebhookSignatureSecretToken: expect.any(String) });
  });

  it('says what is wrong with the client secret and with the integration id', async () => {
    expect(await connect(world, world.acme, genesysForm(world, { clientSecret: 'wrong' }))).toMatchObject({ status: 'pending', statusReason: expect.stringContaining('client id or client secret') });
    expect(await connect(world, world.globex, genesysForm(world, { integrationId: 'nowhere' }))).toMatchObject({ status: 'pending', statusReason: expect.stringContaining('no Open Messaging integration nowhere') });
  });
});
