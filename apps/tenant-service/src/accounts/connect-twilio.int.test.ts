import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { hubError, type ConnectionRecord, type TenantId } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { fakeSid, startFakeTwilio, type FakeTwilio, type FakeTwilioAccount } from '../testing/fake-twilio.ts';
import { codeOf, connect, recheckAfter, show, useAccountWorld, webhooksOf } from '../testing/account-world.ts';
import { removeConnection } from './delete-connection.ts';
import { recheckByHand } from './recheck-by-hand.ts';
import { askAboutConnection } from './test-connection.ts';
import { changeConnection, rotate } from './update-connection.ts';

const world = useAccountWorld();
let twilio: FakeTwilio;
let nextNumber = 0;

beforeAll(async () => {
  twilio = await startFakeTwilio();
});
afterAll(async () => {
  await twilio?.close();
});
beforeEach(() => {
  Object.assign(twilio, { refuses: undefined, loses: undefined });
});

const freshNumber = () => `+1500555${String(1000 + nextNumber++)}`;

/** An account that nobody has connected, with one number. */
function account(): { account: FakeTwilioAccount; phoneNumber: string; form: (more?: object) => { type: string; credentials: Record<string, unknown> } } {
  const made = twilio.addAccount();
  const phoneNumber = freshNumber();
  twilio.addNumber(made.sid, phoneNumber);
  return { account: made, phoneNumber, form: (more = {}) => ({ type: 'twilio', credentials: { accountSid: made.sid, authToken: made.token, phoneNumber, channels: ['sms', 'voice'], apiBaseUrl: twilio.url, ...more } }) };
}

const numberOf = (phoneNumber: string) => twilio.numbers.find((one) => one.phone_number === phoneNumber);
const urlOf = (path: string, sid: string) => `https://hub.example.net/api/webhooks/${path}?account=${sid}#rc=3&rp=all`;
const settingsOf = async (tenantId: TenantId, { id }: ConnectionRecord) => (await show(world, tenantId, id))?.settings ?? {};
const remove = (tenantId: TenantId, { id }: ConnectionRecord) => runAsTenant(tenantId, () => removeConnection(world.deps, id));

