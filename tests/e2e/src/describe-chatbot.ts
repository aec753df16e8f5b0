import { beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventually, quietMs, sleep } from './eventually.ts';
import type { HubProcess } from './hub-process.ts';
import { callJson, type ConnectionRecord } from './onboard.ts';
import { Sandbox, type ChatwootAccount, type ChatwootConversation } from './sandbox.ts';

type Bot = { readonly bot: string; readonly credentials: Readonly<Record<string, unknown>> };
type Turn = { readonly kind: string; readonly conversationId: string; readonly payload: { readonly text?: string }; readonly metadata?: { readonly tenantContext?: { readonly tenantId?: string } } };
/** A tenant whose visitors write in a Chatwoot inbox, whose bot answers, and whose agents sit in the same inbox. */
type Tenant = { readonly tenantId: string; readonly key: { readonly 'x-api-key': string }; readonly account: ChatwootAccount; readonly inboxId: string; readonly bot: Bot; readonly connection: ConnectionRecord };

/** What the bots of these tests say, by words in what they hear. */
const script = {
  rules: [
    { contains: 'open', replies: [{ fromKnowledge: 'I do not know.' }] },
    { contains: 'call me', replies: [{ action: { type: 'lead_capture', name: 'Ada', email: 'ada@visitors.example', notes: 'wants a call' } }, { say: 'We will call you.' }] },
    { contains: 'book', replies: [{ action: { type: 'booking', name: 'Ada' } }, { say: 'after booking' }] },
  ],
  otherwise: [{ say: '{{tenantContext.tenantId}} heard: {{text}}' }],
};

