import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { hubError } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { startFakeChatwoot, type FakeChatwoot } from '../testing/fake-chatwoot.ts';
import { codeOf, connect, recheckAfter, show, useAccountWorld, webhooksOf } from '../testing/account-world.ts';
import { removeConnection } from './delete-connection.ts';
import { changeConnection, rotate } from './update-connection.ts';

const world = useAccountWorld();
const accountIds = Array.from({ length: 40 }, (_, index) => String(index + 1));
let [one, other]: FakeChatwoot[] = [];
let nextAccount = 0;

beforeAll(async () => {
  [one, other] = await Promise.all([startFakeChatwoot(accountIds), startFakeChatwoot(accountIds)]);
});
afterAll(async () => {
  await Promise.all([one?.close(), other?.close()]);
});
beforeEach(() => {
  // An account that no other test uses, the same number at both servers.
  nextAccount += 1;
  for (const server of [one, other]) Object.assign(server ?? {}, { version: '4.15.1', refuses: undefined });
});

const at = (server: FakeChatwoot | undefined) => {
  const account = server?.accounts.get(String(nextAccount));
  if (server === undefined || account === undefined) throw new Error('no such account');
  return { ...account, url: server.url, place: `${new URL(server.url).host}/${nextAccount}` };
};
const form = (server: FakeChatwoot | undefined, more: object = {}) => ({ type: 'chatwoot', credentials: { apiUrl: at(server).url, accountId: String(nextAccount), apiToken: at(server).token, ...more } });

