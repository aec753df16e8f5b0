import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { hubError, isHubError, type ConnectionRecord, type PlatformConnectionId, type PlatformConnectionRecord, type TenantId } from '@switchboard/contracts';
import { providers } from '@switchboard/providers';
import { runAsTenant } from '@switchboard/tenant-context';
import { removeConnection } from '../accounts/delete-connection.ts';
import { askAboutConnection } from '../accounts/test-connection.ts';
import { changeConnection } from '../accounts/update-connection.ts';
import { eraseTenants } from '../tenants/erase-tenants.ts';
import { startFakeChatwoot, type FakeChatwoot } from '../testing/fake-chatwoot.ts';
import { codeOf, connect, recheckAfter, show, useAccountWorld, webhooksOf } from '../testing/account-world.ts';
import { changePlatformConnection } from './change-platform-connection.ts';
import { checkPlatformConnections } from './check-platform-connections.ts';
import { connectPlatformAccount } from './create-platform-connection.ts';
import { removePlatformConnection } from './delete-platform-connection.ts';
import { inSystem, loadPlatformConnection } from './dependencies.ts';
import { effectiveAccount } from './platform-account.ts';
import { takePlace } from './take-place.ts';
import { tellAllTenants } from './tell-tenants.ts';

const world = useAccountWorld();
const made: PlatformConnectionId[] = [];
const places: [TenantId, ConnectionRecord][] = [];
let server: FakeChatwoot;
let nextAccount = 0;

beforeAll(async () => {
  server = await startFakeChatwoot(Array.from({ length: 60 }, (_, index) => String(index + 1)));
});
afterAll(async () => {
  await server?.close();
});
// An account that one test leaves open would be another one's choice.
afterEach(async () => {
  Object.assign(server, { version: '4.15.1', refuses: undefined, quotes: false });
  for (const [tenantId, { id }] of places.splice(0)) await codeOf(runAsTenant(tenantId, () => removeConnection(world.deps, id)));
  for (const id of made.splice(0)) await codeOf(removePlatformConnection(world.deps, id));
});

const accountOf = (shard: PlatformConnectionRecord) => {
  const account = server.accounts.get(shard.settings['accountId'] ?? '');
  if (account === undefined) throw new Error('no such account');
  return account;
};

async function openShard(more: { inboxesMax?: number | null; isOpen?: boolean } = {}, accountId = String(++nextAccount)): Promise<PlatformConnectionRecord> {
  const credentials = { apiUrl: server.url, accountId, apiToken: server.accounts.get(accountId)?.token };
  const shard = await connectPlatformAccount(world.deps, { type: 'chatwoot', name: `Shard ${accountId}`, credentials, isOpen: true, inboxesMax: null, ...more });
  made.push(shard.id);
  return shard;
}

async function join(tenantId: TenantId, more: object = {}, request?: Parameters<typeof connect>[3]): Promise<ConnectionRecord> {
  const connection = await connect(world, tenantId, { type: 'chatwoot', credentials: { mode: 'shared', ...more } }, request);
  places.push([tenantId, connection]);
  return connection;
}

const report = (id: PlatformConnectionId) => inSystem(() => loadPlatformConnection(world.deps, id));