/** The chatbot platform: a bot that two tenants share in inboxes of one Chatwoot account, and a tenant with everything of its own. */
export function describeChatbot({ hub, secrets }: { hub: () => HubProcess; secrets: string[] }): void {
  describe('with a bot in front', () => {
    const sandbox = new Sandbox(hub);
    const admin = () => ({ authorization: `Bearer ${hub().adminKey}` });
    const gateway = <T = Record<string, unknown>>(method: string, path: string, headers: Record<string, string>, body?: unknown) => callJson<T>(method, `${hub().url('API_GATEWAY')}${path}`, headers, body);
    let cyberdyne: Tenant;
    let soylent: Tenant;
    let oscorp: Tenant;
    let shared: ChatwootAccount;
    let sharedBot: Bot;

    beforeAll(async () => {
      shared = await sandbox.chatwootAccount({ server: 'bots', accountId: 1, name: 'Of the platform', agents: ['Bruno'] });
      sharedBot = await sandbox.call<Bot>('POST', 'botpress/bots', { kind: 'cloud', behaviour: script });
      const inboxes = await platformConnection('chatwoot', 'Shard 2', shared.platform);
      const bots = await platformConnection('botpress', 'The bot of all', sharedBot.credentials);
      const ofPlatform = (tenantId: string) => ({ chatwoot: { mode: 'shared', inboxType: 'website', websiteUrl: `https://${tenantId}.example`, platformConnectionId: inboxes }, botpress: { mode: 'shared', platformConnectionId: bots } });
      cyberdyne = await onboard('cyberdyne', shared, sharedBot, ofPlatform('cyberdyne'));
      soylent = await onboard('soylent', shared, sharedBot, ofPlatform('soylent'));
      const own = await sandbox.chatwootAccount({ server: 'oscorp', accountId: 1, name: 'Oscorp', agents: ['Norman'] });
      const ownBot = await sandbox.call<Bot>('POST', 'botpress/bots', { kind: 'cloud', behaviour: script });
      oscorp = await onboard('oscorp', own, ownBot, { chatwoot: { ...own.credentials, inboxType: 'website', websiteUrl: 'https://oscorp.example' }, botpress: { ...ownBot.credentials, replyTimeoutSeconds: 1 } });
    }, 120_000);

    async function platformConnection(type: string, name: string, credentials: object): Promise<string> {
      const { status, json, text } = await gateway<{ id: string }>('POST', '/platform/connections', admin(), { type, name, credentials });
      expect([status, text]).toEqual([201, text]);
      return json.id;
    }

    async function onboard(tenantId: string, account: ChatwootAccount, bot: Bot, credentials: { chatwoot: object; botpress: object }): Promise<Tenant> {
      const created = await gateway<{ apiKey: string }>('POST', '/tenants', admin(), { tenantId, name: tenantId, plan: 'enterprise', rateLimit: 100_000 });
      expect([tenantId, created.status]).toEqual([tenantId, 201]);
      const key = { 'x-api-key': created.json.apiKey };
      for (const secret of [created.json.apiKey, account.administrator.token, bot.credentials['encryptionKey'], bot.credentials['webhookSecret'], bot.credentials['accessToken']]) secrets.push(String(secret));
      const channel = await gateway<ConnectionRecord & { settings: Record<string, string> }>('POST', '/tenant/credentials', key, { type: 'chatwoot', role: 'channel', credentials: credentials.chatwoot });
      const botConnection = await gateway<ConnectionRecord>('POST', '/tenant/credentials', key, { type: 'botpress', credentials: credentials.botpress });
      expect([channel.json.status, channel.json.statusReason, botConnection.json.status, botConnection.json.statusReason]).toEqual(['active', null, 'active', null]);
      // Agents of a shared account can be named by a tenant when they sit in its inbox.
      const inboxId = inboxIdOf(channel.json);
      const seated = await callJson('POST', `${String(account.credentials['apiUrl'])}/api/v1/accounts/${account.accountId}/inbox_members`, { 'api-access-token': account.administrator.token }, { inbox_id: Number(inboxId), user_ids: account.agents.map(({ id }) => id) });
      expect(seated.status).toBe(200);
      const config = {
        botName: `${tenantId}'s bot`,
        systemPrompt: 'Be brief.',
        welcomeMessage: `Welcome to ${tenantId}`,
        language: 'en',
        fallbackMessage: `Sorry from ${tenantId}`,
        enableHumanHandoff: true,
        allowedActions: ['lead_capture', 'handoff'],
        escalationRules: { agentId: String(account.agents[0]?.id), keywords: ['manager'], labels: ['escalated'] },
      };
      const knowledgeBase = [{ question: 'When are you open?', answer: `${tenantId} opens at nine.`, tags: ['hours'] }];
      const chatbot = await gateway('POST', '/api/chatbot/tenants', key, { config, knowledgeBase });
      expect([chatbot.status, chatbot.text]).toEqual([201, chatbot.text]);
      return { tenantId, key, account, bot, inboxId, connection: channel.json };
    }

    const inboxIdOf = ({ routingIdentifiers, settings }: ConnectionRecord & { settings: Record<string, string> }) => settings['inboxId'] ?? routingIdentifiers['inboxId'] ?? routingIdentifiers['sharedInboxId'] ?? '';
    const write = ({ account, inboxId }: Tenant, from: string, text: string) => sandbox.visit(account, inboxId, { from, name: 'Ada', text });
    const threadOf = async ({ account, inboxId }: Tenant, from: string): Promise<ChatwootConversation> => {
      const found = (await sandbox.conversations(account, inboxId)).find(({ sourceId }) => sourceId === from);
      if (found === undefined) throw new Error(`${from} has no conversation`);
      return found;
    };
    /** What the visitor reads that is not theirs. */
    const readBy = async (tenant: Tenant, from: string) => (await threadOf(tenant, from)).messages.flatMap(({ type, text, private: isNote }) => (type === 'incoming' || type === 'activity' || isNote ? [] : [text]));
    const reads = (tenant: Tenant, from: string, text: string) => eventually(`"${text}" at a visitor of ${tenant.tenantId}`, async () => (await readBy(tenant, from)).includes(text) || undefined);
    const turns = async ({ bot }: Tenant) => (await sandbox.call<{ data: Turn[] }>('GET', `botpress/bots/${bot.bot}/turns`)).data;
    const heard = async (tenant: Tenant) => (await turns(tenant)).flatMap(({ payload }) => payload.text ?? []);

    it('makes a route of the inbox, the bot, and the agents who sit in that inbox', async () => {
      for (const { key, connection } of [cyberdyne, soylent, oscorp]) {
        const { json } = await gateway<{ routes: object[] }>('GET', '/tenant/routes', key);
        expect(json.routes).toMatchObject([{ channelConnectionId: connection.id, deskConnectionId: connection.id, startsWith: 'bot' }]);
      }
    });

    it('welcomes a visitor once, and answers from what that tenant knows', async () => {
      for (const tenant of [cyberdyne, soylent, oscorp]) {
        await write(tenant, 'visitor-1', 'When are you open?');
        await reads(tenant, 'visitor-1', `${tenant.tenantId} opens at nine.`);
        await write(tenant, 'visitor-1', 'Thank you');
        await reads(tenant, 'visitor-1', `${tenant.tenantId} heard: Thank you`);
        expect(await readBy(tenant, 'visitor-1')).toEqual([`Welcome to ${tenant.tenantId}`, `${tenant.tenantId} opens at nine.`, `${tenant.tenantId} heard: Thank you`]);
      }
    });

    it('never mixes what two tenants say to the bot that they share', async () => {
      const visitors = ['one', 'two', 'three'].map((name) => `visitor-${name}`);
      const said = Array.from({ length: 36 }, () => {
        const tenant = Math.random() < 0.5 ? cyberdyne : soylent;
        return { tenant, from: visitors[Math.floor(Math.random() * visitors.length)] ?? '', text: randomUUID() };
      });
      const lanes = Map.groupBy(said, ({ tenant, from }) => `${tenant.tenantId} ${from}`);
      await Promise.all([...lanes.values()].map(async (lane) => { for (const { tenant, from, text } of lane) await write(tenant, from, text); }));
      for (const { tenant, from, text } of said) await reads(tenant, from, `${tenant.tenantId} heard: ${text}`);
      await sleep(quietMs);
      for (const lane of lanes.values()) {
        const [{ tenant, from } = { tenant: cyberdyne, from: '' }] = lane;
        expect(await readBy(tenant, from)).toEqual([`Welcome to ${tenant.tenantId}`, ...lane.map(({ text }) => `${tenant.tenantId} heard: ${text}`)]);
      }
      // The bot itself was told whose each turn is, and had one conversation for each visitor of each tenant.
      const shared = (await turns(cyberdyne)).filter(({ payload }) => said.some(({ text }) => text === payload.text));
      for (const { payload, metadata } of shared) expect(metadata?.tenantContext?.tenantId).toBe(said.find(({ text }) => text === payload.text)?.tenant.tenantId);
      const pairs = new Map(shared.map(({ conversationId, payload }) => { const one = said.find(({ text }) => text === payload.text); return [conversationId, `${one?.tenant.tenantId} ${one?.from}`]; }));
      expect(new Set(pairs.values()).size).toBe(pairs.size);
    }, 120_000);

    it('takes a lead for the tenant whose visitor left it', async () => {
      await write(cyberdyne, 'visitor-1', 'Please call me');
      await reads(cyberdyne, 'visitor-1', 'We will call you.');
      const leads = ({ key }: Tenant) => gateway<{ data: { source: string; contact: { name: string; email: string }; notes: string }[] }>('GET', '/tenant/leads', key);
      await eventually('the lead', async () => ((await leads(cyberdyne)).json.data.length === 1 ? true : undefined));
      expect((await leads(cyberdyne)).json.data).toMatchObject([{ contact: { name: 'Ada', email: 'ada@visitors.example' } }]);
      expect((await leads(soylent)).json.data).toEqual([]);
    });

    it('refuses what the tenant has not allowed the bot to do, and says so in the audit', async () => {
      await write(soylent, 'visitor-1', 'book a table');
      await reads(soylent, 'visitor-1', 'after booking');
      expect((await gateway<{ data: unknown[] }>('GET', '/api/chatbot/tenants/soylent/bookings', soylent.key)).json.data).toEqual([]);
      await eventually('the refusal', async () => ((await gateway('GET', '/tenant/audit?limit=100', soylent.key)).text.includes('chatbot_action.refused') ? true : undefined));
    });

    it('hands a visitor who asks for it to the agent that the tenant names, keeps the bot silent, and gives back what is resolved', async () => {
      for (const tenant of [cyberdyne, oscorp]) {
        const from = 'visitor-handed-over';
        await write(tenant, from, 'Is my parcel lost?');
        await reads(tenant, from, `${tenant.tenantId} heard: Is my parcel lost?`);
        await write(tenant, from, 'Get me the MANAGER, please');
        const taken = await eventually('the agent', async () => {
          const thread = await threadOf(tenant, from);
          return thread.assignee !== null && thread.status === 'open' && thread.labels.includes('escalated') && thread.messages.some((message) => message.private) ? thread : undefined;
        });
        expect(taken.assignee?.id).toBe(tenant.account.agents[0]?.id);
        expect(taken.messages.find((message) => message.private)?.text).toContain('Is my parcel lost?');
        await write(tenant, from, 'Are you there?');
        await sandbox.act(tenant.account, taken.conversationId, 'reply', { text: 'Here I am.' });
        await write(tenant, from, 'Good.');
        await sleep(quietMs);
        expect(await heard(tenant)).not.toEqual(expect.arrayContaining(['Are you there?']));
        expect(await heard(tenant)).not.toEqual(expect.arrayContaining(['Good.']));
        expect((await readBy(tenant, from)).filter((text) => text === 'Here I am.')).toHaveLength(1);
        await sandbox.act(tenant.account, taken.conversationId, 'status', { status: 'resolved' });
        await eventually('the conversation to be the bot\'s', async () => {
          const { json } = await gateway<{ data: { handler: string; contact: { address: string } }[] }>('GET', '/state/conversations?limit=100', tenant.key);
          return json.data.some(({ handler, contact }) => handler === 'bot' && contact.address === from) || undefined;
        });
        await write(tenant, from, 'Back again');
        await reads(tenant, from, `${tenant.tenantId} heard: Back again`);
        expect((await readBy(tenant, from)).filter((text) => text === `Welcome to ${tenant.tenantId}`)).toHaveLength(1);
      }
    }, 120_000);

    it('speaks for a bot that says nothing, once, and hands over when it goes on like that', async () => {
      const from = 'visitor-unheard';
      await sandbox.call('PATCH', `botpress/bots/${oscorp.bot.bot}`, { behaviour: 'silent' });
      await write(oscorp, from, 'Hello?');
      await reads(oscorp, from, 'Sorry from oscorp');
      await write(oscorp, from, 'Hello??');
      await eventually('the agent', async () => ((await threadOf(oscorp, from)).assignee === null ? undefined : true));
      expect((await readBy(oscorp, from)).filter((text) => text === 'Sorry from oscorp').length).toBeLessThanOrEqual(2);
      await sandbox.call('PATCH', `botpress/bots/${oscorp.bot.bot}`, { behaviour: script });
    });

    it('takes the published forms of both webhooks, with the secret in a header', async () => {
      const { secret } = (await callJson<{ payload: { webhooks: { secret: string }[] } }>('GET', `${String(oscorp.account.credentials['apiUrl'])}/api/v1/accounts/1/webhooks`, { 'api-access-token': oscorp.account.administrator.token })).json.payload.webhooks[0] ?? { secret: '' };
      const post = async (path: string, token: string, body: object) => (await callJson('POST', `${hub().url('WEBHOOK_INGEST')}${path}`, { 'x-webhook-token': token }, body)).status;
      const thread = await threadOf(oscorp, 'visitor-1');
      const form = { inbox_id: Number(oscorp.inboxId), conversation: { id: Number(thread.conversationId), contact_inbox: { source_id: 'visitor-1' } }, content: 'By the published form' };
      expect(await post('/api/webhooks/chatbot/chatwoot', 'not the secret at all', form)).toBeGreaterThanOrEqual(401);
      expect(await post('/api/webhooks/chatbot/chatwoot', secret, form)).toBe(200);
      await eventually('the turn', async () => (await heard(oscorp)).includes('By the published form') || undefined);
      const sessionId = (await turns(oscorp)).find(({ payload }) => payload.text === 'By the published form')?.conversationId;
      expect(await post('/api/webhooks/chatbot/botpress', 'not the secret at all', { sessionId, responses: [{ text: 'forged' }] })).toBeGreaterThanOrEqual(401);
      expect(await post('/api/webhooks/chatbot/botpress', String(oscorp.bot.credentials['webhookSecret']), { sessionId, responses: [{ text: 'Answered by the published form' }] })).toBe(200);
      await reads(oscorp, 'visitor-1', 'Answered by the published form');
      expect(await readBy(oscorp, 'visitor-1')).not.toContain('forged');
    });

    it('lets a tenant change its own chatbot at once, and nobody else\'s', async () => {
      const path = '/api/chatbot/tenants/cyberdyne/config';
      expect((await gateway('GET', path, soylent.key)).status).toBe(404);
      expect((await gateway('PUT', path, soylent.key, { config: { botName: 'Stolen' } })).status).toBe(404);
      const { json } = await gateway<{ config: object; version: number }>('GET', path, admin());
      const changed = await gateway<{ version: number }>('PUT', path, cyberdyne.key, { config: { ...json.config, welcomeMessage: 'A new welcome' } });
      expect([changed.status, changed.json.version > json.version]).toEqual([200, true]);
      await eventually('the new welcome', async () => {
        const from = randomUUID();
        await write(cyberdyne, from, 'Hi');
        await reads(cyberdyne, from, 'cyberdyne heard: Hi');
        return (await readBy(cyberdyne, from)).includes('A new welcome') || undefined;
      });
      const invalid = await gateway<{ issues: { path: string; message: string }[] }>('PUT', path, cyberdyne.key, { config: { ...json.config, businessHours: { timezone: 'Mars/Olympus', hours: [] } } });
      expect([invalid.status, invalid.json.issues.map((issue) => issue.path)]).toEqual([400, ['body.config.businessHours.timezone']]);
    });
  });
}