describe('a desk in an account of the tenant\'s own', () => {
  it('is an API inbox that the hub makes, whose own webhook leads to the hub, with the secret that the server signs with', async () => {
    const connection = await connect(world, world.acme, form(one));
    const [inbox, ...more] = at(one).inboxes;
    expect(more).toEqual([]);
    expect(connection).toMatchObject({
      status: 'active',
      role: 'desk',
      routingIdentifiers: { inbox: `${at(one).place}/${inbox?.id}`, account: at(one).place, inboxKey: `${nextAccount}/${inbox?.id}`, accountKey: String(nextAccount), inboxId: String(inbox?.id) },
      settings: { apiUrl: at(one).url, accountId: String(nextAccount), inboxId: String(inbox?.id), inboxType: 'api', inboxOrigin: 'created', version: '4.15.1', mode: 'dedicated' },
      webhookUrl: `https://hub.example.net/webhooks/chatwoot/${connection.id}`,
    });
    expect(inbox).toMatchObject({ webhook_url: connection.webhookUrl, lock_to_single_conversation: true });
    expect(at(one).webhooks).toEqual([]);
    expect((await webhooksOf(world, connection.id)).webhookSecrets).toEqual([{ value: inbox?.secret, expiresAt: null }]);
    expect(JSON.stringify(connection)).not.toMatch(/token-of|secret-of/);
  });

  it('has a secret in its path where the server does not sign, which rotating makes anew while the old one is valid for a while', async () => {
    Object.assign(one ?? {}, { version: '4.12.0' });
    const connection = await connect(world, world.acme, form(one));
    const secretOf = () => at(one).inboxes[0]?.webhook_url.slice(`${connection.webhookUrl}/`.length);
    const first = secretOf();
    expect(first).toMatch(/^[\w-]{43}$/);
    expect((await webhooksOf(world, connection.id)).webhookSecrets).toEqual([{ value: first, expiresAt: null }]);
    expect(await runAsTenant(world.acme, () => rotate(world.deps, connection.id, { credentials: { apiToken: at(one).token } }))).toMatchObject({ status: 'active', statusReason: null });
    const second = secretOf();
    expect(second).not.toBe(first);
    expect((await webhooksOf(world, connection.id)).webhookSecrets).toMatchObject([{ value: second, expiresAt: null }, { value: first, expiresAt: expect.any(String) }]);
    expect(at(one).inboxes).toHaveLength(1);
  });

  it('leaves an inbox alone that sends its webhooks elsewhere, and takes the one that is free', async () => {
    at(one).inboxes.push({ id: 7, name: 'Sales', channel_type: 'Channel::Api', webhook_url: 'https://elsewhere.example/hook', secret: 'inbox-secret-of-7' });
    const refused = await connect(world, world.acme, form(one, { inboxId: '7' }));
    expect(refused).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/another address/) });
    Object.assign(at(one).inboxes[0] ?? {}, { webhook_url: '' });
    expect(await connect(world, world.acme, form(one, { inboxId: '7' }))).toMatchObject({ id: refused.id, status: 'active', settings: { inboxOrigin: 'given' } });
    expect(at(one).inboxes).toMatchObject([{ name: 'Sales', webhook_url: `https://hub.example.net/webhooks/chatwoot/${refused.id}` }]);
  });

  it.each([
    ['a token that is wrong', { apiToken: 'another-token' }, /refuses the access token/],
    ['a website as a desk', { inboxType: 'website', websiteUrl: 'https://acme.example' }, /needs an API inbox/],
    ['an inbox that does not exist', { inboxId: '4711' }, /has no inbox 4711/],
  ])('stays pending with the reason after %s', async (_, more, reason) => {
    expect(await connect(world, world.acme, form(one, more))).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(reason) });
  });

  it('is not made twice when the answer to making it was lost, nor when the same credentials are posted again', async () => {
    const credentials = form(one, { inboxName: 'Acme support' });
    const connection = await connect(world, world.acme, credentials, async (real, request) => {
      const reply = await real.request(request);
      if (request.method === 'POST' && request.url.endsWith('/inboxes')) throw hubError('egress.failed', { detail: { reason: 'killed' } });
      return reply;
    });
    expect(connection.status).toBe('pending');
    await recheckAfter(world, 3);
    expect(await show(world, world.acme, connection.id)).toMatchObject({ status: 'active' });
    expect(await connect(world, world.acme, credentials)).toMatchObject({ id: connection.id, status: 'active' });
    expect(at(one).inboxes).toMatchObject([{ name: 'Acme support' }]);
  });

  it('is not made twice when the same credentials are posted several times at once', async () => {
    const posted = await Promise.all(Array.from({ length: 4 }, () => connect(world, world.acme, form(one, { inboxName: 'Acme support' }))));
    expect(new Set(posted.map(({ id }) => id)).size).toBe(1);
    expect(await show(world, world.acme, posted[0]?.id ?? 'con_0')).toMatchObject({ status: 'active', draft: undefined });
    expect(at(one).inboxes).toMatchObject([{ name: 'Acme support' }]);
  });

  it('goes with its webhook, and its inbox stays with its history', async () => {
    const connection = await connect(world, world.acme, form(one));
    const { atProvider } = await runAsTenant(world.acme, () => removeConnection(world.deps, connection.id));
    expect(atProvider).toEqual({ outcome: 'removed', reason: expect.stringMatching(/stays with its history/) });
    expect(at(one).inboxes).toMatchObject([{ webhook_url: '' }]);
  });
});

