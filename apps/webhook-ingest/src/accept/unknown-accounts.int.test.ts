import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { listUnknownAccounts } from '@switchboard/contracts';
import { adminHeaders, describeRoute } from '@switchboard/service-kit/testing';
import { testTenants } from '@switchboard/testing';
import { metaBody, startIngest, textMessage, type TestIngest } from '../../test/start-ingest.ts';
import { twilioCall, twilioConnection, twilioForm, twilioMessage, twilioSid, type TwilioFields, type TwilioRequest } from '../../test/twilio-webhooks.ts';

const publicUrl = 'https://hub.example.test';
const known = twilioConnection(testTenants[0], { accountSid: twilioSid('AC'), authToken: 'token of acme', phoneNumber: '+15005550006' });

let ingest: TestIngest;

beforeAll(async () => {
  ingest = await startIngest({ env: { PUBLIC_WEBHOOK_URL: publicUrl } });
  ingest.tenants.connections.set(known.connectionId, known);
}, 60_000);
afterAll(async () => await ingest.stop());
beforeEach(async () => await ingest.clear());

async function send({ path, headers, body }: TwilioRequest) {
  const response = await fetch(`${ingest.url}${path}`, { method: 'POST', headers, body });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}
const form = (path: string, fields: TwilioFields, { authToken }: { readonly authToken: string }) => twilioForm(publicUrl, path, fields, authToken);
const at = (path: string, { accountSid }: { readonly accountSid: string }) => `${path}?account=${accountSid}`;
/** Waits for what is written now and then. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let time = 0; time < 150 && !(await condition()); time++) await new Promise((resolve) => setTimeout(resolve, 50));
}

describeRoute(listUnknownAccounts, { service: 'webhook-ingest', url: () => ingest.url, tenants: testTenants, input: () => ({}), badInputs: { 'a provider that is none': (input) => ({ ...input, query: { provider: 'nobody' } }), 'a cursor of its own making': (input) => ({ ...input, query: { cursor: 'x' } }) } });

describe('an account that nobody has connected', () => {
  const strange = { accountSid: twilioSid('AC'), authToken: 'nobody\'s token' };
  async function list(query = ''): Promise<{ data: { provider: string; account: string; count: number; firstAt: string; lastAt: string }[]; nextCursor: string | null }> {
    const response = await fetch(`${ingest.url}/unknown-accounts${query}`, { headers: adminHeaders() });
    return (await response.json()) as Awaited<ReturnType<typeof list>>;
  }

  it('is answered 404 without a word, counted, and listed for the platform by its name alone', async () => {
    for (const fields of [twilioMessage(strange.accountSid, '+15005550006', { Body: 'a secret' }), twilioCall(strange.accountSid, '+15005550007'), { ...twilioMessage(strange.accountSid, ''), MessageStatus: 'sent' }]) {
      expect(await send(form(at('/api/webhooks/sms', strange), fields, strange))).toEqual({ status: 404, type: null, text: '' });
    }
    await fetch(`${ingest.url}/webhooks/whatsapp`, { method: 'POST', headers: { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }, body: metaBody({ phoneNumberId: '999', messages: [textMessage()] }) });
    await until(async () => (await list()).data.length > 1);
    const { data } = await list();
    expect(data.map(({ provider, account, count }) => [provider, account, count])).toEqual([['whatsapp', 'phoneNumberId:999', 1], ['twilio', `accountSid:${strange.accountSid}`, 3]]);
    expect((await list('?provider=twilio')).data).toHaveLength(1);
    const first = await list('?limit=1');
    expect((await list(`?limit=1&cursor=${first.nextCursor}`)).data[0]?.provider).toBe('twilio');
    expect(JSON.stringify((await ingest.admin.query('select * from ingest.unknown_accounts')).rows)).not.toContain('secret');
    expect([await ingest.stored(), await ingest.quarantined()]).toEqual([[], []]);
    expect(await fetch(`${ingest.url}/metrics`).then((response) => response.text())).toMatch(/provider="twilio",outcome="unknown"\} [3-9]/);
  }, 20_000);

  it('is forgotten when too many others were heard of later: strangers can make them up', async () => {
    await ingest.admin.query(`insert into ingest.unknown_accounts select 'chatwoot', 'accountKey:' || n, 1, now() - interval '1 hour', now() - interval '1 hour' + n * interval '1 ms' from generate_series(1, 10500) n`);
    await send(form(at('/api/webhooks/sms', strange), twilioMessage(strange.accountSid, '+1'), strange));
    const count = async () => Number((await ingest.admin.query<{ count: string }>('select count(*) from ingest.unknown_accounts')).rows[0]?.count);
    await until(async () => (await count()) === 10_000);
    expect(await count()).toBe(10_000);
    const { data } = await list('?limit=2');
    expect(data.map(({ account }) => account)).toEqual([`accountSid:${strange.accountSid}`, 'accountKey:10500']);
  }, 20_000);
});