describe('a subaccount that a tenant brings', () => {
  it('is asked for, and sends messages and calls of its number to the hub', async () => {
    const mine = account();
    const connection = await connect(world, world.acme, mine.form());
    const { sid } = mine.account;
    expect(connection).toMatchObject({ status: 'active', statusReason: null, routingIdentifiers: { sender: `${sid}/${mine.phoneNumber}`, accountSid: sid, account: sid } });
    expect(connection.settings).toMatchObject({ smsUrl: urlOf('sms', sid), voiceUrl: urlOf('voicemail', sid), accountName: mine.account.name, numberSid: numberOf(mine.phoneNumber)?.sid });
    expect(connection.settings).not.toHaveProperty('toDoByHand');
    expect(numberOf(mine.phoneNumber)).toMatchObject({ sms_url: urlOf('sms', sid), sms_method: 'POST', sms_fallback_url: urlOf('sms', sid), voice_url: urlOf('voicemail', sid), voice_fallback_url: urlOf('voicemail', sid), status_callback: urlOf('voicemail', sid) });
    expect(JSON.stringify([connection, world.kit.published])).not.toContain('token-of-');
    expect((await webhooksOf(world, connection.id)).webhookSecrets).toEqual([{ value: mine.account.token, expiresAt: null }]);
  });

  it('keeps lists, greetings, truths and numbers through changes of its settings and its token', async () => {
    const mine = account();
    const greetings = { 'en-US': { text: 'Hello, "Acme" & sons' }, 'pt-BR': { url: 'https://example.net/ola.mp3' } };
    const { id } = await connect(world, world.acme, mine.form({ greetings, transcribe: false, voicemailMaxSeconds: 30 }));
    const changed = await runAsTenant(world.acme, () => changeConnection(world.deps, id, { settings: { channels: ['voice'], language: 'pt-BR' } }));
    expect(changed).toMatchObject({ status: 'active', statusReason: null, settings: { channels: 'voice', greetings: JSON.stringify(greetings), transcribe: 'false', voicemailMaxSeconds: '30', language: 'pt-BR' } });
    // What is asked no more is taken back.
    expect(numberOf(mine.phoneNumber)).toMatchObject({ sms_url: '', voice_url: urlOf('voicemail', mine.account.sid) });
    expect(changed.settings).not.toHaveProperty('smsUrl');
    mine.account.token = 'another-token';
    const rotated = await runAsTenant(world.acme, () => rotate(world.deps, id, { credentials: { authToken: 'another-token' } }));
    expect(rotated).toMatchObject({ status: 'active', statusReason: null, settings: { channels: 'voice', greetings: JSON.stringify(greetings), transcribe: 'false' } });
    // What ingest answers calls from, and no more of it.
    expect((await webhooksOf(world, id)).answerSettings).toEqual({ accountSid: mine.account.sid, language: 'pt-BR', greetings: JSON.stringify(greetings), voicemailMaxSeconds: '30', voicemailSilenceSeconds: '5', transcribe: 'false' });
    // Webhooks that Twilio signed a moment ago are on their way.
    expect((await webhooksOf(world, id)).webhookSecrets).toEqual([{ value: 'another-token', expiresAt: null }, { value: `token-of-${mine.account.sid}`, expiresAt: expect.any(String) }]);
  });

  it('is one tenant\'s, moves on when that one has left, and may have several numbers', async () => {
    const mine = account();
    const second = freshNumber();
    twilio.addNumber(mine.account.sid, second);
    const [first, other] = [await connect(world, world.acme, mine.form()), await connect(world, world.acme, mine.form({ phoneNumber: second }))];
    expect([first.status, other.status]).toEqual(['active', 'active']);
    expect(await codeOf(connect(world, world.globex, mine.form()))).toBe('connection.identifier_taken');
    expect(await codeOf(connect(world, world.globex, mine.form({ phoneNumber: freshNumber() })))).toBe('connection.identifier_taken');
    await remove(world.acme, first);
    expect(await codeOf(connect(world, world.globex, mine.form()))).toBe('connection.identifier_taken');
    await remove(world.acme, other);
    expect(await connect(world, world.globex, mine.form())).toMatchObject({ status: 'active' });
    expect(await codeOf(connect(world, world.acme, mine.form()))).toBe('connection.identifier_taken');
  });

  it('takes the hub\'s addresses back when it goes, and leaves alone what leads elsewhere', async () => {
    const mine = account();
    const connection = await connect(world, world.acme, mine.form());
    Object.assign(numberOf(mine.phoneNumber) ?? {}, { voice_url: 'https://elsewhere.example/calls' });
    expect(await remove(world.acme, connection)).toMatchObject({ atProvider: { outcome: 'removed' } });
    expect(numberOf(mine.phoneNumber)).toMatchObject({ sms_url: '', sms_fallback_url: '', voice_url: 'https://elsewhere.example/calls', voice_fallback_url: '', status_callback: '' });
    expect(mine.account.status).toBe('active');
  });

  it.each([
    ['a wrong token', () => ({ authToken: 'wrong' }), /refuses the auth token of account AC/],
    ['a number of somebody else', () => ({ phoneNumber: freshNumber() }), /has no number/],
    ['a service of somebody else', () => ({ messagingServiceSid: fakeSid('MG') }), /no messaging service/],
    ['a key of somebody else', () => ({ apiKeySid: fakeSid('SK'), apiKeySecret: 'secret-of-key' }), /refuses the API key/],
  ])('is not connected with %s, and the reason is said without secrets', async (_name, more, reason) => {
    const connection = await connect(world, world.acme, account().form(more()));
    expect(connection).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(reason) });
    expect(connection.statusReason).not.toMatch(/wrong\)|token-of-|secret-of-key/);
  });

  it('waits while Twilio keeps it from working, says what to do, and goes on by itself', async () => {
    const mine = account();
    Object.assign(numberOf(mine.phoneNumber) ?? {}, { trunk_sid: 'TK1', sms_application_sid: 'AP1' });
    const connection = await connect(world, world.acme, mine.form());
    expect(connection).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/TwiML app AP1 for messages and the SIP trunk TK1.*Remove that from the number/) });
    Object.assign(numberOf(mine.phoneNumber) ?? {}, { trunk_sid: null, sms_application_sid: '' });
    mine.account.status = 'suspended';
    await recheckAfter(world, 3);
    expect((await show(world, world.acme, connection.id))?.draft?.reason).toMatch(/is suspended/);
    mine.account.status = 'active';
    await recheckAfter(world, 5);
    expect(await show(world, world.acme, connection.id)).toMatchObject({ status: 'active' });
  });

  it('says when a number cannot do what is asked', async () => {
    const mine = account();
    Object.assign(numberOf(mine.phoneNumber) ?? {}, { capabilities: { sms: true, voice: false, mms: false } });
    expect(await connect(world, world.acme, mine.form())).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/cannot do voice/) });
    expect(await connect(world, world.acme, mine.form({ channels: ['sms'] }))).toMatchObject({ status: 'active' });
  });

  it('is tested without changing anything there', async () => {
    const mine = account();
    const { id } = await connect(world, world.acme, mine.form());
    const test = () => runAsTenant(world.acme, () => askAboutConnection(world.deps, id));
    twilio.calls.length = 0;
    expect(await test()).toMatchObject({ ok: true });
    expect(twilio.calls.filter(({ method }) => method !== 'GET')).toEqual([]);
    Object.assign(numberOf(mine.phoneNumber) ?? {}, { voice_url: 'https://elsewhere.example/calls' });
    world.now = new Date(world.now.getTime() + 60_000);
    expect(await test()).toMatchObject({ ok: false, reason: expect.stringMatching(/the calls of .* are sent elsewhere/) });
  });

  it('is taken from who only claimed it, at an address of its own, by who has it', async () => {
    const liar = account();
    // A server of the tenant's own choice answers what the tenant likes.
    const claimed = await connect({ ...world, deps: { ...world.deps, egress: { ...world.deps.egress, isPlatformHost: () => false } } }, world.globex, liar.form());
    expect(claimed.status).toBe('active');
    const real = await connect(world, world.acme, liar.form({ apiBaseUrl: undefined }), (egress, request) => egress.request({ ...request, url: request.url.replace(/^https:\/\/\w+\.twilio\.com/, twilio.url) }));
    expect(real.status).toBe('active');
    expect(await show(world, world.globex, claimed.id)).toMatchObject({ status: 'pending' });
  });
});

