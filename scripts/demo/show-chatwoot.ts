import { randomInt } from 'node:crypto';
import { ask, call, DemoFailure, eventually, type Addresses } from './hub.ts';
import type { Notebook } from './notebook.ts';
import { sideBySide } from './print.ts';

/** An account at the sandbox's Chatwoot, as its controls give it. */
export type ChatwootAccount = { readonly server: string; readonly accountId: string; readonly credentials: Record<string, unknown>; readonly platform: Record<string, unknown> };

/** The platform's account, and the connection by which tenants get inboxes there. */
export type SharedAccount = ChatwootAccount & { readonly platformConnectionId: string };

/** Conversations as the sandbox's Chatwoot shows them. */
export type AgentView = { readonly conversationId: string; readonly inboxId: string; readonly sourceId: string; readonly status: string; readonly labels: string[]; readonly assignee: { name: string } | null; readonly messages: { readonly type: string; readonly text: string | null; readonly private: boolean; readonly sender: { readonly type: string } | null }[] };

type Tenant = { readonly name: string; readonly tenantId: string; readonly apiKey: string; readonly phoneNumberId: string; readonly inboxId: string; readonly account: ChatwootAccount };

/**
 * Chatwoot with shared and dedicated accounts: two companies have an inbox each in the platform's account, a third its own server, whose account has the same
 * number. One person writes to all three.
 */
export async function showChatwoot(addresses: Addresses, adminKey: string, notebook: Notebook): Promise<void> {
  console.log('\nTwo companies share the platform\'s Chatwoot account, each with an inbox of its own; a third has its own Chatwoot server. Both accounts have the number 1.');
  const shared = await platformAccount(addresses, adminKey, notebook);
  const own = await notebook.keep('chatwoot-own', () => ask<ChatwootAccount>('POST', `${addresses.sandbox}/sandbox/chatwoot/accounts`, { body: { server: 'demo-hooli', accountId: 1, name: 'Hooli' } }));
  const tenants = [
    await onboard('Initech', { mode: 'shared', platformConnectionId: shared.platformConnectionId }, shared, addresses, adminKey, notebook),
    await onboard('Umbrella', { mode: 'shared', platformConnectionId: shared.platformConnectionId }, shared, addresses, adminKey, notebook),
    await onboard('Hooli', own.credentials, own, addresses, adminKey, notebook),
  ];
  for (const { name, account, inboxId, phoneNumberId } of tenants) console.log(`  ${name}: number ${phoneNumberId} → inbox ${inboxId} of account ${account.accountId} at ${account.server}`);

  const contact = `1557${randomInt(1_000_000, 10_000_000)}`;
  console.log(`\n${contact} writes to all three on WhatsApp; agents of all three answer in Chatwoot.`);
  const threads = await Promise.all(tenants.map((tenant) => talk(tenant, contact, addresses)));
  console.log(`\n${sideBySide(threads[0] ?? [], threads[1] ?? [])}\n\n${(threads[2] ?? []).join('\n')}`);

  console.log('\nWhat each sees of Chatwoot by GET /tenant/chatwoot/conversations:');
  for (const { name, apiKey, inboxId } of tenants) {
    const { data } = await ask<{ data: { inboxId: string }[] }>('GET', `${addresses.gateway}/tenant/chatwoot/conversations`, { headers: { 'x-api-key': apiKey } });
    const inboxes = new Set(data.map((conversation) => conversation.inboxId));
    console.log(`  ${name}: ${data.length} conversation(s), of inbox ${[...inboxes].join(', ')}`);
    if (inboxes.size !== 1 || !inboxes.has(inboxId)) throw new DemoFailure('inboxes are not kept apart');
  }
}

/** The account of the platform, and its connection; both are there already when the demo runs again. */
export async function platformAccount(addresses: Addresses, adminKey: string, notebook: Notebook): Promise<SharedAccount> {
  const account = await notebook.keep('chatwoot-shared', () => ask<ChatwootAccount>('POST', `${addresses.sandbox}/sandbox/chatwoot/accounts`, { body: { server: 'demo-platform', accountId: 1, name: 'Of the platform' } }));
  return { ...account, platformConnectionId: await platformConnection({ type: 'chatwoot', name: 'Demo Chatwoot', credentials: account.platform }, addresses, adminKey) };
}

