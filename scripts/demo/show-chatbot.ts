import { randomInt } from 'node:crypto';
import { ask, call, DemoFailure, eventually, type Addresses } from './hub.ts';
import type { Notebook } from './notebook.ts';
import { sideBySide } from './print.ts';
import { agentViews, atDesk, connect, platformAccount, platformConnection, type AgentView, type ChatwootAccount, type SharedAccount } from './show-chatwoot.ts';

type Tenant = { readonly name: string; readonly tenantId: string; readonly apiKey: string; readonly inboxId: string; readonly account: ChatwootAccount; readonly answer: string };

/** What the stand-in for Botpress says: it knows only what comes with each turn. */
const script = { rules: [{ contains: 'open', replies: [{ fromKnowledge: 'That I do not know.' }] }], otherwise: [{ say: 'I am the bot that {{tenantContext.tenantId}} shares. You said: {{text}}' }] };

/** The chatbot platform: website visitors in Chatwoot, one bot for all tenants in front, each tenant's agents behind. */
export async function showChatbot(addresses: Addresses, adminKey: string, notebook: Notebook): Promise<void> {
  console.log('\nTwo companies put the platform\'s bot in front of their website chat; each has its own words, its own knowledge and its own agents.');
  const account = await platformAccount(addresses, adminKey, notebook);
  const bot = await platformBot(addresses, adminKey, notebook);
  const tenants = [
    await onboard('Wonka', 'Wonka opens at nine, and the river at ten.', { account, bot }, addresses, adminKey, notebook),
    await onboard('Duff', 'Duff opens at four in the afternoon.', { account, bot }, addresses, adminKey, notebook),
  ];
  const visitor = `visitor-${randomInt(1_000_000, 10_000_000)}`;
  console.log(`${visitor} asks both bots the same, then wants a person; the agent answers and resolves; then the bot is back.`);
  const threads = await Promise.all(tenants.map((tenant) => chat(tenant, visitor, addresses)));
  console.log(`\n${sideBySide(threads[0] ?? [], threads[1] ?? [])}`);

  const [wonka, duff] = tenants;
  if (wonka === undefined || duff === undefined) return;
  const { status, json } = await call('GET', `${addresses.gateway}/api/chatbot/tenants/${wonka.tenantId}/config`, { headers: { 'x-api-key': duff.apiKey } });
  console.log(`\nDuff asks for Wonka's chatbot: ${status} ${JSON.stringify((json as { error?: string }).error)}`);
  if (status !== 404) throw new DemoFailure('chatbots are not kept apart');
}

async function platformBot(addresses: Addresses, adminKey: string, notebook: Notebook): Promise<string> {
  const { credentials } = await notebook.keep('botpress-shared', () => ask<{ credentials: object }>('POST', `${addresses.sandbox}/sandbox/botpress/bots`, { body: { kind: 'cloud', behaviour: script } }));
  return platformConnection({ type: 'botpress', name: 'Demo bot', credentials }, addresses, adminKey);
}

async function onboard(name: string, answer: string, { account, bot }: { account: SharedAccount; bot: string }, addresses: Addresses, adminKey: string, notebook: Notebook): Promise<Tenant> {
  const { tenantId, apiKey } = await notebook.tenant(name, addresses, adminKey);
  const headers = { 'x-api-key': apiKey };
  const { data } = await ask<{ data: { provider: string; settings: Record<string, string> }[] }>('GET', `${addresses.gateway}/tenant/connections`, { headers });
  const { settings } = data.find(({ provider }) => provider === 'chatwoot') ?? (await connect(apiKey, { type: 'chatwoot', role: 'channel', credentials: { mode: 'shared', platformConnectionId: account.platformConnectionId, inboxType: 'website', websiteUrl: `https://${name.toLowerCase()}.example` } }, addresses));
  if (!data.some(({ provider }) => provider === 'botpress')) await connect(apiKey, { type: 'botpress', credentials: { mode: 'shared', platformConnectionId: bot } }, addresses);
  const config = {
    botName: `${name}'s bot`,
    welcomeMessage: `Welcome to ${name}! I am a bot; say "agent" for a person.`,
    language: 'en',
    fallbackMessage: 'I am slow today, sorry.',
    allowedActions: ['handoff'],
    escalationRules: { keywords: ['agent'], labels: ['from-the-bot'] },
  };
  await ask('PUT', `${addresses.gateway}/api/chatbot/tenants/${tenantId}/config`, { headers, body: { config, knowledgeBase: [{ question: 'When are you open?', answer, tags: ['hours'] }] } });
  return { name, tenantId, apiKey, inboxId: settings['inboxId'] ?? '', account, answer };
}

async function chat(tenant: Tenant, visitor: string, addresses: Addresses): Promise<string[]> {
  const { name, account, inboxId, answer } = tenant;
  const write = (text: string) => ask('POST', `${addresses.sandbox}/sandbox/chatwoot/${account.server}/accounts/${account.accountId}/inboxes/${inboxId}/receive`, { body: { from: visitor, name: 'Ada', text } });
  const look = async (): Promise<AgentView | undefined> => (await agentViews(account, inboxId, addresses)).findLast(({ messages, sourceId }) => sourceId === visitor && messages.length > 0);
  const until = (what: string, holds: (thread: AgentView) => boolean) => eventually(`${what} at ${name}`, async () => { const thread = await look(); return thread !== undefined && holds(thread) ? thread : undefined; });
  const says = (text: string) => until(`"${text}"`, ({ messages }) => messages.some((message) => message.text?.includes(text)));

  await write('When are you open?');
  await says(answer);
  await write('Let me talk to an agent.');
  const taken = await until('the note for the agent', ({ status, messages }) => status === 'open' && messages.some((message) => message.private));
  await write('Hello?');
  await atDesk(account, taken.conversationId, 'reply', { text: `A person of ${name} here. All well?` }, addresses);
  await write('Yes, thank you.');
  await atDesk(account, taken.conversationId, 'status', { status: 'resolved' }, addresses);
  await eventually(`the bot of ${name} to be back`, async () => {
    const { data } = await ask<{ data: { handler: string; contact: { address: string } }[] }>('GET', `${addresses.gateway}/state/conversations?limit=200`, { headers: { 'x-api-key': tenant.apiKey } });
    return data.some(({ handler, contact }) => handler === 'bot' && contact.address === visitor) ? true : undefined;
  });
  await write('And now?');
  const thread = await says('You said: And now?');
  if (JSON.stringify(thread.messages).includes('You said: Hello?')) throw new DemoFailure(`the bot of ${name} spoke while a person had the conversation`);
  const line = ({ type, text, private: isNote, sender }: AgentView['messages'][number]) => `${isNote ? 'note' : type === 'incoming' ? 'visitor' : type === 'activity' ? 'desk' : sender?.type === 'User' ? 'agent' : 'bot'}: ${(text ?? '').replaceAll('\n', ' / ')}`;
  return [`${name} (${tenant.tenantId})`, '', ...thread.messages.map(line)];
}
