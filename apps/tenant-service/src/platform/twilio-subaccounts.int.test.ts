import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConnectionRecord, PlatformConnectionRecord, TenantId } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { removeConnection } from '../accounts/delete-connection.ts';
import { changeConnection, rotate } from '../accounts/update-connection.ts';
import { onTenantChanged } from '../consumers/on-tenant-changed.ts';
import { changeTenant } from '../tenants/change-tenant.ts';
import { eraseTenants } from '../tenants/erase-tenants.ts';
import { followTenant } from '../tenants/follow-tenant.ts';
import { fakeSid, startFakeTwilio, type FakeTwilio } from '../testing/fake-twilio.ts';
import { codeOf, connect, recheckAfter, show, useAccountWorld, webhooksOf } from '../testing/account-world.ts';
import { changePlatformConnection } from './change-platform-connection.ts';
import { connectPlatformAccount } from './create-platform-connection.ts';
import { removePlatformConnection } from './delete-platform-connection.ts';
import { inSystem, loadPlatformConnection } from './dependencies.ts';

const world = useAccountWorld();
const places: [TenantId, ConnectionRecord][] = [];
let twilio: FakeTwilio;
let main: PlatformConnectionRecord;

beforeAll(async () => {
  twilio = await startFakeTwilio();
});
afterAll(async () => {
  await twilio?.close();
});
beforeEach(async () => {
  Object.assign(twilio, { refuses: undefined, loses: undefined, subaccountsMax: 1000 });
  twilio.forSale.set('US', ['+14155550101', '+14155550102', '+12125550103']).set('DE', ['+49305550104']);
  main = await connectPlatformAccount(world.deps, { type: 'twilio', name: 'Main', credentials: mainForm(), isOpen: true, inboxesMax: null });
  twilio.calls.length = 0;
});
afterEach(async () => {
  Object.assign(twilio, { refuses: undefined, loses: undefined });
  for (const [tenantId, { id }] of places.splice(0)) await codeOf(runAsTenant(tenantId, () => removeConnection(world.deps, id)));
  await removePlatformConnection(world.deps, main.id);
});

const mainForm = () => ({ accountSid: twilio.main.sid, authToken: twilio.main.token, apiBaseUrl: twilio.url });
const report = () => inSystem(() => loadPlatformConnection(world.deps, main.id));
const made = () => [...twilio.accounts.values()].filter(({ owner, sid, status }) => owner === twilio.main.sid && sid !== owner && status !== 'closed');
const numbersOf = (sid: string | undefined) => twilio.numbers.filter(({ account }) => account === sid).map(({ phone_number: number }) => number);
const subaccountOf = ({ routingIdentifiers }: Pick<ConnectionRecord, 'routingIdentifiers'>) => twilio.accounts.get(routingIdentifiers['accountSid'] ?? '');
const remove = (tenantId: TenantId, { id }: ConnectionRecord) => runAsTenant(tenantId, () => removeConnection(world.deps, id));

async function join(tenantId: TenantId, more: object = { numberCountry: 'US' }): Promise<ConnectionRecord> {
  const connection = await connect(world, tenantId, { type: 'twilio', credentials: { provision: true, channels: ['sms', 'voice'], ...more } });
  places.push([tenantId, connection]);
  return connection;
}

describe('the platform\'s Twilio account', () => {
  it('is the main one, with nothing set up in it, and says how many subaccounts it has', async () => {
    expect(main).toMatchObject({ provider: 'twilio', routingIdentifiers: { accountSid: twilio.main.sid }, subaccounts: 0, settings: { accountName: twilio.main.name } });
    expect(Object.keys(main.settings).toSorted()).toEqual(['accountName', 'apiBaseUrl']);
    await join(world.acme);
    await join(world.globex, { numberCountry: 'US', numberAreaCode: '212' });
    expect(await report()).toMatchObject({ inboxes: 2, tenants: 2, subaccounts: 2 });
    expect(await codeOf(removePlatformConnection(world.deps, main.id))).toBe('platform_connection.in_use');
  });

  it('is no subaccount, takes no tenant\'s fields, and is nobody else\'s', async () => {
    const sub = twilio.addAccount(twilio.main.sid);
    const create = (credentials: Record<string, unknown>) => codeOf(connectPlatformAccount(world.deps, { type: 'twilio', name: 'Other', credentials, isOpen: true, inboxesMax: null }));
    expect(await create({ ...mainForm(), accountSid: sub.sid, authToken: sub.token })).toBe('platform_connection.not_verified');
    expect(await create({ ...mainForm(), phoneNumber: '+15005550006' })).toBe('request.invalid');
    expect(await create({ accountSid: twilio.main.sid })).toBe('request.invalid');
    const number = twilio.addNumber(twilio.main.sid, '+15005550777');
    expect(await codeOf(connect(world, world.acme, { type: 'twilio', credentials: { ...mainForm(), phoneNumber: number.phone_number } }))).toBe('connection.identifier_taken');
    twilio.accounts.delete(sub.sid);
    twilio.numbers.splice(twilio.numbers.indexOf(number), 1);
  });
});

