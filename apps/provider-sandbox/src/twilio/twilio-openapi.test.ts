import { beforeAll, describe, expect, it } from '@jest/globals';
import { sandboxWorld, type SandboxWorld } from '../../test/sandbox-world.ts';
import { description, findFaults, libraryFacts } from '../../test/twilio-description.ts';
import { officialClient, twilioRoom, type TwilioRoom } from '../../test/twilio-room.ts';
import { findRoute } from '../exchange.ts';
import { twilioRoutes } from './twilio-api.ts';

type Seen = { operation: string; method: string; url: string; status: number; body: unknown };

const twiml = '<?xml version="1.0" encoding="UTF-8"?><Response><Say language="en-US">Hi</Say><Record action="/after" recordingStatusCallback="/recording" transcribe="true" transcribeCallback="/transcription"/></Response>';

describe('the stand-in beside Twilio\'s published description', () => {
  describe('of its requests', () => {
    it.each(twilioRoutes.map((route) => [route.operation, route] as const))('%s takes what the description names, as it names it, and nothing else', (operation, { parameters = {} }) => {
      const described = description.operations[operation];
      if (described === undefined) throw new Error(`${operation} is not described`);
      expect(parameters).toEqual(described.request.parameters);
    });

    it.each(Object.entries(description.operations))('%s says nothing that the published library does not', (_name, operation) => {
      const facts = libraryFacts(operation.package);
      // Contents and senders go as whole JSON objects there, and an account's number of a page is set by its base class.
      const isWhole = operation.package.startsWith('content/') || operation.package === 'messaging/v2/channelsSender';
      const names = Object.keys(operation.request.parameters);
      expect(isWhole ? [] : names.filter((name) => !facts.parameters.has(name))).toEqual([]);
      const schema = operation.response.schema;
      if (schema === undefined) return;
      const known = { ...description.schemas[schema], ...description.packageOnly[schema] };
      expect([...facts.properties].filter((name) => known[name] === undefined)).toEqual([]);
    });
  });

  describe('of its answers, asked by the official library', () => {
    let world: SandboxWorld;
    let acme: TwilioRoom;
    const seen: Seen[] = [];

    beforeAll(async () => {
      world = sandboxWorld();
      world.sender.reply = ({ url }) => (url.includes('/voice') || url.includes('/after') ? { contentType: 'text/xml', body: url.includes('/after') ? '<Response><Hangup/></Response>' : twiml } : { contentType: '', body: '' });
      const main = await world.ask('POST', '/sandbox/twilio/accounts', {});
      acme = await twilioRoom(world, { mainAccountSid: main.json['accountSid'], receipts: 'read' });
      const parent = officialClient(world, [String(main.json['accountSid']), String(main.json['authToken'])]);
      const own = officialClient(world, [acme.accountSid, acme.authToken]);
      await everything(parent.client, own.client);
      for (const exchange of [...parent.exchanges, ...own.exchanges]) {
        const path = new URL(exchange.url, 'http://x').pathname.replace(/^\/twilio/, '');
        const found = findRoute(twilioRoutes, exchange.method, path);
        if (found === undefined) throw new Error(`no route for ${exchange.method} ${path}`);
        seen.push({ operation: found.route.operation, ...exchange });
      }
    });

    type Client = ReturnType<typeof officialClient>['client'];

    async function everything(parent: Client, own: Client): Promise<void> {
      const child = await parent.api.v2010.accounts.create({ friendlyName: 'switchboard con_9' });
      await parent.api.v2010.accounts.list({ friendlyName: 'switchboard con_9' });
      await parent.api.v2010.accounts(child.sid).fetch();
      await parent.api.v2010.accounts(child.sid).update({ status: 'suspended' });
      await accounts(own);
      await numbersAndServices(own);
      await messages(own);
      await calls(own);
      await contentsAndSenders(own);
    }

    async function accounts(own: Client): Promise<void> {
      const key = await own.newKeys.create({ friendlyName: 'hub' });
      expect(key.secret).toMatch(/^[0-9a-f]{32}$/);
      await own.keys.list();
      await own.keys(key.sid).fetch();
      await own.keys(key.sid).remove();
      await own.accounts.v1.secondaryAuthToken().create();
      await own.accounts.v1.secondaryAuthToken().remove();
    }

    async function numbersAndServices(own: Client): Promise<void> {
      const available = own.availablePhoneNumbers('US');
      await Promise.all([available.local.page({ pageSize: 2 }), available.mobile.page({ pageSize: 2 }), available.tollFree.page({ pageSize: 2 })]);
      const bought = await own.incomingPhoneNumbers.create({ areaCode: '415', smsUrl: 'https://hub.test/sms', voiceUrl: 'https://hub.test/voice' });
      await own.incomingPhoneNumbers.list({ phoneNumber: bought.phoneNumber });
      expect(await own.incomingPhoneNumbers(bought.sid).update({ voiceCallerIdLookup: true, statusCallback: 'https://hub.test/status' })).toMatchObject({ voiceCallerIdLookup: true, smsUrl: 'https://hub.test/sms' });
      await own.incomingPhoneNumbers(acme.numberSid).update({ voiceUrl: 'https://hub.test/voice', statusCallback: 'https://hub.test/status' });
      const { services } = own.messaging.v1;
      const service = await services.create({ friendlyName: 'Pool', inboundRequestUrl: 'https://hub.test/sms' });
      await services.list();
      await services(service.sid).update({ useInboundWebhookOnNumber: true });
      expect(await services(service.sid).fetch()).toMatchObject({ useInboundWebhookOnNumber: true, validityPeriod: 36_000 });
      await services(service.sid).phoneNumbers.create({ phoneNumberSid: bought.sid });
      await services(service.sid).phoneNumbers.list();
      await services(service.sid).phoneNumbers(bought.sid).fetch();
      await services(service.sid).phoneNumbers(bought.sid).remove();
      await acme.control('POST', '/services', { pool: [acme.senderSid], settings: { UseInboundWebhookOnNumber: 'true' } });
      for (const one of await services.list()) await services(one.sid).channelSenders.list();
      await services(service.sid).remove();
      await own.incomingPhoneNumbers(bought.sid).fetch();
      await own.incomingPhoneNumbers(bought.sid).remove();
    }

    async function messages(own: Client): Promise<void> {
      world.files.set('https://hub.test/a.png', { contentType: 'image/png', bytes: Buffer.from('png') });
      const sent = await own.messages.create({ to: '+15550001111', from: acme.phoneNumber, body: 'Olá', mediaUrl: ['https://hub.test/a.png'] });
      await world.life.settled();
      await own.messages.list({ to: '+15550001111', dateSentAfter: new Date('2026-11-20T00:00:00Z'), limit: 5 });
      await own.messages(sent.sid).fetch();
      const [media] = await own.messages(sent.sid).media.list();
      expect(media).toMatchObject({ contentType: 'image/png' });
      await own.messages(sent.sid).media(media?.sid ?? '').fetch();
      await own.messages(sent.sid).media(media?.sid ?? '').remove();
      await own.messages(sent.sid).update({ body: '' });
      await own.messages(sent.sid).remove();
    }

    async function calls(own: Client): Promise<void> {
      const { json } = await acme.control('POST', '/call', { from: '+15550001111', to: acme.phoneNumber, seconds: 61 });
      expect(await own.calls(String(json['callSid'])).fetch()).toMatchObject({ status: 'completed', duration: '63' });
      const [recording] = await own.recordings.list({ callSid: String(json['callSid']) });
      expect(await own.recordings(recording?.sid ?? '').fetch()).toMatchObject({ duration: '61', channels: 1, source: 'RecordVerb' });
      await own.recordings(recording?.sid ?? '').remove();
      const { records } = own.usage;
      expect(await records.list({ category: 'calls-inbound', startDate: new Date('2026-11-01T00:00:00Z'), endDate: new Date('2026-11-21T00:00:00Z') })).toMatchObject([{ count: '1', usage: '2', price: '0.01700', usageUnit: 'minutes' }]);
      const all = { category: 'totalprice' };
      await Promise.all([records.daily.page(all), records.monthly.page(all), records.yearly.page(all), records.allTime.page(all), records.thisMonth.page(all), records.lastMonth.page(all), records.today.page(all), records.yesterday.page(all)]);
    }

    async function contentsAndSenders(own: Client): Promise<void> {
      const { contents } = own.content.v1;
      // The casts are safe: the library sends what it gets, in the names of the API, which its types have in camel case.
      const content = await contents.create({ friendly_name: 'choice', language: 'en', variables: { 1: 'Zoe' }, types: { 'twilio/quick-reply': { body: 'Hi {{1}}', actions: [{ type: 'QUICK_REPLY', title: 'Yes', id: 'y' }] } } } as unknown as Parameters<typeof contents.create>[0]);
      await contents.list();
      expect(await own.content.v2.contents.list({ contentName: '^cho' })).toMatchObject([{ sid: content.sid, friendlyName: 'choice' }]);
      await contents(content.sid).fetch();
      await contents(content.sid).remove();
      const { channelsSenders } = own.messaging.v2;
      const sender = await channelsSenders.create({ sender_id: 'whatsapp:+15005550199', webhook: { callback_url: 'https://hub.test/wa', callback_method: 'POST' } } as unknown as Parameters<typeof channelsSenders.create>[0]);
      await channelsSenders.list({ channel: 'whatsapp' });
      await channelsSenders(sender.sid).update({ webhook: { callback_url: 'https://hub.test/wa2' } } as unknown as Parameters<ReturnType<typeof channelsSenders>['update']>[0]);
      expect(await channelsSenders(sender.sid).fetch()).toMatchObject({ status: 'CREATING', webhook: { callbackUrl: 'https://hub.test/wa2', callbackMethod: 'POST' } });
      await channelsSenders(sender.sid).remove();
      await acme.control('POST', '/receive', { from: 'whatsapp:+5511912345678', to: acme.phoneNumber, text: 'Oi' });
      const [inbound] = await own.messages.list({ from: 'whatsapp:+5511912345678' });
      expect(await own.messaging.v2.typingIndicator.create({ channel: 'whatsapp', messageId: inbound?.sid ?? '' })).toMatchObject({ success: true });
      await own.accounts.v1.secondaryAuthToken().create();
      await own.accounts.v1.authTokenPromotion().update();
    }

    it('carries out every operation that it has', () => {
      const done = new Set(seen.map(({ operation }) => operation));
      expect(twilioRoutes.map(({ operation }) => operation).filter((operation) => !done.has(operation))).toEqual([]);
    });

    it('answers each with the status, the fields and the types that are described', () => {
      const faults = seen.flatMap(({ operation, status, body, url }) => {
        const described = description.operations[operation];
        if (described === undefined) return [`${operation} is not described`];
        return [...(status === described.status ? [] : [`${operation} answered ${status} to ${url}`]), ...findFaults(described, body).map((fault) => `${operation}: ${fault}`)];
      });
      expect([...new Set(faults)]).toEqual([]);
    });
  });
});
