import { beforeAll, describe, expect, it } from '@jest/globals';
import { providers } from '@switchboard/providers';
import { signWebhook } from '@switchboard/providers/webhook-auth';
import { randomUUID } from 'node:crypto';
import { eventually, quietMs, sleep } from './eventually.ts';
import type { HubProcess } from './hub-process.ts';
import { callJson, type ConnectionRecord } from './onboard.ts';
import { Sandbox, type ChatwootAccount } from './sandbox.ts';

type Subaccount = { readonly credentials: { readonly accountSid: string; readonly authToken: string; readonly phoneNumber: string } };
type Connection = ConnectionRecord & { readonly settings: Readonly<Record<string, string>> };
type Said = { readonly author: string; readonly direction: string; readonly content: { readonly kind: string; readonly text?: string; readonly media?: { readonly caption?: string; readonly mediaKey?: string } }; readonly deliveries: readonly { readonly status: string; readonly error: { readonly code: string } | null }[] };
type AtTwilio = { readonly sid: string; readonly to: string; readonly from: string; readonly body: string; readonly direction: string };
/** A tenant with a number for WhatsApp, SMS and calls in a subaccount of its own, and agents in a Chatwoot account of its own. */
type Client = { readonly tenantId: string; readonly key: { readonly 'x-api-key': string }; readonly account: Subaccount['credentials']; readonly connection: Connection; readonly desk: ChatwootAccount; readonly inboxId: string };

/** The same person writes to and calls every tenant. */
const person = '+15005550777';

