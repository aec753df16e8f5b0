import { newId } from '@switchboard/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fromAgent, fromContact, statusOf } from '../../test/messages.ts';
import { acme, globex, makeTenant, startState, type TestState, type TestTenant } from '../../test/start-state.ts';

let state: TestState;
let tenant: TestTenant;

beforeAll(async () => {
  state = await startState();
}, 60_000);
afterAll(() => state.stop());

// New connections for each test: its conversations are its own.
beforeEach(async () => {
  tenant = await state.addTenant(makeTenant(acme));
  await state.addTenant(makeTenant(globex));
  state.clock.now = new Date('2026-11-21T12:00:00.000Z');
  state.takePublished();
});

const sends = (type: string) => state.takePublished().filter((event) => event.type === type) as { orderingKey: string; payload: Record<string, unknown> }[];
const count = async (table: string) => (await state.rows<{ n: number }>(acme, `select count(*)::int as n from ${table}`))[0]?.n ?? 0;

async function converse(): Promise<string> {
  await state.consume(acme, 'message.received', fromContact(tenant));
  const [row] = await state.rows<{ conversation_id: string }>(acme, 'select conversation_id from conversations where channel_connection_id = $1', [tenant.whatsapp]);
  state.takePublished();
  return row?.conversation_id ?? '';
}

