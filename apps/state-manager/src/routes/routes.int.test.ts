import { createMapping, getConversation, getMapping, getStats, listConversations, listMessages, newId, sendMessage, type ConversationId, type ConversationView, type MappingView, type MessageView, type TenantId } from '@switchboard/contracts';
import { describeRoute } from '@switchboard/service-kit/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runState, tenants, type Answer, type RunningState } from '../../test/run-state.ts';
import { acme, globex } from '../../test/start-state.ts';

let state: RunningState;

beforeAll(async () => {
  state = await runState();
}, 60_000);
afterAll(() => state?.stop());

const query: RunningState['query'] = (text, values) => state.query(text, values);
const call: RunningState['call'] = (...given) => state.call(...given);

let last = 0;
/** A WhatsApp id that no test has used. */
const newWaId = () => `1500556${String(++last).padStart(4, '0')}`;

/** A conversation in which the contact wrote a moment ago, unless `silent`. */
async function converse(tenantId: TenantId, { silent = false } = {}): Promise<ConversationId> {
  const { json } = await call<MappingView>(tenantId, 'POST', '/state/mapping', { waId: newWaId(), contactName: 'Ada' });
  if (!silent) await query('update state.conversations set last_inbound_at = now() where conversation_id = $1', [json.conversationId]);
  return json.conversationId;
}

const suite = { service: 'state-manager', url: () => state.url, tenants: [acme, globex] } as const;
const badLimit = { 'a limit of 0': (input: object) => ({ ...input, query: { limit: 0 } }), 'a foreign cursor': (input: object) => ({ ...input, query: { cursor: 'x' } }) };
const noConversation = () => ({ params: { conversationId: newId('cnv') } });

describeRoute(getStats, { ...suite, input: () => ({}) });
describeRoute(listConversations, { ...suite, input: async (tenantId) => (await converse(tenantId), {}), badInputs: badLimit });
describeRoute(getConversation, { ...suite, input: async (tenantId) => ({ params: { conversationId: await converse(tenantId) } }), missing: noConversation });
describeRoute(listMessages, { ...suite, input: async (tenantId) => ({ params: { conversationId: await converse(tenantId) } }), missing: noConversation, badInputs: badLimit });
describeRoute(sendMessage, {
  ...suite,
  input: async (tenantId) => ({ params: { conversationId: await converse(tenantId) }, body: { text: 'your parcel is here' } }),
  missing: (input) => ({ ...input, ...noConversation() }),
  badInputs: {
    'no text and no content': (input) => ({ ...input, body: {} }),
    'text and content': (input) => ({ ...input, body: { text: 'a', content: { kind: 'text', text: 'b' } } }),
    'an unknown kind': (input) => ({ ...input, body: { content: { kind: 'smoke' } } }),
    'an answer to a message of nowhere': (input) => ({ ...input, body: { text: 'a', replyToMessageId: newId('msg') } }),
  },
});
describeRoute(createMapping, { ...suite, input: () => ({ body: { waId: newWaId(), contactName: 'Ada' } }), badInputs: { 'no waId': (input) => ({ ...input, body: {} }) } });
describeRoute(getMapping, {
  ...suite,
  input: async (tenantId) => {
    const waId = newWaId();
    await call(tenantId, 'POST', '/state/mapping', { waId });
    return { params: { waId } };
  },
  missing: () => ({ params: { waId: newWaId() } }),
});

describe('POST /state/mapping', () => {
  it('makes one contact, conversation and mapping, however often and at once it is called', async () => {
    const waId = newWaId();
    const answers = await Promise.all(Array.from({ length: 8 }, () => call<MappingView>(acme, 'POST', '/state/mapping', { waId: `+${waId}`, contactName: 'Ada' })));
    expect(new Set(answers.map(({ json }) => JSON.stringify(json))).size).toBe(1);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    expect(answers[0]?.json).toMatchObject({ waId, contactName: 'Ada', status: 'open', handler: 'desk', connectionId: tenants.get(acme)?.whatsapp, counterparts: [{ connectionId: tenants.get(acme)?.genesys, contactAddress: waId }] });
    expect(await query('select contact_id from contact_aliases where value = $1', [waId])).toHaveLength(1);
  });

  it('answers 409 to a tenant without WhatsApp, and 404 to a connection that is not its own', async () => {
    const theirs = tenants.get(globex)?.whatsapp;
    expect(await call(acme, 'POST', '/state/mapping', { waId: newWaId(), connectionId: theirs })).toMatchObject({ status: 404, json: { code: 'connection.not_found' } });
    const bare = 'bare-tenant' as TenantId; // only a tenant id's brand is missing
    expect(await call(bare, 'POST', '/state/mapping', { waId: newWaId() })).toMatchObject({ status: 409, json: { code: 'mapping.no_channel', error: 'No WhatsApp connection' } });
  });
});

describe('GET /state/mapping/:waId', () => {
  it('says "Mapping not found" of another tenant\'s contact', async () => {
    const waId = newWaId();
    await call(acme, 'POST', '/state/mapping', { waId });
    expect(await call(acme, 'GET', `/state/mapping/${waId}`)).toMatchObject({ status: 200, json: { waId } });
    expect(await call(globex, 'GET', `/state/mapping/${waId}`)).toMatchObject({ status: 404, json: { error: 'Mapping not found', code: 'mapping.not_found' } });
  });
});