describe('a subaccount that the hub makes', () => {
  it('has credentials and a number of its own; nothing of the platform\'s account goes with it', async () => {
    const [mine, theirs] = [await join(world.acme), await join(world.globex)];
    for (const connection of [mine, theirs]) {
      const subaccount = subaccountOf(connection);
      expect(connection).toMatchObject({ status: 'active', settings: { phoneNumber: expect.stringMatching(/^\+1415/), numberOrigin: 'bought', platformConnectionId: main.id } });
      expect(subaccount).toMatchObject({ owner: twilio.main.sid, name: `switchboard ${connection.id}`, status: 'active' });
      expect(connection.routingIdentifiers).toEqual({ sender: `${subaccount?.sid}/${connection.settings['phoneNumber']}`, accountSid: subaccount?.sid, account: subaccount?.sid });
      expect(numbersOf(subaccount?.sid)).toEqual([connection.settings['phoneNumber']]);
      expect((await webhooksOf(world, connection.id)).webhookSecrets).toEqual([{ value: subaccount?.token, expiresAt: null }]);
      expect(JSON.stringify([connection, world.kit.published])).not.toMatch(/token-of-/);
    }
    expect(subaccountOf(mine)?.sid).not.toBe(subaccountOf(theirs)?.sid);
    expect(JSON.stringify(await runAsTenant(world.acme, () => world.deps.auditReader.list({}, 100, undefined)))).not.toMatch(/token-of-/);
  });

  it.each([
    ['the answer to its making was lost', /POST \/2010-04-01\/Accounts\.json$/],
    ['the answer to the purchase was lost', /POST .*\/IncomingPhoneNumbers\.json$/],
    ['the number\'s addresses were set, and the answer was lost', /POST .*\/IncomingPhoneNumbers\/PN\w+\.json$/],
    ['nothing had happened yet', /GET \/2010-04-01\/Accounts\.json$/],
  ])('is made once, with one number, although %s', async (_when, loses) => {
    Object.assign(twilio, { loses });
    const before = made().length;
    const connection = await join(world.acme);
    expect(connection).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/problem of its own/) });
    Object.assign(twilio, { loses: undefined });
    await recheckAfter(world, 3);
    const stored = await show(world, world.acme, connection.id);
    expect(stored).toMatchObject({ status: 'active' });
    expect(made().length).toBe(before + 1);
    expect(numbersOf(stored?.routingIdentifiers['accountSid'])).toEqual([stored?.settings['phoneNumber']]);
    expect(twilio.forSale.get('US')).toHaveLength(2);
    // Posted again it is the same.
    expect(await join(world.acme)).toMatchObject({ id: connection.id, status: 'active', settings: { phoneNumber: stored?.settings['phoneNumber'] } });
    expect(twilio.forSale.get('US')).toHaveLength(2);
  });

  it('goes with its connection together with an empty one of its name, which another process has made at the same moment; no other goes', async () => {
    const [mine, theirs] = [await join(world.acme), await join(world.globex)];
    const twin = twilio.addAccount(twilio.main.sid);
    Object.assign(twin, { name: `switchboard ${mine.id}` });
    expect(await remove(world.acme, mine)).toMatchObject({ atProvider: { outcome: 'removed' } });
    expect([subaccountOf(mine)?.status, twin.status, subaccountOf(theirs)?.status]).toEqual(['closed', 'closed', 'active']);
    twilio.accounts.delete(twin.sid);
  });

  it('stays what it is when its settings change and its token is replaced', async () => {
    const connection = await join(world.acme);
    const change = (settings: Record<string, unknown>) => runAsTenant(world.acme, () => changeConnection(world.deps, connection.id, { settings }));
    expect(await change({ channels: ['sms'], language: 'de-DE' })).toMatchObject({ id: connection.id, status: 'active', statusReason: null, routingIdentifiers: connection.routingIdentifiers, settings: { channels: 'sms', phoneNumber: connection.settings['phoneNumber'] } });
    await runAsTenant(world.acme, () => rotate(world.deps, connection.id, { credentials: { rotateAuthToken: true } }));
    await recheckAfter(world, 3);
    const subaccount = subaccountOf(connection);
    expect(subaccount?.token).toMatch(/^next-token/);
    expect((await webhooksOf(world, connection.id)).webhookSecrets[0]?.value).toBe(subaccount?.token);
  });

  it('is reached by no field of the form: not another tenant\'s, not the main account, not at another address', async () => {
    const theirs = await join(world.globex);
    const victim = subaccountOf(theirs);
    const post = (more: object) => codeOf(connect(world, world.acme, { type: 'twilio', credentials: { provision: true, channels: ['sms'], ...more } }));
    for (const more of [{ accountSid: victim?.sid }, { accountSid: twilio.main.sid, authToken: 'x' }, { authToken: 'x' }, { messagingServiceSid: fakeSid('MG') }, { apiBaseUrl: 'https://mine.example' }]) expect(await post(more)).toBe('request.invalid');
    const mine = await join(world.acme);
    const attempt = (changes: Record<string, unknown>) => codeOf(runAsTenant(world.acme, () => rotate(world.deps, mine.id, { credentials: changes })));
    for (const changes of [{ accountSid: victim?.sid }, { accountSid: victim?.sid, authToken: victim?.token }, { apiBaseUrl: 'https://mine.example' }, { phoneNumber: theirs.settings['phoneNumber'] }, { provision: false }]) expect(await attempt(changes)).toBe('request.invalid');
    // A number that is a tenant's is not the platform's to assign.
    expect(await join(world.acme, { assignNumber: theirs.settings['phoneNumber'] })).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/no free number/) });
    expect(numbersOf(victim?.sid)).toEqual([theirs.settings['phoneNumber']]);
    expect(victim).toMatchObject({ status: 'active', token: `token-of-${victim?.sid}` });
  });

  it('gets a number of the platform\'s that is free, and gives it back when it is closed', async () => {
    const [free, used] = [twilio.addNumber(twilio.main.sid, '+15005550201'), twilio.addNumber(twilio.main.sid, '+15005550202')];
    Object.assign(used, { voice_url: 'https://platform.example/hotline' });
    expect(await join(world.globex, { assignNumber: used.phone_number })).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/no free number \+15005550202/) });
    const connection = await join(world.acme, { assignNumber: free.phone_number });
    expect(connection).toMatchObject({ status: 'active', settings: { phoneNumber: free.phone_number, numberOrigin: 'assigned' } });
    expect(free.account).toBe(connection.routingIdentifiers['accountSid']);
    expect(await join(world.globex, { assignNumber: free.phone_number })).toMatchObject({ status: 'pending' });
    expect(await remove(world.acme, connection)).toMatchObject({ atProvider: { outcome: 'removed', reason: expect.stringMatching(/closed at Twilio for good, and the number \+15005550201 is the platform's again/) } });
    expect(free).toMatchObject({ account: twilio.main.sid, sms_url: '', voice_url: '' });
    expect(subaccountOf(connection)?.status).toBe('closed');
  });

  it('is closed for good when its connection goes, also when it never worked, and no other with it', async () => {
    const [mine, theirs] = [await join(world.acme), await join(world.globex)];
    expect(await remove(world.acme, mine)).toMatchObject({ atProvider: { outcome: 'removed', reason: expect.stringMatching(/closed at Twilio for good, and its numbers are released/) } });
    expect([subaccountOf(mine)?.status, subaccountOf(theirs)?.status]).toEqual(['closed', 'active']);
    Object.assign(twilio, { loses: /POST \/2010-04-01\/Accounts\.json$/ });
    const lost = await join(world.acme);
    expect(made().some(({ name }) => name === `switchboard ${lost.id}`)).toBe(true);
    Object.assign(twilio, { loses: undefined });
    expect(await remove(world.acme, lost)).toMatchObject({ atProvider: { outcome: 'removed' } });
    expect(made().map(({ name }) => name)).toEqual([`switchboard ${theirs.id}`]);
    expect((await report()).subaccounts).toBe(1);
  });

  it('is closed with a tenant that is erased, although it was suspended before, and nobody else\'s is', async () => {
    const [mine, theirs] = [await join(world.acme), await join(world.globex)];
    await runAsTenant(world.acme, () => world.deps.db.transaction(() => world.deps.tenants.update({ status: 'deleted', deletedAt: world.now, deleteAfter: world.now })));
    await runAsTenant(world.acme, () => followTenant(world.deps));
    expect(subaccountOf(mine)?.status).toBe('suspended');
    await inSystem(() => eraseTenants(world.deps, world.kit.log));
    expect([subaccountOf(mine)?.status, subaccountOf(theirs)?.status]).toEqual(['closed', 'active']);
    expect(await report()).toMatchObject({ inboxes: 1, tenants: 1, subaccounts: 1 });
  });

  it('stays open while another connection works in it, also one that is switched off', async () => {
    const mine = await join(world.acme);
    const made = subaccountOf(mine);
    const { phone_number: phoneNumber } = twilio.addNumber(made?.sid ?? '', '+15005550401');
    const other = await connect(world, world.acme, { type: 'twilio', credentials: { accountSid: made?.sid, authToken: made?.token, phoneNumber, apiBaseUrl: twilio.url } });
    places.push([world.acme, other]);
    expect(other).toMatchObject({ status: 'active' });
    await runAsTenant(world.acme, () => changeConnection(world.deps, other.id, { status: 'disabled' }));
    expect(await remove(world.acme, mine)).toMatchObject({ atProvider: { outcome: 'removed', reason: expect.stringMatching(/Another connection uses the subaccount/) } });
    expect(made?.status).toBe('active');
  });

  it('is left alone where its name says that the hub did not make it', async () => {
    const connection = await join(world.acme);
    Object.assign(subaccountOf(connection) ?? {}, { name: 'Renamed by the platform' });
    expect(await remove(world.acme, connection)).toMatchObject({ atProvider: { outcome: 'nothing_to_remove' } });
    expect(subaccountOf(connection)?.status).toBe('active');
  });

  it.each([
    ['no number is for sale there', { numberCountry: 'US', numberAreaCode: '999' }, /no free number in US, area code 999/],
    ['the country has none at all', { numberCountry: 'XK' }, /no free number in XK/],
    ['the country asks for papers', { numberCountry: 'DE' }, /asks for an address or papers/],
    ['no number was asked for', {}, /has no number\. Post the credentials again with numberCountry/],
  ])('says in plain words when %s, and takes what is posted next', async (_when, more, reason) => {
    const connection = await join(world.acme, more);
    expect(connection).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(reason) });
    expect(await join(world.acme)).toMatchObject({ id: connection.id, status: 'active' });
    expect(made().filter(({ name }) => name === `switchboard ${connection.id}`)).toHaveLength(1);
  });

  it('says when Twilio allows no more subaccounts, and when there is no room', async () => {
    Object.assign(twilio, { subaccountsMax: 0 });
    expect(await join(world.acme)).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/20006.*1000 unless it asked for more/) });
    await changePlatformConnection(world.deps, main.id, { inboxesMax: 1 });
    expect(await join(world.globex)).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/no Twilio account with room/) });
  });

  it('is made in the sandbox where the platform\'s account is one there, and never in a real one by mistake', async () => {
    const hub = { ...world, deps: { ...world.deps, config: { ...world.deps.config, sandboxEnabled: true, sandboxUrl: twilio.url } } };
    const form = { type: 'twilio', credentials: { provision: true, channels: ['sms'], numberCountry: 'US', sandbox: true } };
    const mistaken = await connect(hub, world.acme, form);
    places.push([world.acme, mistaken]);
    expect(mistaken).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/a real one, and no sandbox/) });
    expect(twilio.calls).toEqual([]);
    const other = twilio.addAccount();
    const playing = await connectPlatformAccount(hub.deps, { type: 'twilio', name: 'Sandbox', credentials: { accountSid: other.sid, authToken: other.token, sandbox: true }, isOpen: true, inboxesMax: null });
    const connection = await connect(hub, world.globex, { ...form, credentials: { ...form.credentials, platformConnectionId: playing.id } });
    expect(connection).toMatchObject({ status: 'active', settings: { sandbox: 'true', apiBaseUrl: `${twilio.url}/twilio` } });
    expect(subaccountOf(connection)?.owner).toBe(other.sid);
    const changed = await runAsTenant(world.globex, () => changeConnection(hub.deps, connection.id, { settings: { language: 'fr-FR' } }));
    expect(changed).toMatchObject({ status: 'active', statusReason: null, settings: { sandbox: 'true', language: 'fr-FR' } });
    expect(await remove(world.globex, connection)).toMatchObject({ atProvider: { outcome: 'removed' } });
    await removePlatformConnection(world.deps, playing.id);
  });

  it('leaves WhatsApp to be registered by hand', async () => {
    expect(await join(world.acme, { numberCountry: 'US', channels: ['sms', 'whatsapp'] })).toMatchObject({ status: 'active', settings: { toDoByHand: expect.stringMatching(/Register the number in the Twilio console/) } });
  });
});