describe('a channel in an account of the tenant\'s own', () => {
  const asChannel = (more: object = {}) => ({ ...form(one, more), role: 'channel' as const });

  it('is told of by a webhook of the account, has an agent bot of its own, and gives both back', async () => {
    const connection = await connect(world, world.acme, asChannel({ inboxType: 'website', websiteUrl: 'https://acme.example', inboxName: 'Acme' }));
    const [[inbox], [webhook], [bot]] = [at(one).inboxes, at(one).webhooks, at(one).bots];
    expect(connection).toMatchObject({ status: 'active', settings: { inboxType: 'website', websiteToken: `website-${inbox?.id}`, botId: String(bot?.id), accountWebhookId: String(webhook?.id) } });
    expect(inbox).toMatchObject({ name: 'Acme', bot: bot?.id });
    expect(webhook).toMatchObject({ url: connection.webhookUrl, subscriptions: ['message_created', 'message_updated', 'conversation_status_changed', 'conversation_updated'] });
    expect((await webhooksOf(world, connection.id)).webhookSecrets).toEqual([{ value: webhook?.secret, expiresAt: null }]);
    const account = await show(world, world.acme, connection.id).then((stored) => stored && runAsTenant(world.acme, () => world.deps.connections.openAccount(stored)));
    expect(account?.credentials).toMatchObject({ botToken: bot?.access_token });
    expect(await runAsTenant(world.acme, () => changeConnection(world.deps, connection.id, { settings: { callsPerMinute: 100 } }))).toMatchObject({ status: 'active', statusReason: null, settings: { callsPerMinute: '100', botId: String(bot?.id) } });
    expect([at(one).inboxes.length, at(one).webhooks.length, at(one).bots.length]).toEqual([1, 1, 1]);
    await runAsTenant(world.acme, () => removeConnection(world.deps, connection.id));
    expect([at(one).inboxes.length, at(one).webhooks.length, at(one).bots.length]).toEqual([1, 0, 0]);
  });

  it('makes neither webhook nor bot twice when it broke off in between', async () => {
    Object.assign(one ?? {}, { refuses: 'POST /agent_bots' });
    const connection = await connect(world, world.acme, asChannel());
    expect(connection.status).toBe('pending');
    Object.assign(one ?? {}, { refuses: undefined });
    await recheckAfter(world, 3);
    expect(await show(world, world.acme, connection.id)).toMatchObject({ status: 'active' });
    expect([at(one).inboxes.length, at(one).webhooks.length, at(one).bots.length]).toEqual([1, 1, 1]);
  });

  it('cannot be led to another account', async () => {
    const connection = await connect(world, world.acme, asChannel());
    for (const changes of [{ accountId: '2' }, { apiUrl: at(other).url }, { inboxId: '1' }]) {
      expect(await codeOf(runAsTenant(world.acme, () => rotate(world.deps, connection.id, { credentials: changes })))).toBe('request.invalid');
    }
  });
});

describe('an account at the sandbox', () => {
  it.each(['desk', 'channel'] as const)('is called there alone, whatever other address is given with it, also after a change: as a %s', async (role) => {
    const config = { ...world.deps.config, sandboxEnabled: true, sandboxUrl: at(one).url };
    Object.assign(world.deps, { config });
    const credentials = { ...form(other).credentials, apiToken: at(one).token, sandbox: true };
    const before = other?.calls.length;
    const connection = await connect(world, world.acme, { type: 'chatwoot', role, credentials });
    expect(connection.status).toBe('active');
    await runAsTenant(world.acme, () => changeConnection(world.deps, connection.id, { settings: { callsPerMinute: 100 } }));
    await runAsTenant(world.acme, () => rotate(world.deps, connection.id, { credentials: { apiToken: at(one).token } }));
    const stored = await show(world, world.acme, connection.id);
    expect(stored).toMatchObject({ status: 'active', draft: undefined, settings: { sandbox: 'true', apiUrl: `${at(one).url}/chatwoot`, callsPerMinute: '100' } });
    expect(JSON.stringify(stored)).not.toContain(new URL(at(other).url).host);
    expect(other?.calls.length).toBe(before);
  });
});

describe('account numbers', () => {
  it('are told apart by their servers, of which each begins with one', async () => {
    const [mine, theirs] = [await connect(world, world.acme, form(one)), await connect(world, world.globex, form(other))];
    expect([mine.status, theirs.status]).toEqual(['active', 'active']);
    expect(mine.routingIdentifiers['accountKey']).toBe(theirs.routingIdentifiers['accountKey']);
    expect(mine.routingIdentifiers['account']).not.toBe(theirs.routingIdentifiers['account']);
  });

  it('belong to one tenant at the same server', async () => {
    await connect(world, world.acme, form(one));
    expect(await codeOf(connect(world, world.globex, form(one)))).toBe('connection.identifier_taken');
    expect(at(one).inboxes).toHaveLength(1);
  });
});