describe('POST /state/conversations/:conversationId/messages', () => {
  const post = (conversationId: ConversationId, body: unknown, headers = {}) => call<MessageView & { code: string }>(acme, 'POST', `/state/conversations/${conversationId}/messages`, body, headers);

  it('stores the message, queues its delivery on the channel, and shows both in the list', async () => {
    const conversationId = await converse(acme);
    const { json } = await post(conversationId, { text: 'your parcel is here' });
    expect(json).toMatchObject({ conversationId, direction: 'outbound', author: 'system', content: { kind: 'text', text: 'your parcel is here' }, deliveries: [{ connectionId: tenants.get(acme)?.whatsapp, status: 'queued', error: null }] });
    const list = await call<{ data: MessageView[] }>(acme, 'GET', `/state/conversations/${conversationId}/messages`);
    expect(list.json.data).toEqual([json]);
  });

  it('takes every kind that can be sent, and names those that cannot', async () => {
    const conversationId = await converse(acme);
    const image = { kind: 'image', media: { url: 'https://files.example.test/a.jpg', mimeType: 'image/jpeg' } };
    expect((await post(conversationId, { content: image })).json).toMatchObject({ content: image });
    expect(await post(conversationId, { content: { kind: 'typing' } })).toMatchObject({ status: 400, json: { code: 'message.kind_not_sendable' } });
  });

  it('answers 409 outside the reply window and stores nothing; a template goes out', async () => {
    const conversationId = await converse(acme, { silent: true });
    expect(await post(conversationId, { text: 'too late' })).toMatchObject({ status: 409, json: { code: 'message.window_closed' } });
    expect((await post(conversationId, { content: { kind: 'template', name: 'order_ready', language: 'en_US' } })).status).toBe(202);
    const list = await call<{ data: MessageView[] }>(acme, 'GET', `/state/conversations/${conversationId}/messages`);
    expect(list.json.data.map(({ content }) => content.kind)).toEqual(['template']);
  });

  it('answers the first message to a repeated Idempotency-Key, however many come at once, and 409 to another message or conversation under it', async () => {
    const conversationId = await converse(acme);
    const key = { 'idempotency-key': newId('req') };
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(conversationId, { text: 'once' }, key)));
    expect(new Set(answers.map(({ json }) => json.messageId)).size).toBe(1);
    expect(await post(conversationId, { text: 'twice' }, key)).toMatchObject({ status: 409, json: { code: 'request.idempotency_conflict' } });
    const elsewhere = await converse(acme);
    expect(await post(elsewhere, { text: 'once' }, key)).toMatchObject({ status: 409, json: { code: 'request.idempotency_conflict' } });
    const theirs = await converse(globex);
    expect((await call(globex, 'POST', `/state/conversations/${theirs}/messages`, { text: 'ours' }, key)).status).toBe(202);
  });

  it('names the message it answers', async () => {
    const conversationId = await converse(acme);
    const first = await post(conversationId, { text: 'one' });
    const second = await post(conversationId, { text: 'two', replyToMessageId: first.json.messageId });
    expect(second.json).toMatchObject({ replyToMessageId: first.json.messageId, position: 2 });
  });

  it('keeps places without gaps or repetition when many write at once', async () => {
    const conversationId = await converse(acme);
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => post(conversationId, { text: `message ${index}` })));
    expect(answers.map(({ json }) => json.position).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

describe('lists', () => {
  it('come page by page without loss or repetition, of one tenant alone', async () => {
    const mine = await Promise.all(Array.from({ length: 5 }, () => converse(acme)));
    await converse(globex);
    const seen: string[] = [];
    let path: string | null = '/state/conversations?limit=2';
    while (path !== null) {
      const { json }: Answer<{ data: ConversationView[]; nextCursor: string | null }> = await call(acme, 'GET', path);
      seen.push(...json.data.map(({ conversationId }) => conversationId));
      path = json.nextCursor === null ? null : `/state/conversations?limit=2&cursor=${json.nextCursor}`;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(mine));
    const [row] = await query<{ n: number }>(`select count(*)::int as n from state.conversations where tenant_id = 'acme'`);
    expect(seen).toHaveLength(row?.n ?? -1);
  });

  it('show open or closed conversations alone when asked', async () => {
    const closed = await converse(acme);
    await query(`update state.conversations set status = 'closed', closed_at = now() where conversation_id = $1`, [closed]);
    const of = async (status: string) => (await call<{ data: ConversationView[] }>(acme, 'GET', `/state/conversations?status=${status}&limit=200`)).json.data.map((conversation) => conversation.conversationId);
    expect(await of('closed')).toEqual([closed]);
    expect(await of('open')).not.toContain(closed);
  });
});

describe('GET /state/stats', () => {
  beforeEach(() => query('truncate state.messages, state.conversations, state.mappings'));

  it('counts what is the tenant\'s, with today in its time zone', async () => {
    const conversationId = await converse(acme);
    await converse(globex);
    for (const text of ['one', 'two']) await call(acme, 'POST', `/state/conversations/${conversationId}/messages`, { text });
    // Yesterday in São Paulo, and perhaps today in UTC.
    await query(`update state.messages set created_at = (date_trunc('day', now() at time zone 'America/Sao_Paulo') - interval '1 second') at time zone 'America/Sao_Paulo' where content->>'text' = 'one'`);
    expect((await call(acme, 'GET', '/state/stats')).json).toEqual({ tenantId: 'acme', totalMappings: 1, totalMessages: 2, activeConversations: 1, todayMessages: 1 });
  });
});
