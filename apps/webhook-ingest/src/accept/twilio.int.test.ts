import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type WebhookConnection } from '@switchboard/contracts';
import { testTenants } from '@switchboard/testing';
import { startIngest, type TestIngest } from '../../test/start-ingest.ts';
import { twilioCall, twilioConnection, twilioForm, twilioJson, twilioMessage, twilioSid, type TwilioFields, type TwilioRequest } from '../../test/twilio-webhooks.ts';

const [acme, globex] = testTenants;
const publicUrl = 'https://hub.example.test:8443/in';
const [ofAcme, ofGlobex] = [{ accountSid: twilioSid('AC'), authToken: 'token of acme' }, { accountSid: twilioSid('AC'), authToken: 'token of globex' }];
const service = twilioSid('MG');
// Ids sort by age, except those of one millisecond.
const [older, newer] = [newId('con'), newId('con')].toSorted();
const acmeNumber = { ...twilioConnection(acme, { ...ofAcme, phoneNumber: '+15005550006' }), connectionId: older! };
const acmeOther = { ...twilioConnection(acme, { ...ofAcme, phoneNumber: '+15005550007', service }), connectionId: newer! };
const globexNumber = twilioConnection(globex, { ...ofGlobex, phoneNumber: '+5511900000000' });
// The same number text as acme's, in another subaccount.
const globexTwin = twilioConnection(globex, { ...ofGlobex, phoneNumber: '+15005550006', answerSettings: { ...globexNumber.answerSettings, language: 'pt-BR', greetings: JSON.stringify({ 'pt-BR': { text: 'Oi & até <já>' } }) } });
const all = [acmeNumber, acmeOther, globexNumber, globexTwin];

const emptyTwiml = '<?xml version="1.0" encoding="UTF-8"?><Response/>';
const aliases = ['/api/webhooks/whatsapp', '/api/webhooks/sms', '/api/webhooks/voicemail'];
const sharedPaths = [...aliases, '/webhooks/twilio'];

let ingest: TestIngest;

beforeAll(async () => {
  ingest = await startIngest({ env: { PUBLIC_WEBHOOK_URL: publicUrl } });
  connect(...all);
}, 60_000);
afterAll(async () => await ingest.stop());
beforeEach(async () => await ingest.clear());

function connect(...connections: readonly WebhookConnection[]): void {
  for (const connection of connections) ingest.tenants.connections.set(connection.connectionId, connection);
}

async function send({ path, headers, body }: TwilioRequest, more: Record<string, string> = {}) {
  const response = await fetch(`${ingest.url}${path}`, { method: 'POST', headers: { ...headers, ...more }, body });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}
