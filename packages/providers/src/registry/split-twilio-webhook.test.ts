import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { RawWebhook, WebhookSplit } from '../provider.ts';
import { splitTwilioWebhook, type StoredTwilioWebhook } from './split-twilio-webhook.ts';

const account = `AC${'a1'.repeat(16)}`;
const sid = (prefix: string) => prefix + 'b2'.repeat(16);
const formType = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
const raw = (body: string | Buffer, query = '', headers: RawWebhook['headers'] = formType): RawWebhook => ({ method: 'POST', url: `https://hub.example.test/api/webhooks/sms${query}`, headers, body: Buffer.from(body) });
const form = (fields: Readonly<Record<string, string>>, query = '') => splitTwilioWebhook(raw(new URLSearchParams({ AccountSid: account, ...fields }).toString(), query));

function only(split: WebhookSplit) {
  if (split.kind !== 'parts' || split.parts.length !== 1) throw new Error(`not one part: ${JSON.stringify(split)}`);
  const [part] = split.parts;
  const written = part!.write();
  return { identifiers: part!.routingIdentifiers.map(({ name, value }) => `${name}:${value.replace(account, 'S')}`), related: part!.relatedIdentifiers, ...written, stored: JSON.parse(written.body) as StoredTwilioWebhook };
}

// Samples of the contract, sections 1 to 3, decoded.
const sms = { ApiVersion: '2010-04-01', Body: 'Hi', From: '+15005550111', FromCity: '', FromCountry: 'US', MessageSid: sid('SM'), NumMedia: '0', NumSegments: '1', SmsMessageSid: sid('SM'), SmsSid: sid('SM'), SmsStatus: 'received', To: '+15005550006' };
const whatsapp = { Body: 'Oi', ChannelMetadata: '{"type":"whatsapp"}', From: 'whatsapp:+5511912345678', MessageSid: sid('SM'), MessageType: 'text', ProfileName: 'Zoe', SmsStatus: 'received', To: 'whatsapp:+15005550006', WaId: '5511912345678' };
const status = { ChannelPrefix: 'whatsapp', ErrorCode: '63016', EventType: 'UNDELIVERED', From: 'whatsapp:+15005550006', MessageSid: sid('SM'), MessageStatus: 'undelivered', SmsSid: sid('SM'), SmsStatus: 'undelivered', To: 'whatsapp:+5511912345678' };
const call = { ApiVersion: '2010-04-01', CallSid: sid('CA'), CallStatus: 'ringing', Direction: 'inbound', From: '+15005550111', To: '+15005550006' };
const recording = { CallSid: sid('CA'), RecordingChannels: '1', RecordingDuration: '17', RecordingSid: sid('RE'), RecordingSource: 'RecordVerb', RecordingStatus: 'completed', RecordingUrl: `https://api.twilio.com/2010-04-01/Accounts/${account}/Recordings/${sid('RE')}` };
const transcription = { ...call, TranscriptionSid: sid('TR'), TranscriptionStatus: 'completed', TranscriptionText: 'Hi it\'s Bo, call me back.', RecordingSid: sid('RE'), RecordingUrl: recording.RecordingUrl };

