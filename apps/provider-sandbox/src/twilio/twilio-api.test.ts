import { beforeEach, describe, expect, it } from '@jest/globals';
import { askTwilio, basic, twilioRoom, type TwilioRoom } from '../../test/twilio-room.ts';
import { sandboxWorld, type SandboxWorld } from '../../test/sandbox-world.ts';

const contact = '+15550001111';

describe('the stand-in for Twilio', () => {
  let world: SandboxWorld;
  let main: { accountSid: string; authToken: string };
  let acme: TwilioRoom;
  let globex: TwilioRoom;

  beforeEach(async () => {
    world = sandboxWorld();
    const { json } = await world.ask('POST', '/sandbox/twilio/accounts', {});
    main = { accountSid: String(json['accountSid']), authToken: String(json['authToken']) };
    acme = await twilioRoom(world, { mainAccountSid: main.accountSid });
    globex = await twilioRoom(world, { mainAccountSid: main.accountSid });
  });

  const asMain = (): [string, string] => [main.accountSid, main.authToken];

  describe('at the door', () => {
    const refused = { status: 401, json: { code: 20003, status: 401, more_info: 'https://www.twilio.com/docs/errors/20003' } };

    it('knows an account by its SID and token, and refuses all else with 20003', async () => {
      expect((await acme.call('GET', '.json')).json).toMatchObject({ sid: acme.accountSid, owner_account_sid: main.accountSid });
      expect(await acme.call('GET', '.json', undefined, [acme.accountSid, 'wrong'])).toMatchObject(refused);
      expect(await world.ask('GET', `/twilio/2010-04-01/Accounts/${acme.accountSid}.json`)).toMatchObject(refused);
      expect(await acme.call('GET', '.json', undefined, [globex.accountSid, globex.authToken])).toMatchObject(refused);
    });

    it('lets a parent into its subaccounts, and a subaccount into nothing but itself', async () => {
      expect((await acme.call('GET', '.json', undefined, asMain())).status).toBe(200);
      expect(await askTwilio(world, 'GET', `/2010-04-01/Accounts/${main.accountSid}.json`, [acme.accountSid, acme.authToken])).toMatchObject(refused);
      expect(await askTwilio(world, 'POST', '/2010-04-01/Accounts.json', [acme.accountSid, acme.authToken], { FriendlyName: 'x' })).toMatchObject({ status: 403, json: { code: 20003 } });
    });

    it('lets a key into its own account\'s messages, and into neither accounts, keys nor subaccounts', async () => {
      const { json } = await acme.call('POST', '/Keys.json', { FriendlyName: 'hub' });
      const key: [string, string] = [String(json['sid']), String(json['secret'])];
      const { json: made } = await askTwilio(world, 'POST', `/2010-04-01/Accounts/${main.accountSid}/Keys.json`, asMain());
      expect((await acme.call('GET', '/Messages.json', undefined, key)).status).toBe(200);
      expect(await acme.call('GET', '.json', undefined, key)).toMatchObject({ status: 403 });
      expect(await acme.call('GET', '/Keys.json', undefined, key)).toMatchObject({ status: 403 });
      expect(await acme.call('GET', '/Messages.json', undefined, [String(made['sid']), String(made['secret'])])).toMatchObject(refused);
      expect(await globex.call('GET', '/Messages.json', undefined, key)).toMatchObject(refused);
    });

    it('acts on the caller\'s own account at the products\' hosts, whoever that is', async () => {
      await acme.control('POST', '/services', { friendlyName: 'Acme' });
      expect((await askTwilio(world, 'GET', '/v1/Services', [acme.accountSid, acme.authToken])).json['services']).toHaveLength(1);
      expect((await askTwilio(world, 'GET', '/v1/Services', asMain())).json['services']).toHaveLength(0);
    });

    it('takes both tokens while there are two, and the old one no more once the second is promoted', async () => {
      const own: [string, string] = [acme.accountSid, acme.authToken];
      const { json } = await askTwilio(world, 'POST', '/v1/AuthTokens/Secondary', own);
      const secondary: [string, string] = [acme.accountSid, String(json['secondary_auth_token'])];
      expect((await acme.call('GET', '.json', undefined, secondary)).status).toBe(200);
      await acme.control('POST', '/receive', { from: contact, to: acme.phoneNumber, text: 'no URL yet' });
      await acme.call('POST', `/IncomingPhoneNumbers/${acme.numberSid}.json`, { SmsUrl: 'https://hub.test/sms' });
      await acme.control('POST', '/receive', { from: contact, to: acme.phoneNumber, text: 'signed by the first' });
      await askTwilio(world, 'POST', '/v1/AuthTokens/Promote', own);
      await acme.control('POST', '/receive', { from: contact, to: acme.phoneNumber, text: 'signed by the second' });
      expect(await acme.call('GET', '.json')).toMatchObject(refused);
      expect(world.sender.sent.map(({ proof }) => proof?.secret)).toEqual([acme.authToken, secondary[1]]);
    });

    it.each([
      ['a parameter that Twilio does not have', { To: contact, From: 'x', Text: 'Hi' }, 20001],
      ['a URL that is none', { To: contact, Body: 'Hi', StatusCallback: 'hub.test/x' }, 21609],
      ['a host with an underscore for callbacks', { To: contact, Body: 'Hi', StatusCallback: 'https://a_b.test/x' }, 21609],
      ['nobody to send to', { Body: 'Hi' }, 21604],
      ['nobody to send from', { To: contact, Body: 'Hi' }, 21603],
    ])('refuses %s with 400', async (_what, form, code) => {
      expect(await acme.call('POST', '/Messages.json', form)).toMatchObject({ status: 400, json: { code, status: 400 } });
    });
  });

  describe('subaccounts and numbers', () => {
    it('suspends, reopens and closes only at a parent\'s word; a suspended one sends and hears nothing', async () => {
      expect(await acme.call('POST', '.json', { Status: 'suspended' })).toMatchObject({ status: 403 });
      await acme.call('POST', '.json', { Status: 'suspended' }, asMain());
      expect(await acme.call('POST', '/Messages.json', { To: contact, From: acme.phoneNumber, Body: 'Hi' })).toMatchObject({ status: 403, json: { code: 30002 } });
      expect((await acme.control('POST', '/receive', { from: contact, to: acme.phoneNumber, text: 'Hi' })).json).toMatchObject({ messageSid: null, note: expect.stringContaining('suspended') });
      await acme.call('POST', '.json', { Status: 'active' }, asMain());
      expect((await acme.call('POST', '/Messages.json', { To: contact, From: acme.phoneNumber, Body: 'Hi' })).status).toBe(201);
      await acme.call('POST', '.json', { Status: 'closed' }, asMain());
      expect(await acme.call('GET', '.json')).toMatchObject({ status: 401 });
      expect(await acme.call('POST', '.json', { Status: 'active' }, asMain())).toMatchObject({ status: 400 });
    });

    it('sells a number once, finds it by itself, and moves it between a parent\'s accounts', async () => {
      const { json: bought } = await askTwilio(world, 'POST', `/2010-04-01/Accounts/${main.accountSid}/IncomingPhoneNumbers.json`, asMain(), { PhoneNumber: '+14155550100', SmsUrl: 'https://hub.test/sms' });
      expect(await acme.call('POST', '/IncomingPhoneNumbers.json', { PhoneNumber: '+14155550100' })).toMatchObject({ status: 400, json: { code: 21422 } });
      const path = `/2010-04-01/Accounts/${main.accountSid}/IncomingPhoneNumbers/${String(bought['sid'])}.json`;
      expect((await askTwilio(world, 'POST', path, asMain(), { AccountSid: acme.accountSid })).json).toMatchObject({ account_sid: acme.accountSid, sms_url: 'https://hub.test/sms' });
      expect(await askTwilio(world, 'GET', path, asMain())).toMatchObject({ status: 404, json: { code: 20404 } });
      const found = await acme.call('GET', '/IncomingPhoneNumbers.json', { PhoneNumber: '+14155550100' });
      expect(found.json['incoming_phone_numbers']).toMatchObject([{ sid: bought['sid'], phone_number: '+14155550100' }]);
      expect(await acme.call('POST', `/IncomingPhoneNumbers/${String(bought['sid'])}.json`, { AccountSid: globex.accountSid })).toMatchObject({ status: 400 });
    });

    it('writes what a number has not set as Twilio does: empty for messages and status, null for calls', async () => {
      const bought = await acme.call('POST', '/IncomingPhoneNumbers.json', { PhoneNumber: '+14155550100' });
      expect(bought).toMatchObject({ status: 201, json: { sms_url: '', sms_fallback_url: '', sms_application_sid: '', voice_application_sid: '', status_callback: '', voice_url: null, voice_fallback_url: null, trunk_sid: null } });
    });

    it('takes a content only with what its type must have, and with nothing that it does not know', async () => {
      const create = (types: unknown) => world.ask('POST', '/twilio/v1/Content', { language: 'en', types }, basic([acme.accountSid, acme.authToken]));
      const items = [{ id: 'y', item: 'Yes', description: 'Of course' }];
      expect((await create({ 'twilio/list-picker': { body: 'Well?', button: 'Options', items } })).status).toBe(201);
      expect((await create({ 'twilio/location': { latitude: 39.7, longitude: 104.9, label: 'Here' } })).status).toBe(201);
      expect((await create({ 'twilio/media': { media: ['https://hub.test/a.png'] } })).status).toBe(201);
      for (const wrong of [
        { 'twilio/list-picker': { body: 'Well?', items } },
        { 'twilio/list-picker': { body: 'Well?', button: 'Options', items: [{ id: 'y' }] } },
        { 'twilio/list-picker': { body: 'Well?', button: 'Options', items, footer: 'x' } },
        { 'twilio/quick-reply': { body: 'Well?', actions: [{ title: 'Yes', colour: 'red' }] } },
        { 'twilio/call-to-action': { body: 'Well?', actions: [{ type: 'URL', url: 'https://hub.test' }] } },
        { 'twilio/location': { latitude: '39.7', longitude: 104.9 } },
      ])
        expect(await create(wrong)).toMatchObject({ status: 400, json: { code: 20001 } });
    });

    it('answers lists in pages that lead on', async () => {
      for (const text of ['a', 'b', 'c']) await acme.control('POST', '/receive', { from: contact, to: acme.phoneNumber, text });
      const first = await acme.call('GET', '/Messages.json', { PageSize: '2', From: contact });
      expect(first.json).toMatchObject({ page: 0, page_size: 2, previous_page_uri: null, messages: [{ body: 'c' }, { body: 'b' }] });
      const second = await askTwilio(world, 'GET', String(first.json['next_page_uri']), [acme.accountSid, acme.authToken]);
      expect(second.json).toMatchObject({ page: 1, next_page_uri: null, messages: [{ body: 'a' }] });
      expect((await globex.call('GET', '/Messages.json')).json['messages']).toEqual([]);
    });
  });

  describe('files', () => {
    const png = Buffer.from('png');

    const received = async () => {
      await acme.call('POST', `/IncomingPhoneNumbers/${acme.numberSid}.json`, { SmsUrl: 'https://hub.test/sms' });
      await acme.control('POST', '/receive', { from: contact, to: acme.phoneNumber, media: [{ mimeType: 'image/png', base64: png.toString('base64') }] });
      return new URL(String(new URLSearchParams(world.sender.sent[0]?.body).get('MediaUrl0'))).pathname;
    };
    const own = () => ({ authorization: `Basic ${Buffer.from(`${acme.accountSid}:${acme.authToken}`).toString('base64')}` });

    it('are open unless the account asks for credentials', async () => {
      const path = await received();
      expect(await world.ask('GET', path)).toMatchObject({ status: 200, text: 'png', headers: { 'content-type': 'image/png' } });
      await acme.control('PATCH', '', { mediaAuth: true });
      expect(await world.ask('GET', path)).toMatchObject({ status: 401 });
      expect(await world.ask('GET', path, undefined, own())).toMatchObject({ status: 200, text: 'png' });
    });

    it('lead to another host, which refuses the credentials of the first, when told so', async () => {
      const path = await received();
      await acme.control('PATCH', '', { mediaRedirect: 'http://files.test:3020' });
      const first = await world.ask('GET', path, undefined, own());
      expect(first).toMatchObject({ status: 307, headers: { location: expect.stringContaining('http://files.test:3020/twilio/files/') } });
      const target = new URL(String(first.headers['location'])).pathname;
      expect(await world.ask('GET', target, undefined, own())).toMatchObject({ status: 400 });
      expect(await world.ask('GET', target)).toMatchObject({ status: 200, text: 'png' });
    });
  });

  it('counts usage from what went through, by category and day, without a parent\'s other accounts when told so', async () => {
    await acme.call('POST', '/Messages.json', { To: contact, From: acme.phoneNumber, Body: 'x'.repeat(161) });
    await acme.control('POST', '/receive', { from: contact, to: acme.phoneNumber, text: 'Hi' });
    await globex.call('POST', '/Messages.json', { To: contact, From: globex.phoneNumber, Body: 'Hi' });
    await world.life.settled();
    const records = async (form: Record<string, string>, sid = acme.accountSid) => (await askTwilio(world, 'GET', `/2010-04-01/Accounts/${sid}/Usage/Records.json`, asMain(), form)).json['usage_records'];
    const outbound = { Category: 'sms-outbound' };
    expect(await records(outbound)).toMatchObject([{ count: '1', usage: '2', usage_unit: 'segments', price: '0.01580', price_unit: 'usd', start_date: '2026-11-21', end_date: '2026-11-21' }]);
    expect(await records({ Category: 'sms' })).toMatchObject([{ count: '2', usage: '3' }]);
    await acme.control('POST', '/receive', { from: `whatsapp:${contact}`, to: acme.phoneNumber, text: 'Oi' });
    expect(await records({ Category: 'channels-messaging-inbound' })).toMatchObject([{ count: '1', usage: '1', usage_unit: 'messages' }]);
    expect(await records({ Category: 'channels-whatsapp' })).toMatchObject([{ count: '0' }]);
    expect(await records({ ...outbound, StartDate: '2026-11-01', EndDate: '2026-11-20' })).toMatchObject([{ count: '0', price: '0.00000' }]);
    expect(await records(outbound, main.accountSid)).toMatchObject([{ count: '2', usage: '3' }]);
    expect(await records({ ...outbound, IncludeSubaccounts: 'false' }, main.accountSid)).toMatchObject([{ count: '0' }]);
  });

  it('shows what it was sent with no token and no secret in it', async () => {
    await acme.call('POST', '/Keys.json', { FriendlyName: 'hub' });
    await acme.call('POST', '/Messages.json', { To: contact, From: acme.phoneNumber, Body: 'Hi' });
    const shown = await Promise.all(['', '/received', '/messages', '/deliveries', '/calls'].map((path) => acme.control('GET', path)));
    const text = shown.map((one) => one.text).join('');
    expect(shown[1]?.json['data']).toMatchObject([{ path: expect.stringContaining('/Keys.json'), by: acme.accountSid, status: 201 }, { parameters: { To: contact, Body: 'Hi' }, status: 201 }]);
    expect(text).not.toContain(acme.authToken);
    expect(text).not.toMatch(/"secret"|"authToken"/);
  });
});
