import { describe, expect, it } from '@jest/globals';
import { newId } from '@switchboard/contracts';
import { isSameAddress, publicUrlFault, twilioIdentifiers, twilioUrls } from './twilio-urls.ts';

const connectionId = newId('con');
const sid = `AC${'0'.repeat(31)}1`;
const at = (publicUrl: string) => ({ connectionId, webhookUrl: `${publicUrl}/webhooks/twilio/${connectionId}` });

describe('the addresses that Twilio sends to', () => {
  it('name the account, so that what is signed says whose it is, and have Twilio try again', () => {
    expect(twilioUrls(at('https://hub.example.net'), sid)).toEqual({
      sms: `https://hub.example.net/api/webhooks/sms?account=${sid}#rc=3&rp=all`,
      voice: `https://hub.example.net/api/webhooks/voicemail?account=${sid}#rc=3&rp=all`,
      whatsapp: `https://hub.example.net/api/webhooks/whatsapp?account=${sid}#rc=3&rp=all`,
    });
  });

  it('are the hub\'s whatever is said about trying again, and only with the same account', () => {
    const { sms } = twilioUrls(at('https://hub.example.net'), sid);
    expect([sms, sms.replace(/#.*/, ''), sms.replace('rc=3', 'rc=1')].map((url) => isSameAddress(url, sms))).toEqual([true, true, true]);
    expect([null, undefined, '', sms.replace('1#', '2#'), 'https://elsewhere.example'].map((url) => isSameAddress(url, sms))).toEqual([false, false, false, false, false]);
  });

  it.each(['http://hub.example.net', 'https://hub_one.example.net', 'https://localhost:3003', 'https://10.0.0.1', 'http://127.0.0.1:3003', 'nonsense'])('cannot be %s', (publicUrl) => {
    expect(publicUrlFault(at(publicUrl), { settings: {} })).toContain(publicUrl);
    expect(publicUrlFault(at(publicUrl), { settings: { sandbox: 'true' } })).toBeUndefined();
    expect(publicUrlFault(at(publicUrl), { settings: { apiBaseUrl: 'http://127.0.0.1:1' } })).toBeUndefined();
  });

  it.each(['https://hub.example.net', 'https://hub.example.net:8443', 'https://hub.example.net/switchboard'])('can be %s', (publicUrl) => {
    expect(publicUrlFault(at(publicUrl), { settings: {} })).toBeUndefined();
  });
});

describe('the identifiers of a Twilio account', () => {
  it('name the number as its sender, and the service without one', () => {
    const [phoneNumber, messagingServiceSid] = ['+15005550006', `MG${'0'.repeat(32)}`];
    expect(twilioIdentifiers(sid, { phoneNumber })).toEqual({ sender: `${sid}/${phoneNumber}`, accountSid: sid, account: sid });
    expect(twilioIdentifiers(sid, { messagingServiceSid })).toEqual({ sender: `${sid}/${messagingServiceSid}`, accountSid: sid, service: `${sid}/${messagingServiceSid}`, account: sid });
    expect(twilioIdentifiers(sid, { phoneNumber, messagingServiceSid })).toMatchObject({ sender: `${sid}/${phoneNumber}`, service: `${sid}/${messagingServiceSid}` });
    expect(twilioIdentifiers(sid, {})).toEqual({ accountSid: sid, account: sid });
  });
});
