import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { newId, type ConnectionId, type ConnectionRecord, type TenantId } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { codeOf, connect, genesysForm, metaForm, show, useAccountWorld, webhooksOf } from '../testing/account-world.ts';
import { removeConnection } from './delete-connection.ts';
import { endOverlap } from './end-previous-secrets.ts';
import { recheckDrafts } from './recheck-drafts.ts';
import { askAboutConnection } from './test-connection.ts';
import { changeConnection, rotate } from './update-connection.ts';

const world = useAccountWorld();

const change = (tenantId: TenantId, id: ConnectionId, body: Parameters<typeof changeConnection>[2]) => runAsTenant(tenantId, () => changeConnection(world.deps, id, body));
const renew = (tenantId: TenantId, id: ConnectionId, credentials: Record<string, unknown>) => runAsTenant(tenantId, () => rotate(world.deps, id, { credentials }));
const remove = (tenantId: TenantId, id: ConnectionId) => runAsTenant(tenantId, () => removeConnection(world.deps, id));
const test = (tenantId: TenantId, id: ConnectionId) => runAsTenant(tenantId, () => askAboutConnection(world.deps, id));
const opened = async (tenantId: TenantId, id: ConnectionId) => {
  const stored = await show(world, tenantId, id);
  return stored && (await runAsTenant(tenantId, () => world.deps.connections.openAccount(stored)));
};
const changesOf = (id: ConnectionId) => world.kit.published.filter(({ type, payload }) => type === 'connection.changed' && (payload as { connectionId: string }).connectionId === id).map(({ payload }) => (payload as { status: string }).status);

describe('another tenant', () => {
  it('finds no connection to change, rotate, test or delete, as if there were none', async () => {
    const { id } = await connect(world, world.acme, metaForm(world));
    for (const unknown of [id, newId('con')]) {
      for (const attempt of [change(world.globex, unknown, { name: 'mine' }), renew(world.globex, unknown, {}), test(world.globex, unknown), remove(world.globex, unknown), runAsTenant(world.globex, () => endOverlap(world.deps, unknown))]) {
        expect(await codeOf(attempt)).toBe('connection.not_found');
      }
    }
    expect(await show(world, world.acme, id)).toMatchObject({ status: 'active', name: null });
  });
});