describe('a webhook of Twilio', () => {
  it.each([
    ['an SMS', sms, 'message', ['sender:S/+15005550006', 'account:S'], `message:${sid('SM')}`, '+15005550111'],
    ['an MMS to a service', { ...sms, MessageSid: sid('MM'), MessagingServiceSid: sid('MG') }, 'message', ['sender:S/+15005550006', `service:S/${sid('MG')}`, 'account:S'], `message:${sid('MM')}`, '+15005550111'],
    ['a WhatsApp message', whatsapp, 'message', ['sender:S/+15005550006', 'account:S'], `message:${sid('SM')}`, 'whatsapp:+5511912345678'],
    ['one of a contact without a number', { ...whatsapp, From: 'whatsapp:US.1234', ExternalUserId: 'whatsapp:US.1234' }, 'message', ['sender:S/+15005550006', 'account:S'], `message:${sid('SM')}`, 'whatsapp:US.1234'],
    ['a status', status, 'status', ['sender:S/+15005550006', 'accountSid:S'], `status:${sid('SM')}:undelivered:63016`, 'whatsapp:+5511912345678'],
    ['a status without an error', { ...status, ErrorCode: '', MessageStatus: 'sent', EventType: '' }, 'status', ['sender:S/+15005550006', 'accountSid:S'], `status:${sid('SM')}:sent:-`, 'whatsapp:+5511912345678'],
    ['a receipt', { ...status, ErrorCode: '', MessageStatus: 'delivered', EventType: 'READ' }, 'status', ['sender:S/+15005550006', 'accountSid:S'], `status:${sid('SM')}:read:-`, 'whatsapp:+5511912345678'],
    ['a message on its way in', { ...sms, MessageStatus: 'receiving' }, 'message', ['sender:S/+15005550006', 'account:S'], `message:${sid('SM')}`, '+15005550111'],
    ['a call', call, 'call', ['sender:S/+15005550006', 'account:S'], `call:${sid('CA')}`, sid('CA')],
    ['a call without a caller', { ...call, From: 'anonymous' }, 'call', ['sender:S/+15005550006', 'account:S'], `call:${sid('CA')}`, sid('CA')],
    ['the end of a call', { ...call, CallStatus: 'no-answer' }, 'call_status', ['sender:S/+15005550006', 'accountSid:S'], `call_status:${sid('CA')}:no-answer`, sid('CA')],
    ['the end of a recording', { ...call, CallStatus: 'completed', RecordingUrl: recording.RecordingUrl, RecordingSid: sid('RE'), RecordingDuration: '17', Digits: 'hangup' }, 'call_action', ['sender:S/+15005550006', 'accountSid:S'], `call_action:${sid('CA')}`, sid('CA')],
    ['a key at the end of nothing', { ...call, Digits: '#' }, 'call_action', ['sender:S/+15005550006', 'accountSid:S'], `call_action:${sid('CA')}`, sid('CA')],
    ['a recording', recording, 'recording', ['accountSid:S'], `recording:${sid('RE')}:completed`, sid('CA')],
    ['a recording that never was', { CallSid: sid('CA'), RecordingStatus: 'absent' }, 'recording', ['accountSid:S'], `recording:${sid('CA')}:absent`, sid('CA')],
    ['a transcript', transcription, 'transcription', ['sender:S/+15005550006', 'accountSid:S'], `transcription:${sid('TR')}:completed`, sid('CA')],
    ['something new', { Payload: 'x' }, 'other', ['accountSid:S'], undefined, 'account'],
  ])('is what its fields say (%s)', (_case, fields, kind, identifiers, providerEventId, orderingKey) => {
    const part = only(form(fields as unknown as Record<string, string>)); // the samples have different fields
    expect([part.stored.kind, part.identifiers, part.providerEventId, part.orderingKey]).toEqual([kind, identifiers, providerEventId, orderingKey]);
    expect(part.related).toEqual([{ name: 'accountSid', value: account }]);
  });

  it('keeps what came: empty, repeated and unknown fields, blanks, and what its URL says of us', () => {
    const body = `AccountSid=${account}&MessageSid=${sid('SM')}&Body=+Ol%C3%A1+%2B+%F0%9F%91%8B+&ProfileName=&Tag=b&Tag=a&Tag=b&NewIn2027=x&__proto__=y&bad=%C3%28&pct=100%&?odd=1&novalue`;
    const { stored } = only(splitTwilioWebhook(raw(body, `?account=${account}&m=msg_1.2&m=last&bodySHA256=0#m=forged`)));
    expect(stored.query).toEqual({ m: 'msg_1.2' });
    expect(Object.entries(stored.form)).toEqual([
      ['AccountSid', account], ['MessageSid', sid('SM')], ['Body', ' Olá + 👋 '], ['ProfileName', ''], ['Tag', ['b', 'a', 'b']], ['NewIn2027', 'x'], ['__proto__', 'y'], ['bad', '\u{FFFD}('], ['pct', '100%'], ['?odd', '1'], ['novalue', ''],
    ]);
  });

  it('is read alike when it is JSON', () => {
    const body = JSON.stringify({ AccountSid: account, ...sms, NumMedia: 0, Flags: ['a', 'b'], Channel: { type: 'sms' }, Nothing: null });
    const part = only(splitTwilioWebhook(raw(body, '', { 'content-type': 'application/json' })));
    expect([part.stored.kind, part.identifiers, part.providerEventId]).toEqual(['message', ['sender:S/+15005550006', 'account:S'], `message:${sid('SM')}`]);
    expect(part.stored.form).toMatchObject({ NumMedia: '0', Flags: ['a', 'b'], Channel: '{"type":"sms"}', Nothing: '' });
  });

  it.each(['', '&m=1', '&account='].map((more) => [`?account=AC${'0'.repeat(32)}${more}`]).concat([[`?account=${account}&account=x`], ['?account='], [`?account=${account.toUpperCase()}`]]))('contradicts itself when its URL names another account (%s)', (query) => {
    expect(form(sms, query).kind).toBe('contradictory');
  });

  it('takes nothing from behind the URL\'s #, which nobody signs', () => {
    expect(form(sms, `?account=${account}#&account=x`).kind).toBe('parts');
    expect(form(sms, '#?account=x').kind).toBe('parts');
  });

  it.each([
    ['without an account', { AccountSid: '' }], ['with another thing\'s id for an account', { AccountSid: sid('SK') }], ['with more behind the account', { AccountSid: `${account}MessageSid` }], ['with a short id', { MessageSid: 'SM1' }],
    ['with a call\'s id for a message', { MessageSid: sid('CA') }], ['with a line behind an id', { CallSid: `${sid('CA')}\n` }], ['with an id that is none', { RecordingSid: '../x' }], ['with blanks around an id', { TranscriptionSid: ` ${sid('TR')}` }],
  ])('is unreadable %s, since fields are signed without anything between them', (_case, fields) => {
    expect(form({ ...sms, ...fields } as Record<string, string>).kind).toBe('unreadable'); // undefined in none of them
  });

  it('is unreadable with two ids where one is meant, or with more fields than anybody sends', () => {
    expect(splitTwilioWebhook(raw(`AccountSid=${account}&AccountSid=AC${'0'.repeat(32)}&MessageSid=${sid('SM')}`)).kind).toBe('unreadable');
    expect(splitTwilioWebhook(raw(`AccountSid=${account}${'&a'.repeat(1_000)}`)).kind).toBe('unreadable');
    expect(splitTwilioWebhook(raw(`AccountSid=${account}${'&a'.repeat(999)}`)).kind).toBe('parts');
  });

  it('never names what cannot be looked up', () => {
    expect(only(form({ ...sms, To: `+1\u{0}${'x'.repeat(10)}`, MessagingServiceSid: 'é' })).identifiers).toEqual(['account:S']);
    expect(only(form({ ...sms, To: '1'.repeat(300) })).identifiers).toEqual(['account:S']);
  });

  it('never throws, whatever comes in, and what it writes is bounded keys and JSON', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(account, sid('SM'), sid('CA'), sid('RE'), sid('TR'), '', 'received', 'completed'));
    const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('AccountSid', 'MessageSid', 'CallSid', 'RecordingSid', 'TranscriptionSid', 'MessageStatus', 'RecordingStatus', 'EventType', 'From', 'To', 'Digits', '__proto__'));
    const fields = fc.array(fc.tuple(name, text), { maxLength: 12 }).map((pairs) => new URLSearchParams([['AccountSid', account], ...pairs]).toString());
    const json = fc.dictionary(name, fc.jsonValue()).map((value) => JSON.stringify({ AccountSid: account, ...value }));
    const body = fc.oneof(fields.map((one) => Buffer.from(one)), json.map((one) => Buffer.from(one)), fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)));
    fc.assert(
      fc.property(body, fc.constantFrom('application/x-www-form-urlencoded', 'application/json', 'text/plain', undefined), fc.string({ unit: 'binary' }), (bytes, type, query) => {
        const split = splitTwilioWebhook(raw(bytes, `?${query}`, { 'content-type': type }));
        if (split.kind !== 'parts') return;
        for (const part of split.parts) {
          for (const { value } of [...part.routingIdentifiers, ...part.relatedIdentifiers]) expect(value).toMatch(/^[\x21-\x7e]{1,256}$/);
          const { providerEventId, orderingKey, body: written } = part.write();
          for (const key of [providerEventId ?? 'none', orderingKey]) expect(key).toMatch(/^[\x20-\x7e]{1,210}$/);
          expect((JSON.parse(written) as StoredTwilioWebhook).form['AccountSid']).toBeDefined();
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is the same event however its fields are ordered and whatever Twilio adds', () => {
    fc.assert(
      fc.property(fc.constantFrom<Record<string, string>>(sms, status, call, recording, transcription), fc.nat(), fc.dictionary(fc.stringMatching(/^New[A-Z]\w{0,8}$/), fc.string()), (sample, seed, added) => {
        const entries = Object.entries({ ...sample, ...added });
        const turned = [...entries.slice(seed % entries.length), ...entries.slice(0, seed % entries.length)];
        const [before, after] = [only(form(sample)), only(form(Object.fromEntries(turned)))];
        expect([after.providerEventId, after.orderingKey, after.identifiers, after.stored.kind]).toEqual([before.providerEventId, before.orderingKey, before.identifiers, before.stored.kind]);
      }),
    );
  });
});