describe('accounts of the platform', () => {
  it('are set up once: one webhook, one bot, however often setting up broke off', async () => {
    Object.assign(server, { refuses: 'POST /agent_bots' });
    expect(await codeOf(openShard())).toBe('platform_connection.not_verified');
    Object.assign(server, { refuses: undefined });
    const shard = await openShard({}, String(nextAccount));
    expect(accountOf(shard).webhooks).toMatchObject([{ url: 'https://hub.example.net/api/v1/webhooks/chatwoot' }]);
    expect(accountOf(shard).bots).toHaveLength(1);
    expect(shard).toMatchObject({ provider: 'chatwoot', isOpen: true, inboxes: 0, tenants: 0, lastCheck: { ok: true, reason: null }, routingIdentifiers: { account: `${new URL(server.url).host}/${nextAccount}` } });
    expect(JSON.stringify(shard)).not.toMatch(/token-of|secret-of/);
  });

  it('leave alone what leads elsewhere', async () => {
    const elsewhere = { id: 1, url: 'https://elsewhere.example/hook', subscriptions: ['message_created'], secret: 'somebody else\'s' };
    server.accounts.get(String(nextAccount + 1))?.webhooks.push({ ...elsewhere });
    const shard = await openShard();
    expect(accountOf(shard).webhooks).toMatchObject([elsewhere, { url: 'https://hub.example.net/api/v1/webhooks/chatwoot' }]);
  });

  it('are refused without a word of their token, whatever the provider quotes', async () => {
    Object.assign(server, { quotes: true });
    const refusal: unknown = await openShard().catch((error: unknown) => error);
    expect(isHubError(refusal) && refusal.publicMessage).toMatch(/not with/);
    expect(isHubError(refusal) && refusal.publicMessage).not.toContain('token-of');
  });

  it('take tenants in turn, the least loaded first, and say who has which inbox', async () => {
    const [a, b] = [await openShard(), await openShard()];
    const joined = [await join(world.acme), await join(world.globex), await join(world.globex, { inboxName: 'Second' }), await join(world.acme, { inboxName: 'Second' })];
    expect(joined.map(({ status }) => status)).toEqual(['active', 'active', 'active', 'active']);
    expect([await report(a.id), await report(b.id)]).toMatchObject([{ inboxes: 2, tenants: 2 }, { inboxes: 2, tenants: 2 }]);
    expect([accountOf(a).inboxes.length, accountOf(b).inboxes.length]).toEqual([2, 2]);
    const mapped = await inSystem(() => world.deps.platformConnections.listPlaces(a.id, { limit: 10 }));
    expect(mapped).toEqual([[world.acme, joined[0]] as const, [world.globex, joined[2]] as const].map(([tenantId, one]) => ({ tenantId, connectionId: one?.id, role: 'desk', status: 'active', inboxId: one?.settings['inboxId'] })));
    for (const { settings, routingIdentifiers } of joined) {
      const shard = settings['platformConnectionId'] === a.id ? a : b;
      const key = `${shard.settings['accountId']}/${settings['inboxId']}`;
      expect(routingIdentifiers).toEqual({ inbox: `${new URL(server.url).host}/${key}`, sharedInbox: key, sharedInboxId: settings['inboxId'] });
    }
  });

  it('are full when they are: of those that ask at once, one gets the last place', async () => {
    const waiting = [await join(world.acme), await join(world.globex), await join(world.acme, { inboxName: 'B' }), await join(world.globex, { inboxName: 'B' }), await join(world.acme, { inboxName: 'C' })];
    expect(new Set(waiting.map(({ statusReason }) => statusReason))).toEqual(new Set([expect.stringMatching(/no Chatwoot account with room/)]));
    const shard = await openShard({ inboxesMax: 1 });
    const asked = await Promise.all(waiting.map(({ id }) => takePlace(world.deps, providers.chatwoot, id, undefined)));
    expect(asked.map(({ kind }) => kind).toSorted()).toEqual(['place', 'unverified', 'unverified', 'unverified', 'unverified']);
    await recheckAfter(world, 3);
    expect([(await report(shard.id)).inboxes, accountOf(shard).inboxes.length]).toEqual([1, 1]);
    await changePlatformConnection(world.deps, shard.id, { inboxesMax: 2 });
    await recheckAfter(world, 6);
    expect([(await report(shard.id)).inboxes, accountOf(shard).inboxes.length]).toEqual([2, 2]);
  });

  it('are chosen by name only where they are open', async () => {
    const [open, closed] = [await openShard(), await openShard({ isOpen: false })];
    expect(await join(world.acme, { platformConnectionId: open.id })).toMatchObject({ status: 'active', settings: { platformConnectionId: open.id } });
    expect(await join(world.globex, { platformConnectionId: closed.id })).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/that is open and has room/) });
  });

  it('give a tenant no say over inboxes and tokens', async () => {
    await openShard();
    for (const more of [{ inboxId: '1' }, { apiToken: 'x' }, { accountId: '1' }]) expect(await codeOf(join(world.acme, more))).toBe('request.invalid');
  });

  it('cannot be claimed by a tenant, nor can a tenant\'s become one of them', async () => {
    const shard = await openShard();
    const asOwn = (accountId: string) => ({ type: 'chatwoot', credentials: { apiUrl: server.url, accountId, apiToken: server.accounts.get(accountId)?.token } });
    expect(await codeOf(connect(world, world.acme, asOwn(shard.settings['accountId'] ?? '')))).toBe('connection.identifier_taken');
    const tenants = String(++nextAccount);
    expect((await connect(world, world.acme, asOwn(tenants))).status).toBe('active');
    expect(await codeOf(openShard({}, tenants))).toBe('connection.identifier_taken');
    expect(server.accounts.get(tenants)?.webhooks).toEqual([]);
    expect(await codeOf(openShard({}, shard.settings['accountId']))).toBe('connection.identifier_taken');
  });
});