describe('changing a connection', () => {
  it('renames it, and changes settings that the provider agrees to', async () => {
    const { id } = await connect(world, world.acme, metaForm(world));
    expect(await change(world.acme, id, { name: 'Sales', settings: { apiVersion: 'v26.0' } })).toMatchObject({ name: 'Sales', status: 'active', statusReason: null, settings: { apiVersion: 'v26.0', verifiedName: 'Acme' } });
    expect(world.meta.calls.at(-1)?.path).toMatch(/^\/v26\.0\//);
    expect((await opened(world.acme, id))?.credentials).toMatchObject({ appSecret: 'meta-app-secret', accessToken: 'meta-access-token' });
  });

  it('takes no secret, no other account, no unknown field and no value that the form refuses', async () => {
    const { id } = await connect(world, world.acme, metaForm(world));
    for (const settings of [{ accessToken: 'x' }, { phoneNumberId: '1' }, { pin: '1' }, { apiVersion: 'newest' }]) expect(await codeOf(change(world.acme, id, { settings }))).toBe('request.invalid');
  });

  it('sends stored credentials to no other address: neither by settings nor by a part of the credentials', async () => {
    const { id } = await connect(world, world.acme, metaForm(world));
    const before = await opened(world.acme, id);
    const elsewhere = { apiBaseUrl: world.genesys.url };
    expect(await codeOf(change(world.acme, id, { settings: elsewhere }))).toBe('request.invalid');
    expect(await codeOf(renew(world.acme, id, { ...elsewhere, accessToken: 'meta-access-token' }))).toBe('request.invalid');
    const desk = await connect(world, world.acme, genesysForm(world));
    for (const settings of [{ loginBaseUrl: world.meta.url }, { apiBaseUrl: world.meta.url }, { apiBaseUrl: null }, { sandbox: true }]) expect(await codeOf(change(world.acme, desk.id, { settings }))).toBe('request.invalid');
    expect(world.genesys.calls.some(({ authorization, body }) => `${authorization}${body}`.includes('meta-'))).toBe(false);
    expect(await opened(world.acme, id)).toEqual(before);
  });

  it('is refused when it was changed by somebody else meanwhile, so that neither change is lost', async () => {
    const { id } = await connect(world, world.acme, metaForm(world));
    let isFirst = true;
    const egress = {
      ...world.deps.egress,
      async assertAllowed(url: string) {
        if (isFirst) {
          isFirst = false;
          await change(world.acme, id, { settings: { apiVersion: 'v26.0' } });
        }
        await world.deps.egress.assertAllowed(url);
      },
    };
    const late = () => runAsTenant(world.acme, () => rotate({ ...world.deps, egress }, id, { credentials: { appSecret: 'another-app-secret' } }));
    expect(await codeOf(late())).toBe('service.unavailable');
    expect(await opened(world.acme, id)).toMatchObject({ settings: { apiVersion: 'v26.0' }, credentials: { appSecret: 'meta-app-secret' } });
    await late();
    expect(await opened(world.acme, id)).toMatchObject({ settings: { apiVersion: 'v26.0' }, credentials: { appSecret: 'another-app-secret' } });
  });

  it('keeps the secret that the hub made for Genesys when a setting changes, and numbers stay numbers', async () => {
    const { id } = await connect(world, world.acme, genesysForm(world, { callsPerMinute: 600 }));
    const [secret] = (await webhooksOf(world, id)).webhookSecrets;
    expect(await change(world.acme, id, { settings: { callsPerMinute: 900 } })).toMatchObject({ status: 'active', settings: { callsPerMinute: '900', integrationOrigin: 'created', webhookSecretOrigin: 'generated' } });
    expect((await webhooksOf(world, id)).webhookSecrets[0]?.value).toBe(secret?.value);
    expect(await change(world.acme, id, { settings: { callsPerMinute: null } })).toMatchObject({ settings: expect.not.objectContaining({ callsPerMinute: expect.anything() }) });
  });
});

describe('a connection that is switched off', () => {
  it('stays so whatever is checked meanwhile, keeps its account from others, and comes back through the check', async () => {
    const form = metaForm(world);
    const { id } = await connect(world, world.acme, form);
    world.meta.token = 'another';
    await renew(world.acme, id, { accessToken: 'not-yet-valid' });
    expect(await change(world.acme, id, { status: 'disabled' })).toMatchObject({ status: 'disabled' });
    world.now = new Date(world.now.getTime() + 3_600_000);
    world.meta.token = 'not-yet-valid';
    await recheckDrafts(world.deps, world.kit.log);
    expect(await show(world, world.acme, id)).toMatchObject({ status: 'disabled' });
    const another = metaForm(world, { accessToken: 'not-yet-valid' });
    expect(await connect(world, world.acme, another)).toMatchObject({ status: 'active' });
    expect(await codeOf(connect(world, world.globex, { ...form, credentials: { ...form.credentials, accessToken: 'not-yet-valid' } }))).toBe('connection.identifier_taken');
    expect(await codeOf(renew(world.acme, id, { accessToken: 'x' }))).toBe('connection.not_active');

    world.meta.down = true;
    expect(await change(world.acme, id, { status: 'active' })).toMatchObject({ status: 'pending', statusReason: expect.stringContaining('problem of its own') });
    world.meta.down = false;
    expect(await change(world.acme, id, { status: 'active' })).toMatchObject({ status: 'active', statusReason: null });
    expect(changesOf(id).slice(-3)).toEqual(['disabled', 'pending', 'active']);
  });
});

describe('a check that is under way', () => {
  it('does not switch on what was switched off or deleted meanwhile', async () => {
    const form = metaForm(world);
    const { id } = await connect(world, world.acme, form);
    await connect(world, world.acme, form, async (real, request) => {
      await change(world.acme, id, { status: 'disabled' });
      return await real.request(request);
    });
    expect(await show(world, world.acme, id)).toMatchObject({ status: 'disabled' });
    await change(world.acme, id, { status: 'active' });
    const posted = connect(world, world.acme, form, async (real, request) => {
      await remove(world.acme, id);
      return await real.request(request);
    });
    expect(await codeOf(posted)).toBe('connection.not_found');
    expect(await show(world, world.acme, id)).toBeUndefined();
  });
});

describe('rotating credentials', () => {
  it('keeps the old ones in use until the provider has confirmed the new ones', async () => {
    const { id } = await connect(world, world.acme, metaForm(world));
    expect(await renew(world.acme, id, { accessToken: 'wrong' })).toMatchObject({ status: 'active', statusReason: expect.stringContaining('posted last are not in use yet') });
    expect((await opened(world.acme, id))?.credentials['accessToken']).toBe('meta-access-token');
    world.meta.token = 'newer';
    expect(await renew(world.acme, id, { accessToken: 'newer' })).toMatchObject({ status: 'active', statusReason: null });
    expect((await opened(world.acme, id))?.credentials).toMatchObject({ accessToken: 'newer', appSecret: 'meta-app-secret' });
  });

  it('lets the old webhook secret overlap until that is ended', async () => {
    const { id } = await connect(world, world.acme, metaForm(world));
    await renew(world.acme, id, { appSecret: 'a-newer-app-secret' });
    expect((await webhooksOf(world, id)).webhookSecrets.map(({ value }) => value)).toEqual(['a-newer-app-secret', 'meta-app-secret']);
    const before = (await webhooksOf(world, id)).version;
    expect(await runAsTenant(world.acme, () => endOverlap(world.deps, id))).toBeGreaterThan(0);
    expect(await webhooksOf(world, id)).toMatchObject({ version: before + 1, webhookSecrets: [{ value: 'a-newer-app-secret' }] });
    expect(await runAsTenant(world.acme, () => endOverlap(world.deps, id))).toBe(0);
  });

  it('keeps a bounded number of old webhook secrets, the newest, however often credentials are posted', async () => {
    const { id } = await connect(world, world.acme, metaForm(world));
    const replace = (values: readonly string[]) =>
      runAsTenant(world.acme, () =>
        world.deps.db.transaction(async () => {
          for (const value of values) await world.deps.previousSecrets.insert(id, value, new Date(world.now.getTime() + 60_000));
        }),
      );
    await replace(Array.from({ length: 30 }, (_, index) => `older ${index}`));
    await sleep(5); // ids of one millisecond have no order
    const newer = Array.from({ length: 100 }, (_, index) => `newer ${index}`);
    await replace(newer);
    expect((await webhooksOf(world, id)).webhookSecrets.map(({ value }) => value).toSorted()).toEqual(['meta-app-secret', ...newer].toSorted());
  });

  it('renews the secret that the hub made for Genesys, and takes another address with all secrets anew', async () => {
    const { id } = await connect(world, world.acme, genesysForm(world));
    const [old] = (await webhooksOf(world, id)).webhookSecrets;
    world.genesys.clientSecret = 'newer-client-secret';
    expect(await renew(world.acme, id, { clientSecret: 'newer-client-secret' })).toMatchObject({ status: 'active', statusReason: null });
    expect((await webhooksOf(world, id)).webhookSecrets.map(({ value }) => value)).toEqual([expect.not.stringMatching(`^${old?.value}$`), old?.value]);
    const url = world.genesys.url.replace('127.0.0.1', '127.0.0.2');
    expect(await renew(world.acme, id, { clientSecret: 'newer-client-secret', apiBaseUrl: url })).toMatchObject({ settings: { apiBaseUrl: expect.any(String) } });
    expect(await show(world, world.acme, id)).toMatchObject({ draft: { settings: { apiBaseUrl: url, loginBaseUrl: url } } });
  });
});

describe('testing a connection', () => {
  it('asks the provider now, tells and notes what it says, and not more often than its interval', async () => {
    const { id } = await connect(world, world.acme, metaForm(world));
    world.meta.calls.length = 0;
    expect(await test(world.acme, id)).toEqual({ ok: true, checkedAt: '2026-11-21T12:00:00.000Z' });
    expect(world.meta.calls.map(({ method }) => method)).toEqual(['GET']);
    expect(await codeOf(test(world.acme, id))).toBe('limit.rate_exceeded');
    world.now = new Date('2026-11-21T12:00:10Z');
    world.meta.token = 'another';
    const failed = await test(world.acme, id);
    expect(failed).toMatchObject({ ok: false, reason: expect.stringContaining('access token') });
    expect(await show(world, world.acme, id)).toMatchObject({
      status: 'active',
      health: { lastSuccessAt: '2026-11-21T12:00:00.000Z', lastError: { code: 'provider.unauthorized', message: failed.reason, at: '2026-11-21T12:00:10.000Z' } },
    });
    expect(JSON.stringify(failed)).not.toContain('meta-access-token');
  });

  it('lets one of many at once ask', async () => {
    const { id } = await connect(world, world.acme, metaForm(world));
    const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(test(world.acme, id))));
    expect(codes.toSorted()).toEqual(['accepted', ...Array.from({ length: 4 }, () => 'limit.rate_exceeded')]);
  });
});

