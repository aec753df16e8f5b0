import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TwilioAccount } from '../account-of.ts';
import type { TwilioMessage } from '../api/messages.ts';
import { inboundOf, targetsOf } from './missed-messages.ts';

const [phoneNumber, messagingServiceSid] = ['+15005550006', 'MG1'];
const account = (more: Partial<TwilioAccount>): TwilioAccount => ({ accountSid: 'AC1', phoneNumber: undefined, messagingServiceSid: undefined, channels: new Set(['sms', 'whatsapp']), ...more });
const since = new Date('2026-11-22T10:00:00Z');
const until = new Date('2026-11-22T11:00:00Z');
const message = (more: Partial<TwilioMessage>): TwilioMessage => ({ sid: 'SM1', direction: 'inbound', from: '+15005550111', to: phoneNumber, body: '', status: 'received', errorCode: undefined, numMedia: '0', numSegments: '1', messagingServiceSid: undefined, at: since, ...more });
const found = (own: TwilioAccount, ...messages: TwilioMessage[]) => inboundOf(messages, own, { since, until }).map(({ sid }) => sid);

describe('messages of contacts to a connection', () => {
  it('are those to its number by its channels', () => {
    const sms = account({ phoneNumber, channels: new Set(['sms', 'voice']) });
    const onWhatsApp = message({ sid: 'SM2', from: 'whatsapp:+15005550111', to: `whatsapp:${phoneNumber}` });
    expect([found(sms, message({}), onWhatsApp), found(account({ phoneNumber }), message({}), onWhatsApp), found(sms, message({ to: '+15005557777' }))]).toEqual([['SM1'], ['SM1', 'SM2'], []]);
  });

  it('are those to its service, whichever number that has, and no others of the account', () => {
    expect(found(account({ messagingServiceSid }), message({ to: '+15005550007', messagingServiceSid }), message({ sid: 'SM2', messagingServiceSid: 'MG2' }), message({ sid: 'SM3' }))).toEqual(['SM1']);
  });

  it('are none where only calls are connected: nothing is asked of Twilio', () => {
    expect([targetsOf(account({ phoneNumber, channels: new Set(['voice']) })), targetsOf(account({ phoneNumber, channels: new Set(['whatsapp']) })), targetsOf(account({ phoneNumber, messagingServiceSid }))]).toEqual([[], [{ to: `whatsapp:${phoneNumber}` }], [{}]]);
  });

  it('are inbound, of that time, each once and the oldest first, whatever Twilio lists', () => {
    const any = fc.record({ sid: fc.constantFrom('SM1', 'SM2', 'SM3', 'SM4'), direction: fc.constantFrom('inbound', 'outbound-api', 'outbound-reply'), at: fc.option(fc.date({ min: new Date('2026-11-22T09:00:00Z'), max: new Date('2026-11-22T12:00:00Z'), noInvalidDate: true }), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(any), (listed) => {
        const kept = inboundOf(listed.map(message), account({ phoneNumber }), { since, until });
        const times = kept.map(({ at }) => at.getTime());
        return new Set(kept.map(({ sid }) => sid)).size === kept.length && times.every((time, index) => time >= since.getTime() && time <= until.getTime() && time >= (times[index - 1] ?? 0)) && kept.every(({ direction }) => direction === 'inbound');
      }),
    );
  });
});