describe('a message of a contact', () => {
  it('is stored and sent to the desk under the contact\'s stable address', async () => {
    await state.consume(acme, 'message.received', fromContact(tenant, { contact: { address: '+1 500 555 0123', name: 'Ada' } }));
    const published = state.takePublished();
    expect(published.map(({ type }) => type)).toEqual(['message.send.genesys', 'conversation.changed']);
    expect(published[0]).toMatchObject({
      orderingKey: expect.stringMatching(/^cnv_/),
      payload: { connectionId: tenant.genesys, contact: { address: '15005550123', name: 'Ada' }, author: 'contact', content: { kind: 'text', text: 'hello' }, attributes: { channel: 'whatsapp', conversationId: published[0]?.orderingKey } },
    });
    expect(published[1]).toMatchObject({ payload: { status: 'open', handler: 'desk' } });
  });

  it('that comes five times is stored and sent once', async () => {
    const message = fromContact(tenant);
    for (let i = 0; i < 5; i++) await state.consume(acme, 'message.received', message);
    expect(sends('message.send.genesys')).toHaveLength(1);
    expect(await state.rows(acme, 'select from messages where provider_message_id = $1', [message.providerMessageId])).toHaveLength(1);
  });

  it('makes one contact, one conversation and one mapping, though ten first messages come at once by two keys', async () => {
    const byPhone = { address: '15005550123', aliases: { userId: 'US.1' } };
    const byUserId = { address: 'US.1', aliases: { userId: 'US.1' } };
    const contactsBefore = await count('contacts');
    await state.consume(acme, 'message.received', fromContact(tenant, { contact: byPhone }));
    tenant = await state.addTenant(makeTenant(acme));
    const again = Array.from({ length: 10 }, (_, index) => fromContact(tenant, { contact: index % 2 === 0 ? byPhone : byUserId }));
    await Promise.all(again.map((message) => state.consume(acme, 'message.received', message)));
    const conversations = await state.rows<{ message_count: number }>(acme, 'select message_count from conversations where channel_connection_id = $1', [tenant.whatsapp]);
    expect(conversations).toEqual([{ message_count: 10 }]);
    expect(await state.rows(acme, 'select from mappings where connection_id = $1', [tenant.genesys])).toHaveLength(1);
    expect(await count('contacts')).toBeLessThanOrEqual(contactsBefore + 1);
  });

  it('has a thread of its own at the desk for each number of the tenant it writes to, and each answer finds its way', async () => {
    const second = newId('con');
    const [route] = tenant.routing.routes;
    const [number] = tenant.routing.connections;
    if (route !== undefined) tenant.routing.routes.push({ ...route, channelConnectionId: second });
    if (number !== undefined) tenant.routing.connections.push({ ...number, connectionId: second });
    await state.consume(acme, 'message.received', fromContact(tenant));
    await state.consume(acme, 'message.received', fromContact(tenant, { connectionId: second }));
    const addresses = sends('message.send.genesys').map(({ payload }) => (payload['contact'] as { address: string }).address);
    expect(new Set(addresses).size).toBe(2);
    for (const address of addresses) await state.consume(acme, 'message.received', fromAgent(tenant, { contact: { address } }));
    expect(sends('message.send.whatsapp').map(({ payload }) => payload['connectionId'])).toEqual([tenant.whatsapp, second]);
  });

  it('stays in its thread when an older contact, who never wrote here, turns out to be the same person', async () => {
    const other = await state.addTenant(makeTenant(acme));
    const suffix = newId('evt').slice(-6);
    const [phone, userId] = [`1500${suffix.replaceAll(/\D/g, '1').padEnd(7, '2')}`, `US.${suffix}`];
    await state.consume(acme, 'message.received', fromContact(other, { contact: { address: userId, aliases: { userId } } }));
    await state.consume(acme, 'message.received', fromContact(tenant, { contact: { address: phone, aliases: { waId: phone } } }));
    await state.consume(acme, 'message.received', fromContact(tenant, { contact: { address: phone, aliases: { waId: phone, userId } } }));
    expect(await state.rows(acme, 'select message_count from conversations where channel_connection_id = $1', [tenant.whatsapp])).toEqual([{ message_count: 2 }]);
  });

  it('finds the same conversation by a Brazilian number with and without its 9', async () => {
    for (const address of ['5511987654321', '551187654321']) await state.consume(acme, 'message.received', fromContact(tenant, { contact: { address } }));
    const [row] = await state.rows<{ message_count: number; contact_address: string }>(acme, 'select message_count, contact_address from conversations where channel_connection_id = $1', [tenant.whatsapp]);
    expect(row).toEqual({ message_count: 2, contact_address: '551187654321' });
    const addresses = sends('message.send.genesys').map(({ payload }) => (payload['contact'] as { address: string }).address);
    expect(addresses).toEqual(['5511987654321', '5511987654321']);
  });

  it('is kept, and sent nowhere, when the tenant has no route', async () => {
    await state.addTenant({ ...tenant, routing: { ...tenant.routing, routes: [] } });
    const message = fromContact(tenant);
    await state.consume(acme, 'message.received', message);
    expect(state.takePublished().map(({ type }) => type)).toEqual(['conversation.changed']);
    expect(await state.rows(acme, 'select from messages where provider_message_id = $1', [message.providerMessageId])).toHaveLength(1);
  });

  it('stays with its tenant, though another has the same contact and provider ids', async () => {
    const theirs = state.tenants.get(globex) ?? tenant;
    const message = fromContact(tenant);
    await state.consume(acme, 'message.received', message);
    await state.consume(globex, 'message.received', { ...fromContact(theirs), providerMessageId: message.providerMessageId });
    const [ours, other] = sends('message.send.genesys');
    expect(ours?.payload['connectionId']).toBe(tenant.genesys);
    expect(other?.payload['connectionId']).toBe(theirs.genesys);
    expect(other?.orderingKey).not.toBe(ours?.orderingKey);
  });

  it('goes to the bot when the route starts with it, and to the desk after a handoff, with the reason', async () => {
    tenant = await state.addTenant(makeTenant(acme));
    const [route] = tenant.routing.routes;
    if (route !== undefined) Object.assign(route, { botConnectionId: tenant.botpress, startsWith: 'bot' });
    await state.consume(acme, 'message.received', fromContact(tenant));
    const [toBot] = sends('message.send.botpress');
    const conversationId = toBot?.orderingKey as `cnv_${string}`;
    await state.consume(acme, 'message.received', { ...fromAgent(tenant), connectionId: tenant.botpress, provider: 'botpress', role: 'bot', author: 'bot' });
    expect(state.takePublished()).toMatchObject([{ type: 'message.send.whatsapp', payload: { author: 'bot' } }]);

    state.clock.now = new Date('2026-11-21T12:00:05.000Z');
    await state.consume(acme, 'handoff.requested', { conversationId, from: 'bot', to: 'desk', reason: 'wants a person' });
    const published = state.takePublished();
    expect(published).toMatchObject([
      { type: 'message.send.genesys', payload: { content: { kind: 'handoff', reason: 'wants a person' }, attributes: { handoffReason: 'wants a person' } } },
      { type: 'message.send.genesys', payload: { content: { text: 'hello' }, attributes: { handoffReason: 'wants a person' } } },
      { type: 'conversation.changed', payload: { handler: 'desk', reason: 'wants a person' } },
    ]);
    await state.consume(acme, 'message.received', fromContact(tenant, { text: 'thanks' }));
    expect(state.takePublished().map(({ type }) => type)).toEqual(['message.send.genesys']);
  });
});