describe('deleting a connection', () => {
  const pair = async (tenantId: TenantId): Promise<[ConnectionRecord, ConnectionRecord]> => [await connect(world, tenantId, metaForm(world)), await connect(world, tenantId, genesysForm(world))];

  it('takes its secrets, its account and its routes, removes what the hub made at the provider, and tells everybody', async () => {
    const [channel, desk] = await pair(world.acme);
    const others = await pair(world.globex);
    const routesBefore = await runAsTenant(world.acme, () => world.deps.routes.list());
    expect(routesBefore).toMatchObject([{ channelConnectionId: channel.id, deskConnectionId: desk.id }]);
    world.kit.published.length = 0;

    expect(await remove(world.acme, desk.id)).toEqual({ id: desk.id, atProvider: { outcome: 'removed' } });
    expect(world.genesys.integrations.has(desk.routingIdentifiers['integrationId'] ?? '')).toBe(false);
    expect(await show(world, world.acme, desk.id)).toBeUndefined();
    await expect(webhooksOf(world, desk.id)).rejects.toThrow('no such connection');
    expect(await runAsTenant(world.acme, () => world.deps.routes.list())).toEqual([]);
    expect(changesOf(desk.id)).toEqual(['disabled', 'deleted']);
    expect(world.kit.published.filter(({ type }) => type === 'routes.changed').length).toBeGreaterThan(0);
    expect(await codeOf(remove(world.acme, desk.id))).toBe('connection.not_found');
    for (const { id } of others) expect(await show(world, world.globex, id)).toMatchObject({ status: 'active' });
  });

  it('frees the account for another tenant, and goes on when the provider does not let go', async () => {
    const form = metaForm(world, { wabaId: '9002' });
    const { id } = await connect(world, world.acme, form);
    world.meta.down = true;
    expect(await remove(world.acme, id)).toMatchObject({ atProvider: { outcome: 'failed', reason: expect.stringContaining('problem of its own') } });
    world.meta.down = false;
    expect(await connect(world, world.globex, form)).toMatchObject({ status: 'active' });
  });
});

