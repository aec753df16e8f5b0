import { describe, expect, it } from '@jest/globals';
import { newId } from '@switchboard/contracts';
import fc from 'fast-check';
import type { TwilioAccount } from './account-of.ts';
import { renderMessage } from './render-message.ts';
import { senderOf, senderWrittenTo } from './sender-of.ts';

const [phoneNumber, messagingServiceSid] = ['+15005550006', `MG${'0'.repeat(32)}`];
const account = (more: Partial<TwilioAccount>): TwilioAccount => ({ accountSid: 'AC1', phoneNumber: undefined, messagingServiceSid: undefined, channels: new Set(['sms', 'whatsapp']), ...more });
const contact = '+15005550111';

describe('the sender that a contact\'s STOP is about', () => {
  it('is the number that it has written to, also one that nobody connected', () => {
    const own = account({ phoneNumber });
    expect([senderWrittenTo(own, contact, { to: phoneNumber }), senderWrittenTo(own, contact, { to: '+15005557777' }), senderWrittenTo(own, `whatsapp:${contact}`, { to: `whatsapp:${phoneNumber}` })]).toEqual([phoneNumber, '+15005557777', phoneNumber]);
  });

  it('is the service, whichever number of its pool it has written to', () => {
    const pooled = account({ messagingServiceSid });
    expect([senderWrittenTo(pooled, contact, { to: '+15005550007', messagingServiceSid }), senderWrittenTo(pooled, contact, { to: '+15005550008' })]).toEqual([messagingServiceSid, messagingServiceSid]);
    expect(senderWrittenTo(account({ messagingServiceSid, phoneNumber }), contact, { to: '+15005557777' })).toBe('+15005557777');
  });

  it('is always what the answer would be sent from, where the message came to what is connected', () => {
    const accounts = fc.constantFrom<Readonly<Record<string, string>>>({ phoneNumber }, { messagingServiceSid }, { phoneNumber, messagingServiceSid });
    fc.assert(
      fc.property(accounts, fc.constantFrom(contact, `whatsapp:${contact}`), (settings, address) => {
        const command = { messageId: newId('msg'), conversationId: newId('cnv'), connectionId: newId('con'), contact: { address, aliases: {} }, author: 'agent', content: { kind: 'text', text: 'Hi' }, attributes: {}, sentAt: '2026-11-22T10:00:00.000Z' } as const;
        const rendered = renderMessage(command, { role: 'channel', routingIdentifiers: { accountSid: 'AC1' }, settings: { channels: 'sms,whatsapp', ...settings } });
        const body = rendered.kind === 'parts' ? rendered.parts[0]?.body : undefined;
        const from = String(body?.['messagingServiceSid'] ?? body?.['from']).replace('whatsapp:', '');
        const own = account(settings);
        return senderOf(own, address) === from && ('phoneNumber' in settings ? senderWrittenTo(own, address, { to: phoneNumber }) === from : true);
      }),
    );
  });
});