/** Found by its name, when the demo runs again. */
export async function platformConnection(body: { readonly type: string; readonly name: string; readonly credentials: object }, addresses: Addresses, adminKey: string): Promise<string> {
  const headers = { authorization: `Bearer ${adminKey}` };
  const { data } = await ask<{ data: { id: string; name: string }[] }>('GET', `${addresses.gateway}/platform/connections?limit=200`, { headers });
  const known = data.find(({ name }) => name === body.name);
  return (known ?? (await ask<{ id: string }>('POST', `${addresses.gateway}/platform/connections`, { headers, body }))).id;
}

async function onboard(name: string, credentials: Record<string, unknown>, account: ChatwootAccount, addresses: Addresses, adminKey: string, notebook: Notebook): Promise<Tenant> {
  const { tenantId, apiKey } = await notebook.tenant(name, addresses, adminKey);
  const meta = await notebook.keep(`whatsapp-${tenantId}`, () => ask<{ credentials: { phoneNumberId: string } }>('POST', `${addresses.sandbox}/sandbox/whatsapp/accounts`, { body: { receipts: 'read' } }));
  await connect(apiKey, { type: 'meta', credentials: meta.credentials }, addresses);
  const { data } = await ask<{ data: { provider: string; settings: Record<string, string> }[] }>('GET', `${addresses.gateway}/tenant/connections`, { headers: { 'x-api-key': apiKey } });
  const known = data.find(({ provider }) => provider === 'chatwoot');
  const { settings } = known ?? (await connect(apiKey, { type: 'chatwoot', role: 'desk', credentials }, addresses));
  return { name, tenantId, apiKey, phoneNumberId: meta.credentials.phoneNumberId, inboxId: settings['inboxId'] ?? '', account };
}

export async function connect(apiKey: string, body: { readonly type: string; readonly role?: string; readonly credentials: object }, addresses: Addresses) {
  const connection = await ask<{ id: string; status: string; statusReason: string | null; settings: Record<string, string> }>('POST', `${addresses.gateway}/tenant/credentials`, { headers: { 'x-api-key': apiKey }, body });
  if (connection.status !== 'active') throw new DemoFailure(`${body.type} is ${connection.status}: ${connection.statusReason}`);
  return connection;
}

export async function agentViews({ server, accountId }: ChatwootAccount, inboxId: string, addresses: Addresses): Promise<AgentView[]> {
  return (await ask<{ data: AgentView[] }>('GET', `${addresses.sandbox}/sandbox/chatwoot/${server}/accounts/${accountId}/conversations?inboxId=${inboxId}`)).data;
}

/** As a person of the desk does in a conversation: `reply`, `status`. */
export function atDesk({ server, accountId }: ChatwootAccount, conversationId: string, what: string, body: object, addresses: Addresses): Promise<unknown> {
  return ask('POST', `${addresses.sandbox}/sandbox/chatwoot/${server}/accounts/${accountId}/conversations/${conversationId}/${what}`, { body });
}

async function talk(tenant: Tenant, contact: string, addresses: Addresses): Promise<string[]> {
  const { name, account, inboxId, phoneNumberId } = tenant;
  const question = `Hello ${name}, is my order there yet? (${contact})`;
  await ask('POST', `${addresses.sandbox}/sandbox/whatsapp/${phoneNumberId}/receive`, { body: { from: contact, name: 'Ada', text: question } });
  const find = async () => (await agentViews(account, inboxId, addresses)).find(({ messages }) => messages.some(({ text }) => text === question));
  const seen = await eventually(`the question at ${name}'s agents`, find);
  await atDesk(account, seen.conversationId, 'reply', { text: 'Ada again: look it up in the other system.', private: true }, addresses);
  await atDesk(account, seen.conversationId, 'reply', { text: `This is ${name}: tomorrow before noon.` }, addresses);
  await eventually(`the answer of ${name}`, async () => {
    const { json } = await call('GET', `${addresses.sandbox}/sandbox/whatsapp/${phoneNumberId}/sent`);
    const texts = JSON.stringify(json);
    if (texts.includes('the other system')) throw new DemoFailure('a private note reached the contact');
    return texts.includes(`This is ${name}: tomorrow before noon.`) ? true : undefined;
  });
  const conversation = await find();
  return [`${name}, conversation ${seen.conversationId} of inbox ${inboxId}`, '', ...(conversation?.messages ?? []).map(({ type, text, private: isNote }) => `${isNote ? 'note' : type === 'incoming' ? 'contact' : 'agent'}: ${text}`)];
}