describe('messaging services and WhatsApp', () => {
  const addService = (accountSid: string, more: object = {}) => {
    const service = { sid: fakeSid('MG'), account: accountSid, friendly_name: 'Support', pool: [], inbound_request_url: null, use_inbound_webhook_on_number: true, ...more };
    twilio.services.push(service);
    return service;
  };
  const addSender = (accountSid: string, phoneNumber: string, status = 'ONLINE') => twilio.senders.push({ sid: fakeSid('XE'), account: accountSid, sender_id: `whatsapp:${phoneNumber}`, status, webhook: {} });

  it('are set to send to the hub, by the service alone or beside the number', async () => {
    const mine = account();
    const { sid } = mine.account;
    const service = addService(sid);
    const connection = await connect(world, world.acme, mine.form({ phoneNumber: undefined, messagingServiceSid: service.sid, channels: ['sms'] }));
    expect(connection).toMatchObject({ status: 'active', routingIdentifiers: { sender: `${sid}/${service.sid}`, service: `${sid}/${service.sid}` } });
    expect(service).toMatchObject({ inbound_request_url: urlOf('sms', sid), fallback_url: urlOf('sms', sid), status_callback: urlOf('sms', sid), use_inbound_webhook_on_number: false });
    await remove(world.acme, connection);
    expect(service).toMatchObject({ inbound_request_url: '', status_callback: '' });
  });

  it('win over a number in their pool: one that drops messages is set, one that sends elsewhere is left and said', async () => {
    const [mine, theirs] = [account(), account()];
    const pool = (of: typeof mine) => [numberOf(of.phoneNumber)?.sid ?? ''];
    const empty = addService(mine.account.sid, { pool: pool(mine), use_inbound_webhook_on_number: false });
    expect(await connect(world, world.acme, mine.form({ channels: ['sms'] }))).toMatchObject({ status: 'active' });
    expect(empty.inbound_request_url).toBe(urlOf('sms', mine.account.sid));
    const elsewhere = addService(theirs.account.sid, { pool: pool(theirs), use_inbound_webhook_on_number: false, inbound_request_url: 'https://elsewhere.example/sms' });
    const waiting = await connect(world, world.globex, theirs.form({ channels: ['sms'] }));
    expect(waiting).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/messaging service MG.*elsewhere\.example wins/) });
    expect(elsewhere.inbound_request_url).toBe('https://elsewhere.example/sms');
    // Calls work all the same.
    const working = await connect(world, world.globex, theirs.form());
    expect(working).toMatchObject({ id: waiting.id, status: 'active', settings: { toDoByHand: expect.stringMatching(/elsewhere\.example wins/) } });
  });

  it('has WhatsApp senders told the hub\'s address', async () => {
    const mine = account();
    addSender(mine.account.sid, mine.phoneNumber);
    const connection = await connect(world, world.acme, mine.form({ channels: ['whatsapp'] }));
    expect(connection).toMatchObject({ status: 'active', settings: { whatsappUrl: urlOf('whatsapp', mine.account.sid), senderSid: expect.stringMatching(/^XE/) } });
    expect(twilio.senders.at(-1)?.webhook).toMatchObject({ callback_url: urlOf('whatsapp', mine.account.sid), callback_method: 'POST' });
    expect(numberOf(mine.phoneNumber)?.['sms_url']).toBeUndefined();
    const test = () => runAsTenant(world.acme, () => askAboutConnection(world.deps, connection.id));
    expect(await test()).toMatchObject({ ok: true });
    for (const sender of twilio.senders.slice(-1)) sender.status = 'OFFLINE';
    world.now = new Date(world.now.getTime() + 60_000);
    expect(await test()).toMatchObject({ ok: false, reason: expect.stringMatching(/not online at Twilio \(status OFFLINE\)/) });
    await remove(world.acme, connection);
    expect(twilio.senders.at(-1)?.webhook).toMatchObject({ callback_url: '' });
  });

  it('works without WhatsApp until its sender is there, says what to do by hand, and sees by itself when that is done', async () => {
    const mine = account();
    const connection = await connect(world, world.acme, mine.form({ channels: ['sms', 'whatsapp'] }));
    expect(connection).toMatchObject({ status: 'active', settings: { toDoByHand: expect.stringMatching(/no WhatsApp sender .* Register the number in the Twilio console/) } });
    addSender(mine.account.sid, mine.phoneNumber, 'PENDING_VERIFICATION');
    await recheckByHand(world.deps, world.kit.log);
    expect((await settingsOf(world.acme, connection))['toDoByHand']).toMatch(/not online at Twilio \(status PENDING_VERIFICATION\)/);
    for (const sender of twilio.senders) sender.status = 'ONLINE';
    await recheckByHand(world.deps, world.kit.log);
    expect(await settingsOf(world.acme, connection)).not.toHaveProperty('toDoByHand');
    expect(await show(world, world.acme, connection.id)).toMatchObject({ status: 'active', settings: { senderSid: twilio.senders.at(-1)?.sid } });
  });

  it('waits where nothing else is connected, and tells the address for Twilio\'s own sandbox', async () => {
    const mine = account();
    expect(await connect(world, world.acme, mine.form({ channels: ['whatsapp'] }))).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/Register the number/) });
    const playing = await connect(world, world.globex, account().form({ channels: ['whatsapp'], phoneNumber: '+14155238886' }));
    const { account: sid } = playing.routingIdentifiers;
    expect(playing).toMatchObject({ status: 'active', settings: { toDoByHand: expect.stringContaining(`put https://hub.example.net/api/webhooks/whatsapp?account=${sid}#rc=3&rp=all into "When a message comes in"`) } });
  });
});

