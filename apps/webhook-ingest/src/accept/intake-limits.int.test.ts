import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { providers, type ProviderEntry } from '@switchboard/providers';
import { signWebhook } from '@switchboard/providers/webhook-auth';
import { testTenants } from '@switchboard/testing';
import { chatwootMessage, metaBody, ownChatwootConnection, startIngest, textMessage, whatsAppConnection, type TestIngest } from '../../test/start-ingest.ts';
import { twilioConnection, twilioForm, twilioMessage, twilioSid } from '../../test/twilio-webhooks.ts';

const [acme, globex] = testTenants;
const acmeInbox = ownChatwootConnection(acme, { server: 'desk.acme.example', account: 1, inbox: 1, secret: 'chatwoot secret of acme' });
const [acmeNumber, acmeOther, globexNumber] = [whatsAppConnection(acme, { appSecret: 'app-secret', phoneNumberId: '1' }), whatsAppConnection(acme, { appSecret: 'app-secret', phoneNumberId: '2' }), whatsAppConnection(globex, { appSecret: 'app-secret', phoneNumberId: '3' })];

const [ofAcme, ofGlobex] = [{ accountSid: twilioSid('AC'), authToken: 'token of acme' }, { accountSid: twilioSid('AC'), authToken: 'token of globex' }];
const sms = [twilioConnection(acme, { ...ofAcme, phoneNumber: '+15005550006' }), twilioConnection(acme, { ...ofAcme, phoneNumber: '+15005550007' }), twilioConnection(globex, { ...ofGlobex, phoneNumber: '+15005550006' })];
const publicUrl = 'http://127.0.0.1:3003';

let ingest: TestIngest;

beforeAll(async () => {
  ingest = await startIngest({ env: { INGEST_RATE_PER_CONNECTION: '4', INGEST_RATE_PER_TENANT: '6' } });
  for (const connection of [acmeInbox, acmeNumber, acmeOther, globexNumber, ...sms]) ingest.tenants.connections.set(connection.connectionId, connection);
}, 60_000);
afterAll(async () => await ingest.stop());
beforeEach(async () => {
  // What the last test used up is long over.
  ingest.clock.aheadMs += 10 * 60_000;
  await ingest.clear();
});

async function post(path: string, body: string, entry: ProviderEntry, secret: string) {
  const headers = signWebhook(entry.webhook.auth, { url: '', body: Buffer.from(body) }, secret, (Date.now() + ingest.clock.aheadMs) / 1000);
  const response = await fetch(`${ingest.url}/webhooks/${path}`, { method: 'POST', headers, body });
  return { status: response.status, retryAfter: response.headers.get('retry-after') };
}
const toInbox = (secret = 'chatwoot secret of acme', body = chatwootMessage(1, 1)) => post(`chatwoot/${acmeInbox.connectionId}`, body, providers.chatwoot, secret);
const toNumbers = (...numbers: string[]) => post('whatsapp', metaBody(...numbers.map((phoneNumberId) => ({ phoneNumberId, messages: [textMessage()] }))), providers.whatsapp, 'app-secret');
const times = async (count: number, send: () => Promise<{ status: number }>) => {
  const statuses: number[] = [];
  for (let time = 0; time < count; time++) statuses.push((await send()).status);
  return statuses;
};

describe('a connection that sends more than its minute holds', () => {
  it('is answered 429 with the seconds to wait, keeps what is stored, and may send again then', async () => {
    expect(await times(4, toInbox)).toEqual([200, 200, 200, 200]);
    const refused = await toInbox();
    expect(refused.status).toBe(429);
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    expect(Number(refused.retryAfter)).toBeLessThanOrEqual(15);
    expect(await ingest.stored()).toHaveLength(4);
    ingest.clock.aheadMs += 15_000;
    expect(await times(2, toInbox)).toEqual([200, 429]);
    const metrics = await fetch(`${ingest.url}/metrics`).then((response) => response.text());
    expect(metrics).toMatch(/ingest_webhook_parts_total\{provider="chatwoot",outcome="limited"\} 2/);
  });

  it('does not count what others send in its name', async () => {
    expect(await times(10, () => toInbox('nobody\'s secret'))).toEqual(Array<number>(10).fill(401));
    expect(await times(4, toInbox)).toEqual([200, 200, 200, 200]);
  });

  it('does not keep the other accounts of a body waiting: theirs is stored, and the whole comes again', async () => {
    expect(await times(4, () => toNumbers('1'))).toEqual([200, 200, 200, 200]);
    await ingest.clear();
    expect((await toNumbers('1', '3')).status).toBe(429);
    expect((await ingest.stored()).map((row) => row.tenant_id)).toEqual([globex]);
  });
});

describe('a tenant whose connections together send more than its minute holds', () => {
  it('is limited with all of them, and no other tenant is', async () => {
    expect(await times(4, () => toNumbers('1'))).toEqual([200, 200, 200, 200]);
    expect(await times(3, () => toNumbers('2'))).toEqual([200, 200, 429]);
    expect((await toInbox()).status).toBe(429);
    expect(await times(4, () => toNumbers('3'))).toEqual([200, 200, 200, 200]);
  });
});

describe('a subaccount with several numbers', () => {
  async function sendSms(account: typeof ofAcme, to: string) {
    const { path, headers, body } = twilioForm(publicUrl, `/api/webhooks/sms?account=${account.accountSid}`, twilioMessage(account.accountSid, to), account.authToken);
    const response = await fetch(`${ingest.url}${path}`, { method: 'POST', headers, body });
    return { status: response.status, retryAfter: response.headers.get('retry-after'), text: await response.text() };
  }

  it('has one allowance for all of them, is told when to come again without a word more, and takes nothing from another tenant with the same number', async () => {
    expect(await times(2, () => sendSms(ofAcme, '+15005550006'))).toEqual([200, 200]);
    expect(await times(3, () => sendSms(ofAcme, '+15005550007'))).toEqual([200, 200, 429]);
    expect(await sendSms(ofAcme, '+15005550006')).toMatchObject({ status: 429, retryAfter: expect.stringMatching(/^([1-9]|1[0-5])$/), text: '' });
    expect(await times(5, () => sendSms(ofGlobex, '+15005550006'))).toEqual([200, 200, 200, 200, 429]);
    expect(await ingest.stored()).toHaveLength(8);
    // What is the tenant's beside it has an allowance of its own.
    expect((await toNumbers('1')).status).toBe(200);
  });
});