describe('a place in an account of the platform', () => {
  it('comes to its connector with the platform\'s token, and to its tenant without', async () => {
    const shard = await openShard();
    const connection = await join(world.acme);
    expect(connection).toMatchObject({ webhookUrl: 'https://hub.example.net/api/v1/webhooks/chatwoot', settings: { mode: 'shared' } });
    expect(JSON.stringify(connection)).not.toMatch(/token-of|secret-of/);
    const account = await runAsTenant(world.acme, async () => {
      const stored = await world.deps.connections.find(connection.id);
      const own = stored && (await world.deps.connections.openAccount(stored));
      expect(own?.credentials).toEqual({});
      return own && (await effectiveAccount(world.deps, own, 'webhookSecret'));
    });
    expect(account?.credentials).toEqual({ apiToken: accountOf(shard).token, botToken: accountOf(shard).bots[0]?.access_token });
    expect(account?.settings).toMatchObject({ mode: 'shared', apiUrl: server.url, accountId: shard.settings['accountId'], inboxId: connection.settings['inboxId'] });
  });

  it('is verified by the account\'s secret, which is nobody\'s but ingest\'s', async () => {
    const shard = await openShard();
    const [mine, theirs] = [await join(world.acme), await join(world.globex)];
    const secrets = [{ value: accountOf(shard).webhooks[0]?.secret, expiresAt: null }];
    expect((await webhooksOf(world, mine.id)).webhookSecrets).toEqual(secrets);
    expect((await webhooksOf(world, theirs.id)).webhookSecrets).toEqual(secrets);
  });

  it.each(['the answer to making the inbox was lost', 'the hub died before it stored the inbox'])('has one inbox also when %s', async (when) => {
    const shard = await openShard();
    const connection = await join(world.acme, { inboxName: 'Acme' }, async (real, request) => {
      const isMaking = request.method === 'POST' && request.url.endsWith('/inboxes');
      if (when.startsWith('the hub died') && request.url.includes('/inboxes/')) throw hubError('egress.failed');
      const reply = await real.request(request);
      if (isMaking && when.startsWith('the answer')) throw hubError('egress.failed', { detail: { reason: 'killed' } });
      return reply;
    });
    expect(connection.status).toBe('pending');
    await recheckAfter(world, 3);
    expect(await show(world, world.acme, connection.id)).toMatchObject({ status: 'active', settings: { platformConnectionId: shard.id } });
    expect(accountOf(shard).inboxes).toMatchObject([{ name: 'Acme' }]);
    expect((await report(shard.id)).inboxes).toBe(1);
  });

  it('goes with its inbox, and gives its place to another', async () => {
    const shard = await openShard({ inboxesMax: 1 });
    const connection = await join(world.acme);
    expect(await codeOf(removePlatformConnection(world.deps, shard.id))).toBe('platform_connection.in_use');
    expect(await runAsTenant(world.acme, () => removeConnection(world.deps, connection.id))).toMatchObject({ atProvider: { outcome: 'removed' } });
    expect(accountOf(shard).inboxes).toEqual([]);
    await changePlatformConnection(world.deps, shard.id, { isOpen: true });
    expect((await join(world.globex)).status).toBe('active');
  });

  it('can be tested, renamed and switched off and on, and stays where it is', async () => {
    const shard = await openShard();
    const connection = await join(world.acme, { inboxName: 'Acme' });
    await openShard();
    expect(await runAsTenant(world.acme, () => askAboutConnection(world.deps, connection.id))).toMatchObject({ ok: true });
    const change = (to: Parameters<typeof changeConnection>[2]) => runAsTenant(world.acme, () => changeConnection(world.deps, connection.id, to));
    expect(await change({ settings: { inboxName: 'Acme Europe' } })).toMatchObject({ status: 'active', statusReason: null });
    await change({ status: 'disabled' });
    expect(await change({ status: 'active' })).toMatchObject({ status: 'active', settings: { platformConnectionId: shard.id, inboxId: connection.settings['inboxId'] } });
    expect(accountOf(shard).inboxes).toMatchObject([{ name: 'Acme Europe' }]);
    accountOf(shard).token = 'revoked-at-chatwoot';
    world.now = new Date(world.now.getTime() + 60_000);
    const tested = await runAsTenant(world.acme, () => askAboutConnection(world.deps, connection.id));
    expect(tested).toMatchObject({ ok: false, reason: expect.stringMatching(/refuses the access token/) });
    accountOf(shard).token = `admin-token-of-${shard.settings['accountId']}`;
  });

  it('goes with a tenant that is erased, and nobody else\'s does', async () => {
    const shard = await openShard();
    const [, theirs] = [await join(world.acme), await join(world.globex)];
    await runAsTenant(world.acme, () => world.deps.db.transaction(() => world.deps.tenants.update({ status: 'deleted', deletedAt: world.now, deleteAfter: world.now })));
    await inSystem(() => eraseTenants(world.deps, world.kit.log));
    expect(accountOf(shard).inboxes).toMatchObject([{ id: Number(theirs.settings['inboxId']) }]);
    expect(await report(shard.id)).toMatchObject({ inboxes: 1, tenants: 1 });
  });

  it('has the bot of the platform where it is a channel', async () => {
    const shard = await openShard();
    const connection = await connect(world, world.acme, { type: 'chatwoot', role: 'channel', credentials: { mode: 'shared', inboxType: 'website', websiteUrl: 'https://acme.example' } });
    places.push([world.acme, connection]);
    expect(connection).toMatchObject({ status: 'active', role: 'channel' });
    expect(accountOf(shard).inboxes).toMatchObject([{ bot: accountOf(shard).bots[0]?.id, channel_type: 'Channel::WebWidget' }]);
    expect(accountOf(shard).bots).toHaveLength(1);
  });
});

