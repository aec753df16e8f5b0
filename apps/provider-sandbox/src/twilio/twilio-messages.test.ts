import { beforeEach, describe, expect, it } from '@jest/globals';
import { basic, officialClient, twilioRoom, type TwilioRoom } from '../../test/twilio-room.ts';
import { sandboxWorld, type SandboxWorld } from '../../test/sandbox-world.ts';
import { countSegments } from './count-segments.ts';

const contact = '+15550001111';
const whatsApp = 'whatsapp:+5511912345678';
const callback = 'https://hub.test/webhooks/twilio/con_1/status?account=x&m=msg_1#rc=3&rp=all';

describe('messages at the stand-in for Twilio', () => {
  let world: SandboxWorld;
  let acme: TwilioRoom;

  beforeEach(async () => {
    world = sandboxWorld();
    acme = await twilioRoom(world, { receipts: 'read' });
    await acme.call('POST', `/IncomingPhoneNumbers/${acme.numberSid}.json`, { SmsUrl: 'https://hub.test/sms?account=x#rc=3&rp=all' });
  });

  const forms = () => world.sender.sent.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
  const send = (form: Record<string, string>) => acme.call('POST', '/Messages.json', { To: contact, From: acme.phoneNumber, Body: 'Hi', StatusCallback: callback, ...form });
  const sendWhatsApp = (form: Record<string, string> = {}) => send({ To: whatsApp, From: `whatsapp:${acme.phoneNumber}`, ...form });
  const receive = (given: Record<string, unknown>) => acme.control('POST', '/receive', { from: contact, to: acme.phoneNumber, ...given });
  const setSenderUrl = () => world.ask('POST', `/twilio/v2/Channels/Senders/${acme.senderSid}`, { webhook: { callback_url: 'https://hub.test/wa' } }, basic([acme.accountSid, acme.authToken]));
  const statuses = async () => {
    await world.life.settled();
    return forms().map((form) => [form['MessageStatus'], form['ErrorCode']].filter(Boolean).join(' '));
  };

  describe('that the hub sends', () => {
    it('go through the official client, and their callbacks come in time, signed, with the query and without the fragment', async () => {
      const { client } = officialClient(world, [acme.accountSid, acme.authToken]);
      const message = await client.messages.create({ to: contact, from: acme.phoneNumber, body: 'Hi', statusCallback: callback });
      expect(message).toMatchObject({ status: 'queued', numSegments: '1', price: null, direction: 'outbound-api', accountSid: acme.accountSid });
      expect(await statuses()).toEqual(['queued', 'sent', 'delivered']);
      expect(forms()[2]).toMatchObject({ MessageSid: message.sid, SmsStatus: 'delivered', AccountSid: acme.accountSid, From: acme.phoneNumber, To: contact, RawDlrDoneDate: '2611210900' });
      expect(world.sender.sent[0]).toMatchObject({ url: 'https://hub.test/webhooks/twilio/con_1/status?account=x&m=msg_1', proof: { secret: acme.authToken } });
      expect(await client.messages(message.sid).fetch()).toMatchObject({ status: 'delivered', price: '-0.00790' });
    });

    it('are read on WhatsApp, in the channel\'s own words', async () => {
      await receive({ from: whatsApp, text: 'Oi' });
      await sendWhatsApp();
      expect(await statuses()).toEqual(['queued', 'sent', 'delivered', 'read']);
      expect(forms()[3]).toMatchObject({ EventType: 'READ', ChannelPrefix: 'whatsapp', ChannelInstallSid: acme.senderSid, ChannelToAddress: '+5511912345678' });
    });

    it.each([
      ['to no number', { To: '5550001111' }, 21211],
      ['from a number of somebody else', { From: '+15005550099' }, 21606],
      ['on WhatsApp from a number that is no sender', { To: whatsApp, From: 'whatsapp:+15005550099' }, 63007],
      ['from one channel to another', { To: whatsApp }, 21910],
      ['of 1601 characters', { Body: 'x'.repeat(1601) }, 21617],
      ['of nothing', { Body: '' }, 21619],
      ['by a content that is not there', { Body: '', ContentSid: `HX${'0'.repeat(32)}` }, 21655],
    ])('are refused %s', async (_how, form, code) => {
      expect(await send(form)).toMatchObject({ status: 400, json: { code, more_info: `https://www.twilio.com/docs/errors/${code}` } });
    });

    it('are refused from a WhatsApp sender until it is online', async () => {
      await acme.control('PATCH', `/senders/${acme.senderSid}`, { status: 'VERIFYING' });
      expect((await sendWhatsApp()).json).toMatchObject({ code: 63007 });
    });

    it('are taken outside WhatsApp\'s 24 hours and then undelivered with 63016, but for an approved template', async () => {
      await receive({ from: whatsApp, text: 'Oi' });
      world.clock.now = new Date('2026-11-22T09:00:01.000Z');
      expect((await sendWhatsApp()).status).toBe(201);
      expect(await statuses()).toEqual(['queued', 'undelivered 63016']);
      const { json } = await acme.control('POST', '/contents', { types: { 'twilio/text': { body: 'Hi {{1}}' } }, variables: { 1: 'you' } });
      expect((await sendWhatsApp({ Body: '', ContentSid: String(json['contentSid']), ContentVariables: '{"1":"Zoe"}' })).json).toMatchObject({ body: 'Hi Zoe' });
      expect((await statuses()).slice(2)).toEqual(['queued', 'sent', 'delivered', 'read']);
    });

    it('meet the fate that they were told, once, also before the answer to the call', async () => {
      await acme.control('POST', '/fates', { to: contact, statuses: ['queued', 'failed'], errorCode: 30007, early: true });
      const { json } = await send({});
      expect(forms().map((form) => form['MessageStatus'])).toEqual(['queued', 'failed']);
      expect((await acme.call('GET', `/Messages/${String(json['sid'])}.json`)).json).toMatchObject({ status: 'failed', error_code: 30007, price: null });
      await send({});
      expect((await statuses()).slice(2)).toEqual(['queued', 'sent', 'delivered']);
    });

    it('take their media along, and fail where those cannot be fetched', async () => {
      await send({ MediaUrl: 'https://hub.test/gone.png' });
      expect(await statuses()).toEqual(['queued', 'failed 21620']);
    });

    it('go from a service\'s pool, with its callback where the message has none', async () => {
      const { json } = await acme.control('POST', '/services', { pool: [acme.numberSid], settings: { StatusCallback: 'https://hub.test/service' } });
      const made = await acme.call('POST', '/Messages.json', { To: contact, MessagingServiceSid: String(json['messagingServiceSid']), Body: 'Hi' });
      expect(made.json).toMatchObject({ status: 'accepted', from: acme.phoneNumber });
      await world.life.settled();
      expect(new Set(world.sender.sent.map(({ url }) => url))).toEqual(new Set(['https://hub.test/service']));
      expect(forms()[0]).toMatchObject({ MessagingServiceSid: json['messagingServiceSid'] });
    });
  });

  it('wait for their time, and can be taken back until then', async () => {
    const { json } = await acme.control('POST', '/services', { pool: [acme.numberSid] });
    const form = { To: contact, MessagingServiceSid: String(json['messagingServiceSid']), Body: 'Later', ScheduleType: 'fixed', SendAt: '2026-11-21T10:00:00Z' };
    const made = await acme.call('POST', '/Messages.json', form);
    expect(made.json).toMatchObject({ status: 'scheduled', date_sent: null });
    expect((await acme.call('POST', `/Messages/${String(made.json['sid'])}.json`, { Status: 'canceled' })).json).toMatchObject({ status: 'canceled' });
    expect(await acme.call('POST', '/Messages.json', { ...form, SendAt: '2026-11-21T09:01:00Z' })).toMatchObject({ status: 400, json: { code: 35114 } });
  });

  describe('that a contact sends', () => {
    it('come as SMS with all that Twilio says, and again as they were', async () => {
      const first = await receive({ text: ' Hi ', extra: { NewField: 'x' } });
      expect(first.json).toMatchObject({ attempts: [200], deliveries: [{ kind: 'message', error: null }] });
      await receive({ messageSid: first.json['messageSid'] });
      expect(forms()[0]).toMatchObject({ MessageSid: first.json['messageSid'], SmsStatus: 'received', Body: ' Hi ', From: contact, To: acme.phoneNumber, NumMedia: '0', NumSegments: '1', FromCity: '', FromCountry: 'US', ApiVersion: '2010-04-01', NewField: 'x' });
      expect(forms()[1]).toMatchObject({ MessageSid: first.json['messageSid'], Body: ' Hi ' });
      expect((await acme.call('GET', '/Messages.json')).json['messages']).toHaveLength(1);
    });

    it.each([
      ['text', { text: 'Oi', name: 'Zoe' }, { MessageType: 'text', WaId: '5511912345678', ProfileName: 'Zoe', ReferralNumMedia: '0' }],
      ['a place', { location: { latitude: -23.55, longitude: -46.63, label: 'Cafe Azul' } }, { MessageType: 'location', Latitude: '-23.55', Label: 'Cafe Azul', Body: '' }],
      ['a button', { button: { text: 'Confirm', payload: 'CONFIRM_42' } }, { MessageType: 'interactive', ButtonText: 'Confirm', ButtonPayload: 'CONFIRM_42', Body: 'Confirm' }],
      ['an ad', { text: 'Oi', referral: { Body: 'Spring sale', SourceType: 'ad' } }, { ReferralBody: 'Spring sale', ReferralSourceType: 'ad' }],
    ])('come from WhatsApp: %s', async (_what, given, expected) => {
      await setSenderUrl();
      await receive({ from: whatsApp, ...given });
      expect(forms()[0]).toMatchObject({ From: whatsApp, To: `whatsapp:${acme.phoneNumber}`, ...expected });
    });

    it('come from a contact without a number, who has no WaId then', async () => {
      await setSenderUrl();
      await receive({ from: 'whatsapp:US.1234', externalUserId: 'whatsapp:US.1234', text: 'Hi' });
      expect(forms()[0]).toMatchObject({ From: 'whatsapp:US.1234', ExternalUserId: 'whatsapp:US.1234' });
      expect(forms()[0]).not.toHaveProperty('WaId');
    });

    it('come to the service\'s URL where the number is in one, are lost where it has none, and come to the number\'s where it says so', async () => {
      const { json } = await acme.control('POST', '/services', { pool: [acme.numberSid] });
      expect((await receive({ text: 'lost' })).json).toMatchObject({ messageSid: null, note: expect.stringContaining('dropped') });
      const sid = String(json['messagingServiceSid']);
      const update = (form: Record<string, string>) => officialClient(world, [acme.accountSid, acme.authToken]).client.messaging.v1.services(sid).update(form);
      await update({ inboundRequestUrl: 'https://hub.test/service' });
      await receive({ text: 'to the service' });
      await officialClient(world, [acme.accountSid, acme.authToken]).client.messaging.v1.services(sid).update({ useInboundWebhookOnNumber: true });
      await receive({ text: 'to the number' });
      expect(world.sender.sent.map(({ url }) => url)).toEqual(['https://hub.test/service', 'https://hub.test/sms?account=x']);
      expect(forms().map((form) => form['MessagingServiceSid'])).toEqual([sid, sid]);
    });

    it('go to the fallback URL with the error where the first one fails', async () => {
      await acme.call('POST', `/IncomingPhoneNumbers/${acme.numberSid}.json`, { SmsFallbackUrl: 'https://hub.test/fallback' });
      world.sender.answers = [500, 500, 500, 500, 200];
      expect((await receive({ text: 'Hi' })).json).toMatchObject({ attempts: [500, 500, 500, 500, 200] });
      expect(world.sender.sent.map(({ url }) => url)).toEqual(['https://hub.test/sms?account=x', 'https://hub.test/fallback']);
      expect(forms()[1]).toMatchObject({ ErrorCode: '11200', ErrorUrl: 'https://hub.test/sms?account=x' });
    });

    it('are answered to the contact by plain text and by <Message>, and by nothing else', async () => {
      const replies = async () => ((await acme.control('GET', '/messages?direction=outbound-reply')).json['data'] as { body: string }[]).map(({ body }) => body); // the control route's form
      world.sender.reply = () => ({ contentType: 'text/xml', body: '<?xml version="1.0" encoding="UTF-8"?><Response/>' });
      await receive({ text: 'one' });
      expect(await replies()).toEqual([]);
      world.sender.reply = () => ({ contentType: 'text/plain; charset=utf-8', body: 'OK' });
      await receive({ text: 'two' });
      world.sender.reply = () => ({ contentType: 'text/xml', body: '<Response><Message>Hi &amp; bye</Message></Response>' });
      await receive({ text: 'three' });
      expect(await replies()).toEqual(['OK', 'Hi & bye']);
      world.sender.reply = () => ({ contentType: 'application/json', body: '{}' });
      expect((await receive({ text: 'four' })).json).toMatchObject({ deliveries: [{ error: expect.stringMatching(/^12300/) }] });
    });

    it('end messages to them by STOP, for SMS and that number alone, until START', async () => {
      await receive({ text: ' stop ' });
      expect((await send({})).json).toMatchObject({ code: 21610 });
      expect((await send({ To: '+15550002222' })).status).toBe(201);
      await receive({ from: whatsApp, text: 'STOP' });
      expect((await sendWhatsApp()).status).toBe(201);
      await receive({ text: 'START' });
      expect((await send({})).status).toBe(201);
      await acme.control('PATCH', '', { advancedOptOut: true });
      await receive({ text: 'Help' });
      expect(forms().find((form) => form['OptOutType'])).toMatchObject({ OptOutType: 'HELP', Body: 'Help' });
    });
  });

  it('have as many parts as Twilio counts', () => {
    expect(['x'.repeat(160), 'x'.repeat(161), '€'.repeat(81), 'ж'.repeat(70), 'ж'.repeat(71), '👋'.repeat(36)].map(countSegments)).toEqual([1, 2, 2, 1, 2, 2]);
  });
});
