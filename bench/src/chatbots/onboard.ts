import { callJson } from '../e2e/providers.ts';

/** A tenant whose contacts write in a Chatwoot inbox of the platform and are answered by a bot. */
export type ChatbotTenant = { readonly tenantId: string; readonly accountId: number; readonly inboxId: number };

/** Addresses of a hub, and of the stand-ins it calls. */
export type Place = { readonly tenantServiceUrl: string; readonly botpressConnectorUrl: string; readonly adminKey: string; readonly standInUrl: string };

/** Accounts of the platform that the tenants' inboxes are spread over. */
export const accountsMax = 4;
const entriesEach = 20;
const entryBytes = 1_000;

/** One in two tenants has a bot of its own, whose knowledge is pushed to it; the others share the platform's. */
export function hasOwnBot(index: number): boolean {
  return index % 2 === 1;
}

export const botOf = (index: number) => `bot-${index}`;

/** 20 KB of questions and answers, other ones for each tenant. */
export function knowledgeOf(index: number): { readonly question: string; readonly answer: string; readonly tags: string[] }[] {
  return Array.from({ length: entriesEach }, (_, entry) => {
    const question = `What does company ${index} say about ${topics[entry % topics.length]} ${entry}?`;
    const said = `Company ${index} answers in its own words (${entry}): ${topics[(entry * 7 + index) % topics.length]}, and what goes with it. `;
    return { question, answer: said.repeat(Math.ceil(entryBytes / said.length)).slice(0, entryBytes - question.length).trim(), tags: [] };
  });
}

const topics = ['shipping', 'returns', 'opening hours', 'invoices', 'warranty', 'repairs', 'gift cards', 'delivery to islands', 'student discounts', 'damaged parcels', 'spare parts', 'newsletters'];

export function configOf(index: number): object {
  return {
    botName: `Bot of company ${index}`,
    language: 'en',
    systemPrompt: `You answer for company ${index}, kindly and in short. `.repeat(8),
    allowedActions: ['lead_capture', 'handoff'],
    escalationRules: { keywords: ['complaint'] },
    ...(hasOwnBot(index) ? { botpressBotId: botOf(index) } : {}),
  };
}

const headersOf = ({ adminKey }: Place) => ({ authorization: `Bearer ${adminKey}` });

/** The platform's accounts at Chatwoot, and its bot. */
export async function connectPlatform(place: Place): Promise<void> {
  const url = `${place.tenantServiceUrl}/platform/connections`;
  for (let accountId = 1; accountId <= accountsMax; accountId++) {
    await callJson('POST', url, { type: 'chatwoot', name: `Account ${accountId}`, credentials: { apiUrl: `${place.standInUrl}/chatwoot`, accountId: String(accountId), apiToken: 'administrator', sandbox: true } }, headersOf(place));
  }
  await callJson('POST', url, { type: 'botpress', name: 'Bot', credentials: { kind: 'cloud', webhookId: 'bot-of-the-platform', encryptionKey: 'key-of-the-platform', webhookSecret: 'secret-of-the-platform', replyTimeoutSeconds: 300, callsPerMinute: 60_000, sandbox: true } }, headersOf(place));
}

type Connection = { readonly status: string; readonly statusReason: string | null; readonly routingIdentifiers: Readonly<Record<string, string>> };

export async function onboardTenant(place: Place, index: number): Promise<ChatbotTenant> {
  const tenantId = `bench-${index}`;
  const headers = headersOf(place);
  await callJson('POST', `${place.tenantServiceUrl}/tenants`, { tenantId, name: `Company ${index}`, plan: 'enterprise' }, headers);
  const connect = async (form: object) => {
    const connection = await callJson<Connection>('POST', `${place.tenantServiceUrl}/tenants/${tenantId}/credentials`, form, headers);
    if (connection.status !== 'active') throw new Error(`${JSON.stringify(form)} of ${tenantId}: ${connection.statusReason}`);
    return connection;
  };
  const own = { kind: 'cloud', webhookId: botOf(index), botId: botOf(index), encryptionKey: `key-of-${index}`, webhookSecret: `secret-of-company-${index}`, accessToken: `access-of-${index}`, callsPerMinute: 60_000, sandbox: true };
  await connect({ type: 'botpress', credentials: { ...(hasOwnBot(index) ? own : { mode: 'shared' }), replyTimeoutSeconds: 300 } });
  const { routingIdentifiers } = await connect({ type: 'chatwoot', role: 'channel', credentials: { mode: 'shared', inboxType: 'website', websiteUrl: 'https://company.example' } });
  await callJson('POST', `${place.botpressConnectorUrl}/api/chatbot/tenants`, { tenantId, config: configOf(index), knowledgeBase: knowledgeOf(index) }, headers);
  const [accountId = 0, inboxId = 0] = (routingIdentifiers['sharedInbox'] ?? '').split('/').map(Number);
  return { tenantId, accountId, inboxId };
}

/** Has a tenant's knowledge pushed; what else waits is looked at then too. */
export async function startSync(place: Place, tenantId: string): Promise<void> {
  await callJson('POST', `${place.botpressConnectorUrl}/api/chatbot/tenants/${tenantId}/config/sync`, {}, headersOf(place));
}