describe('a message of an agent', () => {
  it('goes to the contact on the channel', async () => {
    const conversationId = await converse();
    await state.consume(acme, 'message.received', fromAgent(tenant, { providerConversationId: 'g-1' }));
    expect(state.takePublished()).toMatchObject([
      { type: 'message.send.whatsapp', orderingKey: conversationId, payload: { connectionId: tenant.whatsapp, contact: { address: '15005550123', aliases: { waId: '15005550123' } }, author: 'agent', content: { text: 'how can I help?' } } },
    ]);
    await state.consume(acme, 'message.received', fromContact(tenant));
    expect(sends('message.send.genesys')[0]?.payload).toMatchObject({ providerConversationId: 'g-1' });
  });

  it('answers a message of the contact, named by each provider in its own words', async () => {
    await converse();
    const question = fromContact(tenant);
    await state.consume(acme, 'message.received', question);
    const [toDesk] = sends('message.send.genesys');
    const messageId = toDesk?.payload['messageId'] as `msg_${string}`;
    await state.consume(acme, 'message.status', statusOf(tenant.genesys, 'genesys', { messageId, providerMessageId: 'g-77', providerConversationId: 'g-9' }));
    await state.consume(acme, 'message.received', fromAgent(tenant, { replyToProviderMessageId: 'g-77' }));
    const [toContact] = sends('message.send.whatsapp');
    expect(toContact?.payload['replyToProviderMessageId']).toBe(question.providerMessageId);

    await state.consume(acme, 'message.status', statusOf(tenant.whatsapp, 'whatsapp', { messageId: toContact?.payload['messageId'] as `msg_${string}`, providerMessageId: 'wamid.out' }));
    const agents = await state.rows<{ provider_message_id: string }>(acme, 'select provider_message_id from messages where message_id = $1', [toContact?.payload['messageId']]);
    await state.consume(acme, 'message.received', fromContact(tenant, { content: { kind: 'reaction', emoji: '👍', providerMessageId: 'wamid.out' } }));
    expect(sends('message.send.genesys')[0]?.payload['content']).toEqual({ kind: 'reaction', emoji: '👍', providerMessageId: agents[0]?.provider_message_id });
  });

  it('outside the reply window fails, and the desk hears why', async () => {
    await converse();
    state.clock.now = new Date('2026-11-22T12:00:00.000Z');
    const answer = fromAgent(tenant);
    await state.consume(acme, 'message.received', answer);
    expect(state.takePublished()).toMatchObject([
      { type: 'message.send.genesys', payload: { content: { kind: 'receipt', providerMessageId: answer.providerMessageId, status: 'failed', error: { code: 'message.window_closed' } } } },
    ]);
    expect(await state.rows(acme, 'select d.status, d.error->>\'code\' as code from deliveries d join messages m using (message_id) where m.provider_message_id = $1', [answer.providerMessageId])).toEqual([
      { status: 'failed', code: 'message.window_closed' },
    ]);
  });

  it('outside the reply window goes out as the template of the route', async () => {
    const template = { name: 'back_soon', language: 'pt_BR', components: [] };
    const [route] = tenant.routing.routes;
    if (route !== undefined) Object.assign(route, { settings: { windowClosedTemplate: template } });
    await converse();
    state.clock.now = new Date('2026-11-22T12:00:00.000Z');
    await state.consume(acme, 'message.received', fromAgent(tenant));
    expect(state.takePublished()).toMatchObject([{ type: 'message.send.whatsapp', payload: { content: { kind: 'template', ...template } } }]);
  });

  it('to somebody in no conversation opens one on the channel that the desk serves', async () => {
    await state.consume(acme, 'message.received', fromAgent(tenant, { contact: { address: '15005550199', aliases: {} } }));
    expect(state.takePublished()).toMatchObject([
      { type: 'message.send.genesys', payload: { contact: { address: '15005550199' }, content: { kind: 'receipt', status: 'failed' } } },
      { type: 'conversation.changed', payload: { status: 'open', handler: 'desk' } },
    ]);
  });

  it('is no other tenant\'s business: the same address there finds nothing', async () => {
    await converse();
    const theirs = state.tenants.get(globex) ?? tenant;
    await expect(state.consume(globex, 'message.received', { ...fromAgent(theirs), connectionId: tenant.genesys })).rejects.toMatchObject({ code: 'mapping.not_found', retry: 'never' });
  });
});

describe('typing', () => {
  it('is passed on to the other side and stored nowhere', async () => {
    await converse();
    const before = await count('messages');
    await state.consume(acme, 'message.received', fromContact(tenant, { content: { kind: 'typing', on: true } }));
    await state.consume(acme, 'message.received', fromAgent(tenant, { content: { kind: 'typing', on: true } }));
    expect(state.takePublished().map(({ type }) => type)).toEqual(['message.send.genesys', 'message.send.whatsapp']);
    expect(await count('messages')).toBe(before);
  });
});

describe('while tenant-service is away', () => {
  it('a message of a tenant we have no copy of waits, and is not lost', async () => {
    state.tenantService.away = true;
    const message = fromContact(tenant);
    await expect(state.consume(acme, 'message.received', message)).rejects.toThrow('away');
    state.tenantService.away = false;
    await state.consume(acme, 'message.received', message);
    expect(state.takePublished().map(({ type }) => type)).toContain('message.send.genesys');
  });
});