describe('a tenant that is suspended', () => {
  const become = (tenantId: TenantId, status: 'active' | 'suspended') => runAsTenant(tenantId, () => changeTenant(world.deps, { status }));
  const follow = (tenantId: TenantId) => runAsTenant(tenantId, () => followTenant(world.deps));

  it('has its subaccount suspended with it, and active again, whatever came in between; what it brought is left alone', async () => {
    const [mine, theirs] = [await join(world.acme), await join(world.globex)];
    const own = twilio.addAccount();
    twilio.addNumber(own.sid, '+15005550301');
    places.push([world.acme, await connect(world, world.acme, { type: 'twilio', credentials: { accountSid: own.sid, authToken: own.token, phoneNumber: '+15005550301', apiBaseUrl: twilio.url } })]);
    await become(world.acme, 'suspended');
    await follow(world.acme);
    await follow(world.acme);
    expect([subaccountOf(mine)?.status, subaccountOf(theirs)?.status, own.status]).toEqual(['suspended', 'active', 'active']);
    await become(world.acme, 'active');
    await follow(world.acme);
    expect(subaccountOf(mine)?.status).toBe('active');
    // An event that comes late changes nothing: the tenant is active now.
    const { handle } = onTenantChanged(world.deps);
    await runAsTenant(world.acme, () => handle({ type: 'tenant.changed', payload: { status: 'suspended', plan: 'starter', rateLimit: 1, timeZone: 'UTC', reason: 'suspended' } } as unknown as Parameters<typeof handle>[0], undefined as never)); // what the consumer reads of them
    expect(subaccountOf(mine)?.status).toBe('active');
  });

  it('has no subaccount made, nor a number bought, before it is active again', async () => {
    Object.assign(twilio, { refuses: /POST \/2010-04-01\/Accounts\.json$/ });
    const [before, pending] = [made().length, await join(world.acme)];
    await become(world.acme, 'suspended');
    await follow(world.acme);
    Object.assign(twilio, { refuses: undefined });
    await recheckAfter(world, 3);
    expect(made()).toHaveLength(before);
    expect(await show(world, world.acme, pending.id)).toMatchObject({ status: 'pending', draft: { reason: expect.stringMatching(/suspended/) } });
    await become(world.acme, 'active');
    await recheckAfter(world, 10);
    expect(await show(world, world.acme, pending.id)).toMatchObject({ status: 'active', settings: { numberOrigin: 'bought' } });
  });

  it('has its subaccount suspended also when that was being made at the same moment', async () => {
    twilio.meanwhile.set('POST /2010-04-01/Accounts.json', async () => {
      twilio.meanwhile.clear();
      await become(world.acme, 'suspended');
      await follow(world.acme);
    });
    const mine = await join(world.acme);
    const subaccount = made().find(({ name }) => name === `switchboard ${mine.id}`);
    expect(subaccount?.status).toBe('suspended');
    await become(world.acme, 'active');
    await follow(world.acme);
    expect(subaccount?.status).toBe('active');
  });

  it('has its subaccount suspended, and closed with the connection, whatever it posts as if the subaccount were one that it brought', async () => {
    const mine = await join(world.acme);
    const made = subaccountOf(mine);
    const postOver = (phoneNumber: unknown) => connect(world, world.acme, { type: 'twilio', credentials: { accountSid: made?.sid, authToken: 'made up', phoneNumber, apiBaseUrl: twilio.url } });
    for (const phoneNumber of [mine.settings['phoneNumber'], '+15005550999']) {
      const posted = await postOver(phoneNumber);
      places.push([world.acme, posted]);
      expect(posted).toMatchObject({ id: expect.not.stringMatching(mine.id), status: 'pending', statusReason: expect.stringMatching(/refuses the auth token/) });
    }
    await become(world.acme, 'suspended');
    await follow(world.acme);
    expect(made?.status).toBe('suspended');
    expect(await remove(world.acme, mine)).toMatchObject({ atProvider: { outcome: 'removed' } });
    expect(made?.status).toBe('closed');
  });

  it('is followed later when Twilio does not answer, without a word of a secret', async () => {
    const mine = await join(world.acme);
    await become(world.acme, 'suspended');
    Object.assign(twilio, { refuses: /POST \/2010-04-01\/Accounts\/AC/ });
    const refusal: unknown = await follow(world.acme).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'provider.unavailable', retry: { afterMs: 60_000, counted: false } });
    expect(JSON.stringify(refusal)).not.toContain('token-of-');
    Object.assign(twilio, { refuses: undefined });
    await follow(world.acme);
    expect(subaccountOf(mine)?.status).toBe('suspended');
  });
});