describe('rotating an account of the platform', () => {
  it('is told of every tenant\'s connection there; a secret that was replaced stays valid for a while, and no longer', async () => {
    Object.assign(server, { version: '4.11.0' });
    const shard = await openShard();
    const other = await openShard({ isOpen: false });
    const [mine, theirs] = [await join(world.acme), await join(world.globex)];
    const secretInUrl = () => accountOf(shard).webhooks[0]?.url.split('/').at(-1) ?? '';
    const first = secretInUrl();
    accountOf(shard).token = 'a-newer-admin-token';
    const versionsBefore = [mine, theirs].map(async ({ id }) => (await webhooksOf(world, id)).version);
    world.kit.published.length = 0;

    await changePlatformConnection(world.deps, shard.id, { credentials: { apiToken: 'a-newer-admin-token' } });
    const second = secretInUrl();
    expect(second).toMatch(/^[\w-]{43}$/);
    expect(second).not.toBe(first);
    expect(accountOf(shard).webhooks).toHaveLength(1);
    for (const [index, { id }] of [mine, theirs].entries()) {
      const { webhookSecrets, version } = await webhooksOf(world, id);
      expect(webhookSecrets[0]).toEqual({ value: second, expiresAt: null });
      expect(webhookSecrets.filter(({ expiresAt }) => expiresAt !== null).map(({ value }) => value)).toContain(first);
      expect(version).toBeGreaterThan((await versionsBefore[index]) ?? 0);
    }
    const told = world.kit.published.filter(({ type }) => type === 'connection.changed');
    expect(new Set(told.map(({ tenantId }) => tenantId))).toEqual(new Set([world.acme, world.globex]));
    world.now = new Date(world.now.getTime() + 25 * 3_600_000);
    expect((await webhooksOf(world, mine.id)).webhookSecrets).toEqual([{ value: second, expiresAt: null }]);
    expect((await report(other.id)).version).toBe(1);
  });

  it('changes nothing when the provider says no, and cannot name another account', async () => {
    const shard = await openShard();
    const connection = await join(world.acme);
    const before = (await webhooksOf(world, connection.id)).webhookSecrets[0];
    expect(await codeOf(changePlatformConnection(world.deps, shard.id, { credentials: { apiToken: 'wrong-token' } }))).toBe('platform_connection.not_verified');
    expect(await codeOf(changePlatformConnection(world.deps, shard.id, { credentials: { accountId: '2' } }))).toBe('request.invalid');
    expect((await webhooksOf(world, connection.id)).webhookSecrets[0]).toEqual(before);
    expect((await inSystem(() => world.deps.platformConnections.openAccount(shard.id)))?.credentials['apiToken']).toBe(accountOf(shard).token);
  });

  it('is told to those the request did not wait for by the clock, from where it broke off', async () => {
    const shard = await openShard();
    const [mine, theirs] = [await join(world.acme), await join(world.globex)];
    const first = [mine.id, theirs.id].toSorted()[0] ?? mine.id;
    await inSystem(() => world.deps.db.transaction(() => world.deps.platformConnections.touch(shard.id, world.now)));
    await inSystem(() => world.deps.platformConnections.noteTold(shard.id, 2, first));
    world.kit.published.length = 0;
    await inSystem(() => tellAllTenants(world.deps));
    expect(world.kit.published.map(({ payload }) => payload)).toMatchObject([{ connectionId: [mine.id, theirs.id].find((id) => id !== first) }]);
    await inSystem(() => tellAllTenants(world.deps));
    expect(world.kit.published).toHaveLength(1);
  });

  it('is written down for the platform, and its health is what the provider said last', async () => {
    const shard = await openShard();
    await changePlatformConnection(world.deps, shard.id, { name: 'Europe', isOpen: false });
    accountOf(shard).token = 'revoked-here';
    await checkPlatformConnections(world.deps, world.kit.log);
    expect(await report(shard.id)).toMatchObject({ name: 'Europe', isOpen: false, checkReason: expect.stringMatching(/refuses the access token/) });
    const deeds = await inSystem(() => world.deps.db.transaction(() => world.deps.db.sql.query<{ action: string; facts: object }>('select action, facts from platform_audit_entries where subject = $1 order by audit_id', [shard.id])));
    expect(deeds).toMatchObject([{ action: 'platform_connection.created' }, { action: 'platform_connection.changed', facts: { after: { name: 'Europe', isOpen: false } } }]);
    expect(JSON.stringify(deeds)).not.toMatch(/token-of|secret-of/);
  });
});