describe('what is seen of a connection', () => {
  it('is kept by the newest of each fact, of the own tenant alone, and not for one that is gone', async () => {
    const { id } = await connect(world, world.acme, metaForm(world));
    const note = (tenantId: TenantId, seen: object, at: string) => runAsTenant(tenantId, () => world.deps.health.note(id, seen, at));
    const error = (minute: number) => ({ lastError: { code: 'provider.unavailable', message: `at ${minute}`, at: `2026-11-21T12:0${minute}:00.000Z` } });
    await note(world.acme, { ...error(5), lastWebhookAt: '2026-11-21T12:05:00.000Z', tokenExpiresAt: '2026-11-22T00:00:00.000Z' }, '2026-11-21T12:05:00.000Z');
    await note(world.acme, { ...error(3), lastWebhookAt: '2026-11-21T12:03:00.000Z', lastSuccessAt: '2026-11-21T12:03:00.000Z', tokenExpiresAt: '2026-11-23T00:00:00.000Z' }, '2026-11-21T12:03:00.000Z');
    await note(world.globex, { lastWebhookAt: '2026-11-21T12:09:00.000Z' }, '2026-11-21T12:09:00.000Z');
    expect((await show(world, world.acme, id))?.health).toEqual({
      lastWebhookAt: '2026-11-21T12:05:00.000Z',
      lastSuccessAt: '2026-11-21T12:03:00.000Z',
      lastError: error(5).lastError,
      tokenExpiresAt: '2026-11-22T00:00:00.000Z',
    });
    await remove(world.acme, id);
    await note(world.acme, error(7), '2026-11-21T12:07:00.000Z');
    expect(await show(world, world.acme, id)).toBeUndefined();
  });
});