describe('the next auth token', () => {
  const minute = 1;

  it('is known to who verifies webhooks before Twilio signs with it, and the old one stays valid for a while', async () => {
    const mine = account();
    const { id } = await connect(world, world.acme, mine.form());
    const old = mine.account.token;
    const asked = await runAsTenant(world.acme, () => rotate(world.deps, id, { credentials: { rotateAuthToken: true } }));
    // The answer does not wait; Twilio still signs with the old one.
    expect(asked).toMatchObject({ status: 'active', statusReason: expect.stringMatching(/Twilio is told to use it in a minute/) });
    expect(mine.account.token).toBe(old);
    const next = mine.account.secondary ?? 'none';
    expect((await webhooksOf(world, id)).webhookSecrets.map(({ value }) => value).toSorted()).toEqual([next, old].toSorted());
    expect(world.kit.published.filter(({ type }) => type === 'connection.changed').length).toBeGreaterThanOrEqual(4);
    await recheckAfter(world, 3 * minute);
    expect(mine.account).toMatchObject({ token: next, secondary: undefined });
    const settled = await show(world, world.acme, id);
    expect(settled).toMatchObject({ status: 'active', draft: undefined });
    expect(settled?.settings).not.toHaveProperty('rotateAuthToken');
    expect((await webhooksOf(world, id)).webhookSecrets).toMatchObject([{ value: next, expiresAt: null }, { value: old }]);
    const inUse = settled && (await runAsTenant(world.acme, () => world.deps.connections.openAccount(settled)));
    expect(inUse?.credentials).toEqual({ authToken: next });
  });

  it.each([
    ['before the next one was kept', /POST \/v1\/AuthTokens\/Secondary$/],
    ['when it was promoted, and the answer was lost', /POST \/v1\/AuthTokens\/Promote$/],
    ['before it was promoted', /never/],
  ])('comes through when the hub was killed %s', async (_when, loses) => {
    const mine = account();
    const { id } = await connect(world, world.acme, mine.form());
    Object.assign(twilio, { loses });
    const asked = await runAsTenant(world.acme, () => rotate(world.deps, id, { credentials: { rotateAuthToken: true } }));
    expect(asked).toMatchObject({ status: 'active' });
    await recheckAfter(world, 3);
    Object.assign(twilio, { loses: undefined });
    for (const minutes of [5, 10, 20]) await recheckAfter(world, minutes);
    const settled = await show(world, world.acme, id);
    expect(settled).toMatchObject({ status: 'active', draft: undefined });
    expect(mine.account.secondary).toBeUndefined();
    expect((await webhooksOf(world, id)).webhookSecrets[0]).toEqual({ value: mine.account.token, expiresAt: null });
    expect(mine.account.token).not.toBe(`token-of-${mine.account.sid}`);
  });

  it('stays known to who verifies webhooks when the answer to its promotion was lost and Twilio takes the old one for calls all the same', async () => {
    const mine = account();
    const { id } = await connect(world, world.acme, mine.form());
    Object.assign(mine.account, { former: 'none yet' });
    await runAsTenant(world.acme, () => rotate(world.deps, id, { credentials: { rotateAuthToken: true } }));
    Object.assign(twilio, { loses: /POST \/v1\/AuthTokens\/Promote$/ });
    await recheckAfter(world, 3);
    const promoted = mine.account.token;
    Object.assign(twilio, { loses: undefined });
    for (const minutes of [5, 10, 20]) {
      await recheckAfter(world, minutes);
      expect((await webhooksOf(world, id)).webhookSecrets.map(({ value }) => value)).toContain(mine.account.token);
    }
    expect(mine.account.token).toBe(promoted);
    expect(await show(world, world.acme, id)).toMatchObject({ status: 'active', draft: undefined });
  });

  it('is not asked for where other connections work with the same token, which would be void', async () => {
    const mine = account();
    const second = freshNumber();
    twilio.addNumber(mine.account.sid, second);
    const [first, other] = [await connect(world, world.acme, mine.form()), await connect(world, world.acme, mine.form({ phoneNumber: second }))];
    const asked = await runAsTenant(world.acme, () => rotate(world.deps, first.id, { credentials: { rotateAuthToken: true } }));
    expect(asked).toMatchObject({ status: 'active', statusReason: expect.stringMatching(/Other connections use the Twilio account/) });
    for (const minutes of [5, 10, 20]) await recheckAfter(world, minutes);
    const known = await Promise.all([first, other].map(async ({ id }) => (await webhooksOf(world, id)).webhookSecrets.map(({ value }) => value)));
    expect(known.map((secrets) => secrets.includes(mine.account.token))).toEqual([true, true]);
    expect(mine.account.secondary).toBeUndefined();
  });

  it('is made anew when somebody removed it before it was in use', async () => {
    const mine = account();
    const { id } = await connect(world, world.acme, mine.form());
    await runAsTenant(world.acme, () => rotate(world.deps, id, { credentials: { rotateAuthToken: true } }));
    mine.account.secondary = undefined;
    for (const minutes of [3, 5, 10, 20]) await recheckAfter(world, minutes);
    expect(await show(world, world.acme, id)).toMatchObject({ status: 'active', draft: undefined });
    expect((await webhooksOf(world, id)).webhookSecrets[0]?.value).toBe(mine.account.token);
    expect(mine.account.token).toMatch(/^next-token/);
  });
});

describe('a hub that Twilio cannot reach', () => {
  it('says so before anything is asked of Twilio', async () => {
    const mine = account();
    const hub = { ...world, deps: { ...world.deps, config: { ...world.deps.config, publicWebhookUrl: 'http://hub_one.example.net' } } };
    const connection = await connect(hub, world.acme, mine.form({ apiBaseUrl: undefined }), () => Promise.reject(hubError('egress.failed')));
    expect(connection).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(/only to an https address with a valid host name/) });
  });
});