/** One Twilio subaccount per client: WhatsApp, SMS and voicemail, in the model that all other channels have. */
export function describeTwilio({ hub, secrets }: { hub: () => HubProcess; secrets: string[] }): void {
  describe('with a Twilio subaccount per client', () => {
    const sandbox = new Sandbox(hub);
    const admin = () => ({ authorization: `Bearer ${hub().adminKey}` });
    const gateway = <T = Record<string, unknown>>(method: string, path: string, headers: Record<string, string>, body?: unknown) => callJson<T>(method, `${hub().url('API_GATEWAY')}${path}`, headers, body);
    let weyland: Client;
    let aperture: Client;

    beforeAll(async () => {
      const main = await sandbox.call<{ credentials: { accountSid: string; authToken: string } } & { accountSid: string; authToken: string }>('POST', 'twilio/accounts', { friendlyName: 'The platform' });
      secrets.push(main.authToken);
      weyland = await onboard('weyland', main.accountSid);
      aperture = await onboard('aperture', main.accountSid);
    }, 120_000);

    async function onboard(tenantId: string, mainAccountSid: string): Promise<Client> {
      const key = await createTenant(tenantId);
      const { credentials: account } = await sandbox.call<Subaccount>('POST', 'twilio/tenants', { mainAccountSid, friendlyName: tenantId, receipts: 'read' });
      const desk = await sandbox.chatwootAccount({ server: tenantId, accountId: 1, name: tenantId, agents: ['Ann'] });
      secrets.push(account.authToken, desk.administrator.token);
      const connection = await connect(key, { type: 'twilio', credentials: account });
      const agents = await connect(key, { type: 'chatwoot', role: 'desk', credentials: desk.credentials });
      return { tenantId, key, account, connection, desk, inboxId: agents.settings['inboxId'] ?? '' };
    }

    async function createTenant(tenantId: string): Promise<Client['key']> {
      const created = await gateway<{ apiKey: string }>('POST', '/tenants', admin(), { tenantId, name: tenantId, plan: 'enterprise', rateLimit: 100_000 });
      expect([tenantId, created.status]).toEqual([tenantId, 201]);
      secrets.push(created.json.apiKey);
      return { 'x-api-key': created.json.apiKey };
    }

    async function connect(key: Client['key'], body: object): Promise<Connection> {
      const { json, text } = await gateway<Connection>('POST', '/tenant/credentials', key, body);
      expect([json.status, json.statusReason, json.status === 'active' ? '' : text]).toEqual(['active', null, '']);
      return json;
    }

    const atAccount = ({ account }: Pick<Client, 'account'>, path: string) => `twilio/accounts/${account.accountSid}/${path}`;
    const write = (client: Pick<Client, 'account'>, body: { readonly from: string } & Record<string, unknown>) => {
      const isWhatsApp = body.from.startsWith('whatsapp:');
      return sandbox.call<{ messageSid: string; attempts: (number | null)[] }>('POST', atAccount(client, 'receive'), { to: `${isWhatsApp ? 'whatsapp:' : ''}${client.account.phoneNumber}`, name: 'Ada', ...body });
    };
    const conversationsOf = async (key: Client['key']) => (await gateway<{ data: { conversationId: string; contact: { address: string }; handler: string }[] }>('GET', '/state/conversations?limit=200', key)).json.data;
    /** What the tenant's API shows of its conversation with this address. */
    const thread = async ({ key }: Pick<Client, 'key'>, address: string): Promise<readonly Said[]> => {
      const found = (await conversationsOf(key)).find(({ contact }) => contact.address === address);
      return found === undefined ? [] : (await gateway<{ data: Said[] }>('GET', `/state/conversations/${found.conversationId}/messages?limit=200`, key)).json.data;
    };
    const textsOf = (said: readonly Said[]) => said.map(({ content }) => content.text ?? content.media?.caption ?? content.kind);
    const reaches = (client: Pick<Client, 'key' | 'tenantId'>, address: string, text: string) =>
      eventually(`"${text}" at ${client.tenantId}`, async () => (await thread(client, address)).find(({ content }) => (content.text ?? content.media?.caption) === text));
    const sentTo = async ({ account }: Pick<Client, 'account'>, to: string) => (await sandbox.call<{ data: AtTwilio[] }>('GET', `twilio/accounts/${account.accountSid}/messages?direction=outbound-api&to=${encodeURIComponent(to)}`)).data;
    const agentSees = async ({ desk, inboxId }: Client) => (await sandbox.conversations(desk, inboxId)).map((conversation) => ({ ...conversation, texts: conversation.messages.map(({ text }) => text) }));
    const say = async (client: Client, address: string, text: string) => {
      const found = (await conversationsOf(client.key)).find(({ contact }) => contact.address === address);
      return gateway<{ messageId: string; code: string }>('POST', `/state/conversations/${found?.conversationId}/messages`, client.key, { text });
    };

    /** A webhook as Twilio sends it, signed with a token, at an address of ours. */
    async function postAs({ as, account, to, text, token }: { readonly as: string; readonly account: string; readonly to: string; readonly text: string; readonly token: string }): Promise<number> {
      const url = `${hub().url('WEBHOOK_INGEST')}/api/webhooks/sms?account=${account}`;
      const sid = `SM${randomUUID().replaceAll('-', '')}`;
      const body = new URLSearchParams({ AccountSid: as, ApiVersion: '2010-04-01', Body: text, From: '+15005550999', MessageSid: sid, SmsSid: sid, SmsMessageSid: sid, NumMedia: '0', NumSegments: '1', SmsStatus: 'received', To: to }).toString();
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const signature = signWebhook(providers.twilio.webhook.auth, { url, body: Buffer.from(body), headers }, token);
      return (await fetch(url, { method: 'POST', headers: { ...headers, ...signature }, body })).status;
    }

    it('two clients connect WhatsApp: messages to the number of the one reach the one, to the number of the other the other', async () => {
      const from = `whatsapp:${person}`;
      await Promise.all([weyland, aperture].flatMap((client) => [1, 2, 3].map((nth) => write(client, { from, text: `${nth} to ${client.tenantId}` }))));
      for (const client of [weyland, aperture]) {
        for (const nth of [1, 2, 3]) await reaches(client, from, `${nth} to ${client.tenantId}`);
        await eventually(`three messages at the agents of ${client.tenantId}`, async () => ((await agentSees(client))[0]?.texts.length === 3 ? true : undefined));
      }
      await sleep(quietMs);
      for (const client of [weyland, aperture]) {
        expect(textsOf(await thread(client, from)).toSorted()).toEqual([1, 2, 3].map((nth) => `${nth} to ${client.tenantId}`));
        expect((await agentSees(client)).flatMap(({ texts }) => texts).toSorted()).toEqual([1, 2, 3].map((nth) => `${nth} to ${client.tenantId}`));
        const [conversation] = await agentSees(client);
        expect(conversation?.contact.phone_number).toBe(person);
        await sandbox.act(client.desk, conversation?.conversationId ?? '', 'reply', { text: `answer of ${client.tenantId}` });
      }
      for (const client of [weyland, aperture]) {
        const answered = await eventually(`the answer of ${client.tenantId}`, async () => (await thread(client, from)).find(({ author, deliveries }) => author === 'agent' && deliveries.some(({ status }) => status === 'read')));
        expect(answered.content.text).toBe(`answer of ${client.tenantId}`);
        expect((await sentTo(client, from)).map(({ from: sender, body }) => [sender, body])).toEqual([[`whatsapp:${client.account.phoneNumber}`, `answer of ${client.tenantId}`]]);
      }
    });

    it('leads created by the one are visible to the one only', async () => {
      const created = await gateway<{ leadId: string }>('POST', '/tenant/leads', weyland.key, { source: 'fair', contact: { name: 'Ada', phone: person }, notes: 'wants a quote' });
      expect(created.status).toBe(201);
      const { leadId } = created.json;
      const leads = async ({ key }: Client) => (await gateway<{ data: { leadId: string; source: string }[] }>('GET', '/tenant/leads?source=fair', key)).json.data.map((lead) => lead.leadId);
      expect([await leads(weyland), await leads(aperture)]).toEqual([[leadId], []]);
      expect((await gateway('PATCH', `/tenant/leads/${leadId}`, aperture.key, { status: 'lost' })).status).toBe(404);
      expect((await gateway('PATCH', `/tenant/leads/${leadId}`, weyland.key, { status: 'contacted', assignee: 'Ann', notes: 'called back' })).json).toMatchObject({ status: 'contacted', assignee: 'Ann', notes: 'called back' });
      const csv = async ({ key }: Client) => (await fetch(`${hub().url('API_GATEWAY')}/tenant/leads.csv?source=fair`, { headers: key })).text();
      expect(await csv(weyland)).toContain(leadId);
      expect(await csv(aperture)).not.toContain(leadId);
    });

    describe('whoever speaks for another account', () => {
      const webhooksOf = async ({ tenantId }: Client) => (await gateway<{ data: unknown[] }>('GET', `/tenants/${tenantId}/webhooks?limit=200`, admin())).json.data.length;

      it('is refused: another account in the address, another account\'s token, an account that nobody has', async () => {
        const [a, b] = [weyland.account, aperture.account];
        const before = [await webhooksOf(weyland), await webhooksOf(aperture)];
        const forged = { to: b.phoneNumber, text: 'forged' };
        expect(await postAs({ ...forged, as: a.accountSid, account: b.accountSid, token: a.authToken })).toBe(403);
        expect(await postAs({ ...forged, as: b.accountSid, account: a.accountSid, token: a.authToken })).toBe(403);
        expect(await postAs({ ...forged, as: b.accountSid, account: b.accountSid, token: a.authToken })).toBe(401);
        expect(await postAs({ ...forged, to: a.phoneNumber, as: a.accountSid, account: a.accountSid, token: b.authToken })).toBe(401);
        const stranger = `AC${randomUUID().replaceAll('-', '')}`;
        expect(await postAs({ ...forged, as: stranger, account: stranger, token: a.authToken })).toBe(404);
        expect([await webhooksOf(weyland), await webhooksOf(aperture)]).toEqual(before);
        await eventually('the platform to see the unknown account', async () => (await gateway('GET', '/unknown-accounts?provider=twilio', admin())).text.includes(stranger) || undefined);
        expect((await gateway('GET', '/unknown-accounts', weyland.key)).status).toBe(401);
      });

      it('cannot reach the other\'s number by its text: what a subaccount says is its own tenant\'s', async () => {
        expect(await postAs({ as: aperture.account.accountSid, account: aperture.account.accountSid, to: weyland.account.phoneNumber, text: 'to the number of the other', token: aperture.account.authToken })).toBe(200);
        await reaches(aperture, '+15005550999', 'to the number of the other');
        expect(await thread(weyland, '+15005550999')).toEqual([]);
      });
    });

    it('sends nothing to who has said STOP to this number, until START; the other tenant\'s number is not meant', async () => {
      for (const client of [weyland, aperture]) {
        await write(client, { from: person, text: 'Hello' });
        await reaches(client, person, 'Hello');
        // What was said on WhatsApp is a thread of its own, in which other rules hold.
        expect(textsOf(await thread(client, person))).toEqual(['Hello']);
      }
      await write(weyland, { from: person, text: ' Stop ' });
      await reaches(weyland, person, ' Stop ');
      await say(weyland, person, 'an offer');
      const refused = await eventually('the refusal', async () => (await thread(weyland, person)).find(({ deliveries }) => deliveries.some(({ status }) => status === 'failed')));
      expect(refused.deliveries[0]?.error?.code).toBe('message.opted_out');
      await say(aperture, person, 'an answer');
      await eventually('the answer of the other', async () => (await sentTo(aperture, person)).find(({ body }) => body === 'an answer'));
      expect((await gateway<{ data: unknown[] }>('GET', '/tenant/twilio/opt-outs', weyland.key)).json.data).toMatchObject([{ address: person }]);
      expect((await gateway<{ data: unknown[] }>('GET', '/tenant/twilio/opt-outs', aperture.key)).json.data).toEqual([]);
      await write(weyland, { from: person, text: 'START' });
      await reaches(weyland, person, 'START');
      await say(weyland, person, 'welcome back');
      await eventually('what may be sent again', async () => (await sentTo(weyland, person)).find(({ body }) => body === 'welcome back'));
      expect((await sentTo(weyland, person)).map(({ body }) => body)).toEqual(['welcome back']);
    });

    it('takes a voicemail: the recording with its transcript to the agents, and a lead; a call that leaves nothing is a missed one', async () => {
      const caller = '+15005550702';
      const call = (client: Client, body: Record<string, unknown>) => sandbox.call<{ callSid: string; verbs: readonly { readonly verb: string }[]; error: unknown }>('POST', atAccount(client, 'call'), { from: caller, to: client.account.phoneNumber, ...body });
      const heard = await call(weyland, { does: 'speak', seconds: 12, transcript: 'Please call me back about the ship.' });
      expect([heard.error, JSON.stringify(heard.verbs)]).toEqual([null, expect.stringMatching(/Say.*Record/)]);
      await call(aperture, { does: 'hangUp' });
      const voicemail = await reaches(weyland, caller, 'Please call me back about the ship.');
      expect(voicemail).toMatchObject({ author: 'contact', content: { kind: 'audio', media: { mediaKey: expect.stringMatching(/^[0-9a-f]{64}$/) } } });
      await eventually('the recording at the agents', async () => (await agentSees(weyland)).find(({ messages }) => messages.some(({ attachments }) => attachments.length > 0)));
      const leads = async ({ key }: Client) => (await gateway<{ data: { contact: { phone: string }; notes: string; conversationId: string | null }[] }>('GET', '/tenant/leads?source=voicemail', key)).json.data;
      const lead = await eventually('the lead with its conversation', async () => (await leads(weyland)).find(({ conversationId }) => conversationId !== null));
      expect(lead).toMatchObject({ contact: { phone: caller }, notes: expect.stringContaining('about the ship') });
      await eventually('the missed call', async () => (await thread(aperture, caller)).find(({ content }) => content.kind === 'notice'));
      expect(await leads(aperture)).toEqual([]);
    });

    it('is answered by a bot, and by people when the contact asks for them', async () => {
      const key = await createTenant('initrode');
      const { credentials: account } = await sandbox.call<Subaccount>('POST', 'twilio/tenants', {});
      const bot = await sandbox.call<{ credentials: Record<string, string> }>('POST', 'botpress/bots', { kind: 'cloud', behaviour: { rules: [], otherwise: [{ say: 'The bot heard: {{text}}' }] } });
      const desk = await sandbox.chatwootAccount({ server: 'initrode', accountId: 1, name: 'Initrode', agents: ['Milton'] });
      secrets.push(account.authToken, desk.administrator.token, ...['encryptionKey', 'webhookSecret', 'accessToken'].map((name) => String(bot.credentials[name])));
      const connection = await connect(key, { type: 'twilio', credentials: account });
      await connect(key, { type: 'botpress', credentials: bot.credentials });
      const agents = await connect(key, { type: 'chatwoot', role: 'desk', credentials: desk.credentials });
      const config = { botName: 'Bob', welcomeMessage: 'Welcome to Initrode', language: 'en', fallbackMessage: 'Sorry', enableHumanHandoff: true, allowedActions: ['handoff'], escalationRules: { keywords: ['manager'] } };
      expect((await gateway('POST', '/api/chatbot/tenants', key, { config, knowledgeBase: [] })).status).toBe(201);
      const client: Client = { tenantId: 'initrode', key, account, connection, desk, inboxId: agents.settings['inboxId'] ?? '' };
      const answers = async () => (await sentTo(client, person)).map(({ body }) => body).toReversed();
      await write(client, { from: person, text: 'Where is my stapler?' });
      await eventually('the bot\'s answer by SMS', async () => ((await answers()).includes('The bot heard: Where is my stapler?') ? true : undefined));
      await write(client, { from: person, text: 'I want the manager' });
      const handed = await eventually('the conversation at the agents', async () => (await agentSees(client)).find(({ texts }) => texts.some((text) => text?.includes('manager'))));
      await sandbox.act(desk, handed.conversationId, 'reply', { text: 'Milton speaking.' });
      await eventually('the agent\'s answer by SMS', async () => ((await answers()).includes('Milton speaking.') ? true : undefined));
    });

    it('has Genesys at the desk where the tenant\'s route says so, with the whole way there and back', async () => {
      const key = await createTenant('gringotts');
      const { credentials: account } = await sandbox.call<Subaccount>('POST', 'twilio/tenants', {});
      const genesys = await sandbox.call<{ type: string; credentials: { clientSecret: string } }>('POST', 'genesys/accounts', {});
      secrets.push(account.authToken, genesys.credentials.clientSecret);
      await connect(key, { type: 'twilio', credentials: account });
      const posted = (await gateway<Connection>('POST', '/tenant/credentials', key, genesys)).json;
      const desk = await eventually('Genesys to be connected', async () => { const { json } = await gateway<Connection>('GET', `/tenant/connections/${posted.id}`, key); return json.status === 'active' ? json : undefined; }, 60_000);
      const { integrationId } = desk.routingIdentifiers;
      await write({ account }, { from: `whatsapp:${person}`, text: 'Open my vault' });
      const seen = await eventually('the message at Genesys', async () => (await sandbox.call<{ data: { body: { channel?: { from?: { id: string } }; text?: string } }[] }>('GET', `genesys/${integrationId}/received`)).data.find(({ body }) => body.text === 'Open my vault'));
      await sandbox.call('POST', `genesys/${integrationId}/reply`, { to: seen.body.channel?.from?.id, text: 'Your key, please.' });
      await eventually('the agent\'s answer on WhatsApp', async () => (await sentTo({ account }, `whatsapp:${person}`)).find(({ body }) => body === 'Your key, please.'));
    });

    it('makes a subaccount with a number for a tenant that has none, and suspends it with the tenant', async () => {
      const main = await sandbox.call<{ accountSid: string; platform: object }>('POST', 'twilio/accounts', { friendlyName: 'The platform' });
      const platform = await gateway<{ id: string }>('POST', '/platform/connections', admin(), { type: 'twilio', name: 'Main account', credentials: main.platform });
      expect([platform.status, platform.text]).toEqual([201, platform.text]);
      const key = await createTenant('massive');
      const connection = await connect(key, { type: 'twilio', credentials: { provision: true, numberCountry: 'US', channels: ['sms', 'voice'] } });
      const { accountSid = '' } = connection.routingIdentifiers;
      const account = { accountSid, authToken: '', phoneNumber: connection.settings['phoneNumber'] ?? connection.routingIdentifiers['sender']?.split('/')[1] ?? '' };
      await write({ account }, { from: person, text: 'Hello Massive' });
      await reaches({ key, tenantId: 'massive' }, person, 'Hello Massive');
      expect((await gateway<{ data: { name: string; tenants: number }[] }>('GET', '/platform/connections?limit=200', admin())).json.data).toContainEqual(expect.objectContaining({ name: 'Main account', tenants: 1 }));
      const status = async () => (await sandbox.call<{ status: string }>('GET', `twilio/accounts/${accountSid}`)).status;
      for (const [wish, expected] of [['suspended', 'suspended'], ['active', 'active']] as const) {
        expect((await gateway('PATCH', '/tenants/massive', admin(), { status: wish })).status).toBe(200);
        await eventually(`the subaccount to be ${expected}`, async () => ((await status()) === expected ? true : undefined));
      }
    });

    it('shows what Twilio bills beside what the hub counted, and nobody else\'s', async () => {
      const { json, text } = await gateway<{ subaccounts: { accountSid: string; error: string | null; lines: { kind: string; ours: { count: number }; twilio: { count: number }; difference: number }[] }[] }>('GET', '/tenant/twilio/usage', aperture.key);
      expect(json.subaccounts.map(({ accountSid, error }) => [accountSid, error])).toEqual([[aperture.account.accountSid, null]]);
      expect(text).not.toContain(weyland.account.accountSid);
      const line = (kind: string) => json.subaccounts[0]?.lines.find((one) => one.kind === kind);
      for (const kind of ['whatsapp_inbound', 'whatsapp_outbound', 'sms_outbound']) expect([kind, line(kind)]).toEqual([kind, expect.objectContaining({ difference: 0 })]);
      expect(line('whatsapp_inbound')?.ours.count).toBe(3);
    });

    it('keeps every message while a token is rotated under traffic, and refuses the old one afterwards', async () => {
      const texts = Array.from({ length: 60 }, (_, nth) => `during the rotation ${nth}`);
      const writing = (async () => {
        for (const text of texts) {
          await write(weyland, { from: '+15005550701', text });
          await sleep(60);
        }
      })();
      await sleep(500);
      const rotated = await gateway<Connection>('POST', `/tenant/connections/${weyland.connection.id}/rotate`, weyland.key, { credentials: { rotateAuthToken: true } });
      expect([rotated.json.status, rotated.json.statusReason]).toEqual(['active', null]);
      await writing;
      await eventually('all that was written meanwhile', async () => ((await thread(weyland, '+15005550701')).length >= texts.length ? true : undefined), 60_000);
      expect(textsOf(await thread(weyland, '+15005550701'))).toEqual(texts);
      await say(weyland, '+15005550701', 'with the new token');
      await eventually('what is sent with the new token', async () => (await sentTo(weyland, '+15005550701')).find(({ body }) => body === 'with the new token'));
      const withOldToken = () => postAs({ as: weyland.account.accountSid, account: weyland.account.accountSid, to: weyland.account.phoneNumber, text: 'with the old token', token: weyland.account.authToken });
      expect(await withOldToken()).toBe(200);
      expect((await gateway('DELETE', `/tenant/connections/${weyland.connection.id}/previous-secrets`, weyland.key)).status).toBe(200);
      await eventually('the old token to be refused', async () => ((await withOldToken()) === 401 ? true : undefined));
    });

    it('leaves what came before a subaccount moved to another tenant where it was, and gives what comes after to the new one', async () => {
      const [from, to] = [await createTenant('moving-out'), await createTenant('moving-in')];
      const { credentials: account } = await sandbox.call<Subaccount>('POST', 'twilio/tenants', { channels: ['sms'] });
      secrets.push(account.authToken);
      const before = await connect(from, { type: 'twilio', credentials: account });
      await write({ account }, { from: person, text: 'before the move' });
      await reaches({ key: from, tenantId: 'moving-out' }, person, 'before the move');
      expect((await gateway('POST', '/tenant/credentials', to, { type: 'twilio', credentials: account })).json).toMatchObject({ code: 'connection.identifier_taken' });
      expect((await gateway('DELETE', `/tenant/connections/${before.id}`, from)).status).toBe(200);
      await connect(to, { type: 'twilio', credentials: account });
      await write({ account }, { from: person, text: 'after the move' });
      await reaches({ key: to, tenantId: 'moving-in' }, person, 'after the move');
      expect(textsOf(await thread({ key: from }, person))).toEqual(['before the move']);
      expect(textsOf(await thread({ key: to }, person))).toEqual(['after the move']);
    });
  });
}
