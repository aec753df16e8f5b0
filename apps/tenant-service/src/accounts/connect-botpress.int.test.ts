import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runAsTenant } from '@switchboard/tenant-context';
import { changePlatformConnection } from '../platform/change-platform-connection.ts';
import { connectPlatformAccount } from '../platform/create-platform-connection.ts';
import { effectiveAccount } from '../platform/platform-account.ts';
import { startFakeBotpress, type FakeBotpress } from '../testing/fake-botpress.ts';
import { codeOf, connect, recheckAfter, show, useAccountWorld, webhooksOf } from '../testing/account-world.ts';
import { removeConnection } from './delete-connection.ts';

const world = useAccountWorld();
let bots: FakeBotpress;
let nextBot = 0;

beforeAll(async () => {
  bots = await startFakeBotpress(Array.from({ length: 20 }, (_, index) => `bot-${index + 1}`));
});
afterAll(async () => {
  await bots?.close();
});

const cloud = (more: object = {}) => ({ type: 'botpress', credentials: { kind: 'cloud', webhookId: `bot-${++nextBot}`, encryptionKey: bots.encryptionKey, webhookSecret: 'secret-of-the-integration', apiBaseUrl: bots.url, ...more } });
const server = (more: object = {}) => ({ type: 'botpress', credentials: { kind: 'v12', botId: `bot-${++nextBot}`, email: 'hub@acme.example', password: bots.password, apiBaseUrl: bots.url, ...more } });

describe('a bot of the tenant\'s own', () => {
  it('is found at Botpress Cloud by its webhook id, and proved by the key of its Chat integration', async () => {
    const form = cloud();
    const connection = await connect(world, world.acme, form);
    expect(connection).toMatchObject({ status: 'active', role: 'bot', routingIdentifiers: { bot: `${new URL(bots.url).host}/${form.credentials.webhookId}`, session: connection.id } });
    expect((await webhooksOf(world, connection.id)).webhookSecrets).toEqual([{ value: 'secret-of-the-integration', expiresAt: null }]);
    expect(JSON.stringify(connection)).not.toMatch(/the-key-of|secret-of/);
    expect(await codeOf(connect(world, world.globex, form))).toBe('connection.identifier_taken');
    expect(await runAsTenant(world.acme, () => removeConnection(world.deps, connection.id))).toMatchObject({ atProvider: { outcome: 'nothing_to_remove' } });
  });

  it('is found at a v12 server by logging in', async () => {
    expect(await connect(world, world.acme, server())).toMatchObject({ status: 'active', settings: { kind: 'v12' } });
    expect(await connect(world, world.globex, server({ password: 'wrong' }))).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/refuses the login/) });
  });

  it.each([
    ['a key that is wrong', { encryptionKey: 'another-key' }, /refuses the encryption key/],
    ['a webhook id that only the body of a 200 refuses', { webhookId: 'no-such-bot' }, /knows no Chat integration/],
    ['no webhook secret, which the hub cannot set there', { webhookSecret: undefined }, /give it here as webhookSecret/],
  ])('stays pending with the reason after %s', async (_, more, reason) => {
    expect(await connect(world, world.acme, cloud(more))).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(reason) });
  });
});

describe('the bot of the platform', () => {
  it('serves several tenants, each with a session of its own, by the platform\'s key and secret', async () => {
    const shared = { type: 'botpress', credentials: { mode: 'shared' } };
    const waiting = await connect(world, world.acme, shared);
    expect(waiting).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/no Botpress account with room/) });

    const { credentials } = cloud();
    const bot = await connectPlatformAccount(world.deps, { type: 'botpress', name: 'Shared bot', credentials, isOpen: true, inboxesMax: null });
    await recheckAfter(world, 3);
    const theirs = await connect(world, world.globex, shared);
    expect(await show(world, world.acme, waiting.id)).toMatchObject({ status: 'active', routingIdentifiers: { session: waiting.id } });
    expect(theirs).toMatchObject({ status: 'active', routingIdentifiers: { session: theirs.id }, webhookUrl: 'https://hub.example.net/api/webhooks/chatbot/botpress' });
    for (const [tenantId, id] of [[world.acme, waiting.id], [world.globex, theirs.id]] as const) {
      expect((await webhooksOf(world, id)).webhookSecrets).toEqual([{ value: 'secret-of-the-integration', expiresAt: null }]);
      const account = await runAsTenant(tenantId, async () => {
        const stored = await world.deps.connections.find(id);
        const own = stored && (await world.deps.connections.openAccount(stored));
        return own && (await effectiveAccount(world.deps, own, 'webhookSecret'));
      });
      expect(account).toMatchObject({ settings: { kind: 'cloud', webhookId: credentials.webhookId, apiBaseUrl: bots.url }, credentials: { encryptionKey: bots.encryptionKey } });
      expect(account?.credentials).not.toHaveProperty('webhookSecret');
    }
    await changePlatformConnection(world.deps, bot.id, { credentials: { webhookSecret: 'newer-secret-of-the-integration' } });
    const { webhookSecrets } = await webhooksOf(world, theirs.id);
    expect(webhookSecrets[0]).toEqual({ value: 'newer-secret-of-the-integration', expiresAt: null });
    expect(webhookSecrets.find(({ value }) => value === 'secret-of-the-integration')?.expiresAt).toEqual(expect.any(String));
    expect(await codeOf(connect(world, world.acme, { type: 'botpress', credentials }))).toBe('connection.identifier_taken');
  });
});