const form = (path: string, fields: TwilioFields, { authToken }: { readonly authToken: string }) => twilioForm(publicUrl, path, fields, authToken);
const at = (path: string, { accountSid }: { readonly accountSid: string }) => `${path}?account=${accountSid}`;
const owners = async () => (await ingest.stored()).map((row) => [row.tenant_id, row.connection_id]);
const nothingIsKept = async () => expect([await ingest.stored(), await ingest.quarantined()]).toEqual([[], []]);
/** Waits for what an event sets off. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let time = 0; time < 100 && !(await condition()); time++) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('a message to a number', () => {
  it.each(sharedPaths.flatMap((path) => [path, `${path}/`]))('is its tenant\'s in whose subaccount it was sent, though another subaccount has the same number (%s)', async (path) => {
    for (const channel of ['', 'whatsapp:']) {
      expect(await send(form(at(path, ofAcme), twilioMessage(ofAcme.accountSid, `${channel}+15005550006`), ofAcme))).toEqual({ status: 200, type: 'text/xml; charset=utf-8', text: emptyTwiml });
      expect((await send(form(at(path, ofGlobex), twilioMessage(ofGlobex.accountSid, `${channel}+15005550006`), ofGlobex))).status).toBe(200);
      expect((await send(form(path, twilioMessage(ofGlobex.accountSid, `${channel}+5511900000000`), ofGlobex))).status).toBe(200);
    }
    const once = [[acme, acmeNumber.connectionId], [globex, globexTwin.connectionId], [globex, globexNumber.connectionId]];
    expect(await owners()).toEqual([...once, ...once]);
  });

  it('is kept with everything that came: empty fields, repeated ones, unknown ones, and parameters of the URL', async () => {
    const fields = [...Object.entries(twilioMessage(ofAcme.accountSid, '+15005550006')), ['Tag', 'b'], ['Tag', 'a'], ['Tag', 'b'], ['NewIn2027', ''], ['__proto__', ' x ']] as const;
    expect((await send(twilioForm(publicUrl, `${at('/api/webhooks/sms', ofAcme)}&m=msg_1`, fields, ofAcme.authToken))).status).toBe(200);
    const [row] = await ingest.stored();
    expect(JSON.parse(row?.body ?? '')).toEqual({ kind: 'message', query: { m: 'msg_1' }, form: JSON.parse(JSON.stringify({ ...Object.fromEntries(fields), ['__proto__']: 'x' }).replace('"Tag":"b"', '"Tag":["b","a","b"]').replace('"__proto__":"x"', '"__proto__":" x "')) });
    expect((await ingest.published())[0]).toMatchObject({ type: 'webhook.received.twilio', tenantId: acme, orderingKey: `${acmeNumber.connectionId}:+15005550111` });
  });

  it('is stored once and answered the same, whatever its idempotency token says', async () => {
    const request = form(at('/api/webhooks/sms', ofAcme), twilioMessage(ofAcme.accountSid, '+15005550006'), ofAcme);
    const answers = [];
    for (const token of ['a', 'a', 'b']) answers.push(await send(request, { 'i-twilio-idempotency-token': token }));
    expect(answers).toEqual(Array(3).fill({ status: 200, type: 'text/xml; charset=utf-8', text: emptyTwiml }));
    expect(await ingest.stored()).toHaveLength(1);
    expect(await ingest.published()).toHaveLength(1);
  });

  it('that nobody has connected is its messaging service\'s, else the oldest connection\'s of the subaccount', async () => {
    for (const path of [at('/api/webhooks/sms', ofAcme), `/webhooks/twilio/${acmeNumber.connectionId}?account=${ofAcme.accountSid}`]) {
      await ingest.clear();
      await send(form(path, twilioMessage(ofAcme.accountSid, '+15005550099', { MessagingServiceSid: service }), ofAcme));
      await send(form(path, twilioMessage(ofAcme.accountSid, '+15005550099'), ofAcme));
      expect(await owners()).toEqual([[acme, acmeOther.connectionId], [acme, acmeNumber.connectionId]]);
    }
  });

  it('that its tenant has switched off is kept aside, and a call to it rings at nobody\'s', async () => {
    const off = { ...twilioConnection(acme, { ...ofAcme, phoneNumber: '+15005550088' }), status: 'disabled' as const };
    connect(off);
    await ingest.publishChange(off);
    await until(async () => (await ingest.admin.query('select from ingest.connections where connection_id = $1', [off.connectionId])).rowCount === 1);
    for (const fields of [twilioMessage(ofAcme.accountSid, '+15005550088'), twilioCall(ofAcme.accountSid, '+15005550088')]) {
      expect(await send(form(at('/api/webhooks/sms', ofAcme), fields, ofAcme))).toEqual({ status: 200, type: 'text/xml; charset=utf-8', text: emptyTwiml });
    }
    expect([await ingest.stored(), (await ingest.quarantined()).length]).toEqual([[], 2]);
    ingest.tenants.connections.delete(off.connectionId);
  });

  it('is not another number\'s whose URL it comes to', async () => {
    expect((await send(form(`/webhooks/twilio/${acmeOther.connectionId}?account=${ofAcme.accountSid}`, twilioMessage(ofAcme.accountSid, '+15005550006'), ofAcme))).status).toBe(200);
    expect(await owners()).toEqual([[acme, acmeNumber.connectionId]]);
  });

  it('may be JSON whose hash stands in the URL, and no other JSON', async () => {
    const request = twilioJson(publicUrl, at('/api/webhooks/sms', ofAcme), { ...twilioMessage(ofAcme.accountSid, '+15005550006'), NumMedia: 0 }, ofAcme.authToken);
    expect(await send({ ...request, body: `${request.body} ` })).toEqual({ status: 401, type: null, text: '' });
    await nothingIsKept();
    expect((await send(request)).text).toBe(emptyTwiml);
    expect(await owners()).toEqual([[acme, acmeNumber.connectionId]]);
  });
});

describe('what nobody may say', () => {
  it.each([
    ['the account of another tenant in the URL', () => form(at('/api/webhooks/sms', ofGlobex), twilioMessage(ofAcme.accountSid, '+15005550006'), ofAcme), 403],
    ['two accounts in the URL', () => form(`${at('/api/webhooks/sms', ofAcme)}&account=${ofGlobex.accountSid}`, twilioMessage(ofAcme.accountSid, '+15005550006'), ofAcme), 403],
    ['no account in the URL', () => form('/api/webhooks/sms?account=', twilioMessage(ofAcme.accountSid, '+15005550006'), ofAcme), 403],
    ['the account of another tenant in the URL of a connection', () => form(`/webhooks/twilio/${acmeNumber.connectionId}/status?account=${ofGlobex.accountSid}`, twilioMessage(ofAcme.accountSid, '+15005550006'), ofAcme), 403],
    ['a message of another tenant\'s subaccount', () => form(at('/api/webhooks/sms', ofAcme), twilioMessage(ofAcme.accountSid, '+15005550006'), ofGlobex), 401],
    ['a message of another tenant\'s subaccount at its own URL', () => form(`/webhooks/twilio/${globexNumber.connectionId}`, twilioMessage(ofAcme.accountSid, '+15005550006'), ofGlobex), 401],
    ['a message at another tenant\'s URL', () => form(`/webhooks/twilio/${globexNumber.connectionId}`, twilioMessage(ofAcme.accountSid, '+15005550006'), ofAcme), 401],
    ['a message with an id that is none', () => form('/api/webhooks/sms', { ...twilioMessage(ofAcme.accountSid, '+15005550006'), MessageSid: 'SM1' }, { authToken: 'nobody\'s' }), 401],
  ])('is %s', async (_case, request, status) => {
    expect((await send(request())).status).toBe(status);
    expect(await ingest.stored()).toEqual([]);
  });

  it('is a message without a signature, with a changed body, or with an address that was not signed', async () => {
    const request = form(at('/api/webhooks/sms', ofAcme), twilioMessage(ofAcme.accountSid, '+15005550006'), ofAcme);
    const { 'x-twilio-signature': _signature, ...unsigned } = request.headers;
    for (const forged of [{ ...request, headers: unsigned }, { ...request, body: `${request.body}&Extra=1` }, { ...request, path: `${request.path}&m=1` }, { ...request, path: request.path.replace('/sms', '/voicemail') }]) {
      expect(await send(forged)).toEqual({ status: 401, type: null, text: '' });
    }
    await nothingIsKept();
    const metrics = await fetch(`${ingest.url}/metrics`).then((response) => response.text());
    expect(metrics).toMatch(/ingest_webhook_parts_total\{provider="twilio",outcome="refused"\} [1-9]/);
  });

  it('is the address in headers: it is the public one and the request\'s target, whatever a proxy or a stranger says', async () => {
    const request = form(at('/api/webhooks/sms', ofAcme), twilioMessage(ofAcme.accountSid, '+15005550006'), ofAcme);
    const lies = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http', 'x-forwarded-port': '1', 'x-forwarded-prefix': '/evil', 'x-original-url': '/evil', forwarded: 'host=evil.example;proto=http' };
    expect((await send(request, lies)).status).toBe(200);
    const elsewhere = twilioForm('https://evil.example', at('/api/webhooks/sms', ofAcme), twilioMessage(ofAcme.accountSid, '+15005550006'), ofAcme.authToken);
    expect((await send(elsewhere, { ...lies, 'x-forwarded-proto': 'https' })).status).toBe(401);
    // Twilio leaves the port out of what it signs for calls over https.
    const withoutPort = twilioForm('https://hub.example.test/in', at('/api/webhooks/voicemail', ofAcme), twilioCall(ofAcme.accountSid, '+15005550006'), ofAcme.authToken);
    expect((await send(withoutPort)).status).toBe(200);
  });

  it('gets an answer that Twilio would send on as a message, least of all plain text', async () => {
    const requests = [
      form('/webhooks/twilio', twilioMessage(ofAcme.accountSid, '+15005550006'), ofAcme), form('/webhooks/twilio', twilioMessage(ofAcme.accountSid, '+15005550006'), ofGlobex), form('/webhooks/twilio', twilioMessage(twilioSid('AC'), '+1'), ofAcme),
      form('/webhooks/twilio', twilioMessage(twilioSid('AC'), '+1'), { authToken: 'nobody\'s' }), form('/webhooks/twilio', { nothing: '' }, ofAcme), form(at('/webhooks/twilio', ofGlobex), twilioCall(ofAcme.accountSid, '+15005550006'), ofAcme),
      form('/webhooks/twilio/con_nobody', {}, ofAcme), form('/webhooks/twilio', twilioCall(ofAcme.accountSid, '+15005550006'), ofAcme),
    ];
    const answers = [];
    for (const request of requests) answers.push(await send(request));
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 404, 404, 200, 403, 404, 200]);
    for (const { type, text } of answers) expect([[null, ''], ['text/xml; charset=utf-8', text]]).toContainEqual([type, text]);
  });
});

describe('what comes back about something of ours', () => {
  const status = (more: TwilioFields = {}) => ({ AccountSid: ofAcme.accountSid, From: '+15005550006', MessageSid: twilioSid('SM'), MessageStatus: 'delivered', To: '+15005550111', ...more });

  it.each(['', '/', '/status', '/after', '/recording', '/transcription', '/any/thing.else'])('is the connection\'s whose URL it comes to, however that goes on (%s)', async (ending) => {
    const request = form(`/webhooks/twilio/${acmeOther.connectionId}${ending}?account=${ofAcme.accountSid}&m=msg_1.2`, status(), ofAcme);
    expect(await send(request)).toEqual({ status: 204, type: null, text: '' });
    expect(await owners()).toEqual([[acme, acmeOther.connectionId]]);
    expect((await ingest.stored())[0]?.body).toContain('"query":{"m":"msg_1.2"}');
  });

  it('is the connection\'s whose number it is from at a URL of all', async () => {
    await send(form(at('/api/webhooks/sms', ofAcme), status({ From: 'whatsapp:+15005550007' }), ofAcme));
    await send(form(at('/api/webhooks/sms', ofAcme), status({ From: '+15005550099' }), ofAcme));
    expect(await owners()).toEqual([[acme, acmeOther.connectionId], [acme, acmeNumber.connectionId]]);
  });

  it('is each state once: what is repeated is one, what has changed is another', async () => {
    const sent = status({ MessageStatus: 'sent' });
    for (const fields of [sent, sent, { ...sent, MessageStatus: 'delivered' }, { ...sent, MessageStatus: 'delivered', EventType: 'READ' }, { ...sent, MessageStatus: 'failed', ErrorCode: '30008' }, { ...sent, MessageStatus: 'failed', ErrorCode: '30003' }]) {
      expect((await send(form(at('/api/webhooks/sms', ofAcme), fields, ofAcme))).status).toBe(204);
    }
    expect((await ingest.stored()).map((row) => row.event_key)).toEqual(['sent:-', 'delivered:-', 'read:-', 'failed:30008', 'failed:30003'].map((state) => `status:${sent.MessageSid}:${state}`));
  });

  it('stays out of metrics with its ids', async () => {
    await send(form(`/webhooks/twilio/${acmeOther.connectionId}/status?account=${ofAcme.accountSid}`, status(), ofAcme));
    const metrics = await fetch(`${ingest.url}/metrics`).then((response) => response.text());
    expect(metrics).toContain('/webhooks/twilio/:connectionId[/…]');
    for (const id of [acmeOther.connectionId, ofAcme.accountSid]) expect(metrics).not.toContain(id);
  });
});

describe('a call', () => {
  it('gets the greeting of its number\'s tenant in the caller\'s language, and callbacks to its own connection', async () => {
    const ours = await send(form(at('/api/webhooks/voicemail', ofAcme), twilioCall(ofAcme.accountSid, '+15005550006', { FromCountry: 'BR' }), ofAcme));
    expect([ours.status, ours.type]).toEqual([200, 'text/xml; charset=utf-8']);
    expect(ours.text).toContain('<Say language="en-US">Please leave a message after the tone.</Say><Record ');
    for (const [attribute, path] of [['action', 'after'], ['recordingStatusCallback', 'recording'], ['transcribeCallback', 'transcription']]) {
      expect(ours.text).toContain(` ${attribute}="${publicUrl}/webhooks/twilio/${acmeNumber.connectionId}/${path}?account=${ofAcme.accountSid}#rc=3&#38;rp=all"`);
    }
    const request = form(at('/api/webhooks/voicemail', ofGlobex), twilioCall(ofGlobex.accountSid, '+15005550006'), ofGlobex);
    const theirs = await send(request);
    expect(theirs.text).toContain('<Say language="pt-BR">Oi &#38; até &#60;já&#62;</Say>');
    expect(theirs.text).toContain(globexTwin.connectionId);
    expect(theirs.text).not.toContain('transcribe');
    expect(await send(request)).toEqual(theirs);
    expect(await owners()).toEqual([[acme, acmeNumber.connectionId], [globex, globexTwin.connectionId]]);
  });

  it('is hung up behind the recording, and needs no answer to anything else', async () => {
    const call = twilioCall(ofAcme.accountSid, '+15005550006');
    const to = (ending: string, fields: TwilioFields) => send(form(`/webhooks/twilio/${acmeNumber.connectionId}/${ending}?account=${ofAcme.accountSid}`, fields, ofAcme));
    expect((await to('after', { ...call, RecordingUrl: 'https://api.twilio.com/x', RecordingDuration: '7', Digits: 'hangup' })).text).toContain('<Response><Hangup/></Response>');
    const recording = { AccountSid: ofAcme.accountSid, CallSid: call['CallSid'] ?? '', RecordingSid: twilioSid('RE'), RecordingStatus: 'completed' };
    const others: TwilioFields[] = [recording, { ...recording, TranscriptionSid: twilioSid('TR'), TranscriptionStatus: 'failed' }, { ...call, CallStatus: 'completed' }, { AccountSid: ofAcme.accountSid, Payload: 'x' }];
    for (const fields of others) expect(await to('recording', fields)).toEqual({ status: 204, type: null, text: '' });
    expect((await ingest.stored()).map((row) => (JSON.parse(row.body) as { kind: string }).kind)).toEqual(['call_action', 'recording', 'transcription', 'call_status', 'other']);
    expect(new Set((await ingest.published()).slice(0, 4).map((event) => event.orderingKey))).toEqual(new Set([`${acmeNumber.connectionId}:${call['CallSid']}`]));
  });

  it('is answered from ingest\'s own copy while tenant-service is away, with the greeting as it was changed last', async () => {
    const changed = { ...acmeNumber, version: 2, answerSettings: { ...acmeNumber.answerSettings, greetings: '{"en-US":{"text":"We are closed"}}' } };
    const greeting = async () => (await send(form(at('/api/webhooks/voicemail', ofAcme), twilioCall(ofAcme.accountSid, '+15005550006'), ofAcme))).text;
    expect(await greeting()).not.toContain('We are closed');
    connect(changed);
    await ingest.publishChange(changed);
    await until(async () => (await greeting()).includes('<Say language="en-US">We are closed</Say>'));
    ingest.tenants.leave();
    try {
      await ingest.restart();
      expect(await greeting()).toContain('<Say language="en-US">We are closed</Say>');
      const [sealed] = (await ingest.admin.query<{ sealed: Buffer }>('select sealed_secrets as sealed from ingest.connections where connection_id = $1', [changed.connectionId])).rows;
      expect(sealed?.sealed.toString('latin1')).not.toContain('We are closed');
    } finally {
      ingest.tenants.comeBack();
    }
  });

  it('gets no instructions while it cannot be stored', async () => {
    ingest.wire.cut();
    try {
      expect(await send(form(at('/api/webhooks/voicemail', ofAcme), twilioCall(ofAcme.accountSid, '+15005550006'), ofAcme))).toEqual({ status: 503, type: null, text: '' });
    } finally {
      ingest.wire.mend();
    }
    await nothingIsKept();
  });
});

describe('a subaccount', () => {
  it('has two tokens while they are changed, and one again afterwards', async () => {
    const account = { accountSid: twilioSid('AC'), phoneNumber: '+15005550008' };
    const inMs = (ms: number) => new Date(Date.now() + ingest.clock.aheadMs + ms).toISOString();
    const connection = twilioConnection(acme, { ...account, authToken: 'old', webhookSecrets: [{ value: 'new', expiresAt: null }, { value: 'old', expiresAt: inMs(60_000) }] });
    connect(connection);
    const statusOf = async (authToken: string) => (await send(form(at('/api/webhooks/sms', account), twilioMessage(account.accountSid, '+15005550008'), { authToken }))).status;
    expect([await statusOf('old'), await statusOf('new'), await statusOf('other')]).toEqual([200, 200, 401]);
    ingest.clock.aheadMs += 61_000;
    expect([await statusOf('old'), await statusOf('new')]).toEqual([401, 200]);
  });

  it('that moves to another tenant takes nothing along: what came before stays, what comes later is the other\'s', async () => {
    const account = { accountSid: twilioSid('AC'), phoneNumber: '+15005550009', authToken: 'token of the one that moves' };
    const before = twilioConnection(acme, account);
    const after = twilioConnection(globex, account);
    const message = () => send(form(at('/api/webhooks/sms', account), twilioMessage(account.accountSid, '+15005550009'), account));
    connect(before);
    expect((await message()).status).toBe(200);
    ingest.tenants.connections.delete(before.connectionId);
    await ingest.publishChange({ ...before, version: 2 }, 'deleted');
    const isKnown = async (connection: WebhookConnection) => (await ingest.admin.query('select from ingest.connections where connection_id = $1', [connection.connectionId])).rowCount === 1;
    await until(async () => !(await isKnown(before)));
    connect(after);
    await ingest.publishChange(after);
    await until(() => isKnown(after));
    await until(async () => (await message()).status === 200);
    const rows = await owners();
    expect([rows[0], rows.at(-1)]).toEqual([[acme, before.connectionId], [globex, after.connectionId]]);
    expect(rows.filter(([tenant]) => tenant === acme)).toHaveLength(1);
    expect((await send(form(`/webhooks/twilio/${before.connectionId}`, twilioMessage(account.accountSid, '+15005550009'), account))).status).toBe(404);
  });
});
