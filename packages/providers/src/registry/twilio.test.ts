import { describe, expect, it } from '@jest/globals';
import type { ProviderEntry } from '../provider.ts';
import { twilio } from './twilio.ts';

const entry: ProviderEntry = twilio;
const accountSid = `AC${'a1'.repeat(16)}`;
const own = { accountSid, authToken: 'token', phoneNumber: '+15005550006' };
const apiKey = { apiKeySid: `SK${'b2'.repeat(16)}`, apiKeySecret: 'secret' };

/** The form's faults, as tenant-service collects them: those of single fields, else those across them. */
function faultsIn(form: object): string[] {
  const parsed = entry.credentials.safeParse(form);
  if (!parsed.success) return [...new Set(parsed.error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])])))];
  return (entry.faultsOf?.(parsed.data) ?? []).map(({ path }) => path);
}

describe('credentials of type twilio', () => {
  it('of an account of the tenant\'s own take its id, its token and a sender, and fill in the rest', () => {
    expect(faultsIn(own)).toEqual([]);
    expect(twilio.credentials.parse(own)).toMatchObject({ channels: ['sms'], language: 'en-US', voicemailMaxSeconds: 120, voicemailSilenceSeconds: 5, transcribe: true, whatsappOptOut: true, sandbox: false });
    expect(faultsIn({})).toEqual(['accountSid', 'authToken', 'phoneNumber']);
    expect(faultsIn({ accountSid, authToken: 'token', messagingServiceSid: `MG${'c3'.repeat(16)}` })).toEqual([]);
  });

  it('take an API key beside the token, never instead of it: a key verifies no webhook', () => {
    expect(faultsIn({ ...own, ...apiKey })).toEqual([]);
    expect(faultsIn({ ...own, ...apiKey, authToken: undefined })).toEqual(['authToken']);
    expect(faultsIn({ ...own, apiKeySid: apiKey.apiKeySid })).toEqual(['apiKeySecret']);
    expect(faultsIn({ ...own, apiKeySecret: 'secret' })).toEqual(['apiKeySid']);
  });

  it('need a number for calls, which a messaging service does not take', () => {
    const service = { accountSid, authToken: 'token', messagingServiceSid: `MG${'c3'.repeat(16)}` };
    expect(faultsIn({ ...service, channels: ['sms', 'voice'] })).toEqual(['phoneNumber']);
    expect(faultsIn({ ...service, channels: ['sms', 'voice'], phoneNumber: '+15005550006' })).toEqual([]);
  });

  it('of an account that the hub makes take nothing of another, and one way to a number', () => {
    expect(faultsIn({ provision: true, numberCountry: 'US', numberAreaCode: '415', numberType: 'local' })).toEqual([]);
    expect(faultsIn({ provision: true, assignNumber: '+15005550006', platformConnectionId: 'pcn_1' })).toEqual([]);
    expect(faultsIn({ provision: true, ...own, ...apiKey, apiBaseUrl: 'https://evil.example' })).toEqual(expect.arrayContaining(['accountSid', 'authToken', 'apiKeySid', 'apiKeySecret', 'apiBaseUrl']));
    expect(faultsIn({ provision: true, numberCountry: 'US', assignNumber: '+15005550006' })).toEqual(['assignNumber']);
    expect(faultsIn({ provision: true, numberAreaCode: '415' })).toEqual(['numberCountry']);
    expect(faultsIn({ ...own, numberCountry: 'US', platformConnectionId: 'pcn_1' })).toEqual(['platformConnectionId', 'numberCountry']);
  });

  it('are the same when they come back as text, as accounts are kept', () => {
    const given = { ...own, channels: ['whatsapp', 'sms'], greetings: { 'pt-BR': { text: 'Oi' } }, transcribe: false, voicemailMaxSeconds: 60 };
    const kept = { ...own, channels: 'whatsapp,sms', greetings: JSON.stringify(given.greetings), transcribe: 'false', voicemailMaxSeconds: '60' };
    expect(twilio.credentials.parse(kept)).toEqual(twilio.credentials.parse(given));
  });

  it.each([
    { accountSid: 'AC1' }, { accountSid: `SK${'a1'.repeat(16)}` }, { accountSid: `${accountSid}/../x` }, { phoneNumber: '15005550006' }, { phoneNumber: 'whatsapp:+15005550006' }, { messagingServiceSid: 'MG' }, { channels: [] }, { channels: ['fax'] }, { channels: 'sms,fax' },
    { language: 'English' }, { language: 'en-US"><Dial/>' }, { greetings: { 'pt-BR': { text: '' } } }, { greetings: { 'pt-BR': { url: 'http://files.example/a.mp3' } } }, { greetings: { 'pt-BR': { text: 'a', url: 'https://files.example/a.mp3' } } }, { greetings: { 'not a language': { text: 'a' } } },
    { greetings: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`aa-${10 + index}`, { text: 'a' }])) }, { greetings: 'not json' }, { voicemailMaxSeconds: 4 }, { voicemailMaxSeconds: 3601 }, { voicemailSilenceSeconds: 0 }, { callsPerMinute: 0 }, { numberCountry: 'us' }, { apiBaseUrl: 'file:///etc/passwd' }, { somethingElse: 1 },
  ])('refuse %j', (wrong) => expect(faultsIn({ ...own, ...wrong })).toEqual(Object.keys(wrong)));

  it('lead to Twilio\'s four hosts, or to the one that is named', () => {
    expect(Object.values(twilio.hosts({}))).toEqual(['https://api.twilio.com', 'https://messaging.twilio.com', 'https://accounts.twilio.com', 'https://content.twilio.com']);
    expect(new Set(Object.values(twilio.hosts({ apiBaseUrl: 'http://127.0.0.1:3020/twilio' })))).toEqual(new Set(['http://127.0.0.1:3020/twilio']));
  });

  it('let nothing secret into what webhooks are answered from', () => expect(twilio.webhook.answerSettings.filter((name) => (twilio.secretFields as readonly string[]).includes(name))).toEqual([]));
});
