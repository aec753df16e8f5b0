import { randomInt } from 'node:crypto';
import { describeContent, type MessageView } from '../../packages/contracts/src/index.ts';
import { ask, call, DemoFailure, eventually, type Addresses } from './hub.ts';
import type { Notebook } from './notebook.ts';
import { sideBySide, table } from './print.ts';
import { platformConnection } from './show-chatwoot.ts';

type Account = { readonly accountSid: string; readonly phoneNumber: string };
type Connection = { readonly id: string; readonly status: string; readonly statusReason: string | null; readonly provider: string; readonly routingIdentifiers: Record<string, string>; readonly settings: Record<string, string> };
type Tenant = { readonly name: string; readonly tenantId: string; readonly apiKey: string; readonly account: Account };
type Usage = { readonly subaccounts: readonly { readonly accountSid: string; readonly currency: string | null; readonly lines: readonly { readonly kind: string; readonly ours: { readonly count: number }; readonly twilio: { readonly count: number; readonly price: string }; readonly difference: number }[] }[] };

/**
 * One Twilio subaccount per client: one company brings its own, for the other the hub makes one in the platform's account and buys a number. One person
 * writes to both and leaves a voicemail with both.
 */
export async function showTwilio(addresses: Addresses, adminKey: string, notebook: Notebook): Promise<void> {
  console.log('\nTwo companies are reached by Twilio, each with a subaccount of its own; the second one\'s was made by the hub, number included.');
  const main = await notebook.keep('twilio-main', () => ask<{ accountSid: string; platform: object }>('POST', `${addresses.sandbox}/sandbox/twilio/accounts`, { body: { friendlyName: 'Of the platform' } }));
  const platformConnectionId = await platformConnection({ type: 'twilio', name: 'Demo Twilio', credentials: main.platform }, addresses, adminKey);
  const own = await notebook.keep('twilio-own', () => ask<{ credentials: object }>('POST', `${addresses.sandbox}/sandbox/twilio/tenants`, { body: { mainAccountSid: main.accountSid, friendlyName: 'Vandelay', receipts: 'read' } }));
  const tenants = [
    await onboard('Vandelay', own.credentials, addresses, adminKey, notebook),
    await onboard('Kramerica', { provision: true, platformConnectionId, numberCountry: 'US', channels: ['sms', 'voice'] }, addresses, adminKey, notebook),
  ];
  for (const { name, account } of tenants) console.log(`  ${name}: subaccount ${account.accountSid}, number ${account.phoneNumber}`);

  const contact = `+1501${randomInt(1_000_000, 10_000_000)}`;
  console.log(`\n${contact} writes an SMS to both, is answered, and leaves a voicemail.`);
  const threads = await Promise.all(tenants.map((tenant) => talk(tenant, contact, addresses)));
  console.log(`\n${sideBySide(threads[0] ?? [], threads[1] ?? [])}`);

  const [left, right] = tenants;
  if (left === undefined || right === undefined) return;
  const leads = async ({ apiKey }: Tenant) => (await ask<{ data: { leadId: string; contact: { phone: string } }[] }>('GET', `${addresses.gateway}/tenant/leads?source=voicemail`, { headers: { 'x-api-key': apiKey } })).data;
  const [mine, theirs] = [await leads(left), await leads(right)];
  const foreign = await call('GET', `${addresses.gateway}/tenant/leads/${mine[0]?.leadId}`, { headers: { 'x-api-key': right.apiKey } });
  console.log(`\nLeads by voicemail: ${left.name} ${mine.length}, ${right.name} ${theirs.length}; ${right.name} asks for one of ${left.name}: ${foreign.status}`);
  if (foreign.status !== 404 || mine.some(({ leadId }) => theirs.some((lead) => lead.leadId === leadId))) throw new DemoFailure('leads are not kept apart');

  console.log('\nWhat Twilio bills beside what the hub counted:');
  const rows = await Promise.all(tenants.map(async ({ name, apiKey }) => {
    const { subaccounts } = await ask<Usage>('GET', `${addresses.gateway}/tenant/twilio/usage`, { headers: { 'x-api-key': apiKey } });
    return subaccounts.flatMap(({ currency, lines }) => lines.filter(({ ours, twilio }) => ours.count + twilio.count > 0).map(({ kind, ours, twilio, difference }) => [name, kind, String(ours.count), String(twilio.count), String(difference), `${twilio.price} ${currency ?? ''}`]));
  }));
  console.log(table([['tenant', 'kind', 'hub', 'Twilio', 'difference', 'price'], ...rows.flat()]));
}

async function onboard(name: string, credentials: object, addresses: Addresses, adminKey: string, notebook: Notebook): Promise<Tenant> {
  const { tenantId, apiKey } = await notebook.tenant(name, addresses, adminKey);
  const headers = { 'x-api-key': apiKey };
  const { data } = await ask<{ data: Connection[] }>('GET', `${addresses.gateway}/tenant/connections`, { headers });
  const connection = data.find(({ provider }) => provider === 'twilio') ?? (await ask<Connection>('POST', `${addresses.gateway}/tenant/credentials`, { headers, body: { type: 'twilio', credentials } }));
  if (connection.status !== 'active') throw new DemoFailure(`Twilio of ${name} is ${connection.status}: ${connection.statusReason}`);
  const [accountSid = '', phoneNumber = ''] = (connection.routingIdentifiers['sender'] ?? '').split('/');
  return { name, tenantId, apiKey, account: { accountSid, phoneNumber } };
}

async function talk({ name, apiKey, account }: Tenant, contact: string, addresses: Addresses): Promise<string[]> {
  const headers = { 'x-api-key': apiKey };
  const contactDoes = (what: string, body: object) => ask('POST', `${addresses.sandbox}/sandbox/twilio/accounts/${account.accountSid}/${what}`, { body: { from: contact, to: account.phoneNumber, ...body } });
  const thread = async () => {
    const { data } = await ask<{ data: { conversationId: string; contact: { address: string } }[] }>('GET', `${addresses.gateway}/state/conversations?limit=200`, { headers });
    const conversationId = data.find((conversation) => conversation.contact.address === contact)?.conversationId;
    const messages = conversationId === undefined ? [] : (await ask<{ data: MessageView[] }>('GET', `${addresses.gateway}/state/conversations/${conversationId}/messages`, { headers })).data;
    return { conversationId, messages };
  };
  const until = (what: string, holds: (messages: readonly MessageView[]) => boolean) => eventually(`${what} at ${name}`, async () => { const found = await thread(); return holds(found.messages) ? found : undefined; });

  await contactDoes('receive', { text: `Do you deliver, ${name}?` });
  const { conversationId } = await until('the question', (messages) => messages.length === 1);
  await ask('POST', `${addresses.gateway}/state/conversations/${conversationId}/messages`, { headers, body: { text: `${name} delivers. Call us for an offer.` } });
  await until('the answer, delivered', (messages) => messages.some(({ deliveries }) => deliveries.some(({ status }) => status === 'delivered')));
  await contactDoes('call', { does: 'speak', seconds: 9, transcript: `Please call me back about the offer of ${name}.` });
  const { messages } = await until('the voicemail', (all) => all.some(({ content }) => content.kind === 'audio'));
  return [`${name}, ${account.phoneNumber}`, '', ...messages.map(({ author, content, deliveries }) => `${author}: ${content.kind === 'audio' ? '[voicemail] ' : ''}${describeContent(content)}${deliveries.length === 0 ? '' : ` ${deliveries.at(-1)?.status}`}`)];
}
