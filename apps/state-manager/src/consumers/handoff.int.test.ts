import { newId, type ConversationId } from '@switchboard/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fromAgent, fromBot, fromContact, fromInbox, handoffTo } from '../../test/messages.ts';
import { acme, globex, makeTenant, startState, withOwnAgents, type TestState, type TestTenant } from '../../test/start-state.ts';
import { transcriptBytesMax, transcriptMessagesMax, type Transcript } from '../domain/transcript.ts';

let state: TestState;
let tenant: TestTenant;
let theirs: TestTenant;

beforeAll(async () => {
  state = await startState();
}, 60_000);
afterAll(() => state.stop());

const botFirst = (tenantId: typeof acme) => {
  const made = makeTenant(tenantId, { startsWith: 'bot' });
  Object.assign(made.routing.routes[0] ?? {}, { botConnectionId: made.botpress });
  return withOwnAgents(made);
};

beforeEach(async () => {
  tenant = await state.addTenant(botFirst(acme));
  theirs = await state.addTenant(botFirst(globex));
  state.clock.now = new Date('2026-11-21T12:10:00.000Z');
  state.takePublished();
});

type Payload = Record<string, unknown> & { content: { kind: string; text?: string; transcript?: Transcript } };
const took = () => state.takePublished().map(({ type, payload }) => ({ type, payload: payload as Payload }));
const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 12, 0, second)).toISOString();
const receive = (payload: ReturnType<typeof fromContact>, tenantId = acme) => state.consume(tenantId, 'message.received', payload);

/** A contact has written, and the bot was told. */
async function begin(write = fromContact(tenant, { text: 'hello', sentAt: at(0) }), tenantId = acme): Promise<ConversationId> {
  await receive(write, tenantId);
  const [row] = await state.rows<{ conversation_id: ConversationId }>(tenantId, 'select conversation_id from conversations where channel_connection_id = $1', [write.connectionId]);
  state.takePublished();
  if (row === undefined) throw new Error('no conversation was made');
  return row.conversation_id;
}

const handlerNow = async (conversationId: ConversationId) =>
  (await state.rows<{ handler: string; status: string }>(acme, 'select handler, status from conversations where conversation_id = $1', [conversationId]))[0];

describe('a bot that asks for a person', () => {
  it('makes the desk the handler: it gets reason, summary, transcript and assignment, then what the contact last wrote', async () => {
    const conversationId = await begin();
    await receive(fromBot(tenant, { conversationId, contact: { address: 'fid', aliases: {} }, text: 'Hi!', sentAt: at(1) }));
    await receive(fromContact(tenant, { text: 'a person, please', sentAt: at(2) }));
    state.takePublished();
    const assignment = { agentId: '7', labels: ['vip'], attributes: { topic: 'parcel' } };
    await receive(fromBot(tenant, { conversationId, content: handoffTo('desk', { summary: 'Parcel 123 is late', assignment }), sentAt: at(3) }));
    expect(took()).toMatchObject([
      {
        type: 'message.send.genesys',
        payload: {
          connectionId: tenant.genesys,
          contact: { address: '15005550123' },
          author: 'system',
          content: {
            kind: 'handoff',
            to: 'desk',
            reason: 'asked for a person',
            summary: 'Parcel 123 is late',
            transcript: [
              { author: 'contact', text: 'hello', at: at(0) },
              { author: 'bot', text: 'Hi!', at: at(1) },
              { author: 'contact', text: 'a person, please', at: at(2) },
            ],
            assignment,
          },
          attributes: { handoffReason: 'asked for a person', conversationId },
          sentAt: at(3),
        },
      },
      { type: 'message.send.genesys', payload: { content: { text: 'a person, please' } } },
      { type: 'conversation.changed', payload: { conversationId, handler: 'desk', status: 'open', reason: 'asked for a person' } },
    ]);
    // It is no message of the thread.
    expect(await state.rows(acme, 'select kind from messages where conversation_id = $1', [conversationId])).toEqual([{ kind: 'text' }, { kind: 'text' }, { kind: 'text' }]);
  });

  it('asks in vain a second time, and is not heard from that moment; what it wrote before still goes out', async () => {
    const conversationId = await begin();
    const wish = () => fromBot(tenant, { conversationId, content: handoffTo('desk'), sentAt: at(5) });
    await receive(wish());
    state.takePublished();
    await receive(wish());
    await receive(fromBot(tenant, { conversationId, text: 'still here', sentAt: at(6) }));
    await receive(fromBot(tenant, { conversationId, content: { kind: 'typing', on: true }, sentAt: at(6) }));
    expect(took()).toEqual([]);
    await receive(fromBot(tenant, { conversationId, text: 'I am getting somebody', sentAt: at(4) }));
    expect(took()).toMatchObject([{ type: 'message.send.whatsapp', payload: { content: { text: 'I am getting somebody' } } }]);
    const kept = await state.rows<{ text: string; deliveries: number }>(acme, `select content->>'text' as text, (select count(*)::int from deliveries d where d.message_id = m.message_id and d.connection_id = $2) as deliveries from messages m where conversation_id = $1 and author = 'bot' order by position`, [conversationId, tenant.whatsapp]);
    expect(kept).toEqual([{ text: 'still here', deliveries: 0 }, { text: 'I am getting somebody', deliveries: 1 }]);
  });

  it('shows the desk no more than the transcript\'s limits of a long conversation', async () => {
    const conversationId = await begin();
    for (let i = 0; i < transcriptMessagesMax + 10; i++) await receive(fromContact(tenant, { text: `${i} ${'ä'.repeat(2_000)}`, sentAt: at(1) }));
    state.takePublished();
    await receive(fromBot(tenant, { conversationId, content: handoffTo('desk'), sentAt: at(2) }));
    const transcript = took()[0]?.payload.content.transcript ?? [];
    expect(transcript.at(-1)?.text.startsWith(`${transcriptMessagesMax + 9} `)).toBe(true);
    expect(transcript.length).toBeLessThanOrEqual(transcriptMessagesMax);
    expect(transcript.length).toBeGreaterThan(5);
    expect(transcript.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)).toBeLessThanOrEqual(transcriptBytesMax);
  });

  it('needs no more than the vocabulary takes, whatever the contact calls itself and whatever the reason', async () => {
    const conversationId = await begin(fromContact(tenant, { contact: { address: '15005550177', name: 'A'.repeat(6_000), aliases: {} }, sentAt: at(0) }));
    state.clock.now = new Date('2026-11-21T12:11:00.000Z');
    await state.consume(acme, 'handoff.requested', { conversationId, from: 'bot', to: 'desk', reason: 'because '.repeat(500) });
    expect(took()).toMatchObject([{ payload: { content: { kind: 'handoff' } } }, { payload: { content: { text: 'hello' } } }, { type: 'conversation.changed', payload: { handler: 'desk' } }]);
  });

  it('finds its conversation by our id, and its own id of it is learned', async () => {
    const conversationId = await begin();
    await receive(fromBot(tenant, { conversationId, providerConversationId: 'fid-1', contact: { address: 'fid-1', aliases: {} }, sentAt: at(1) }));
    expect(took()).toMatchObject([{ type: 'message.send.whatsapp', payload: { conversationId, author: 'bot' } }]);
    await receive(fromContact(tenant, { text: 'and now?', sentAt: at(2) }));
    expect(took()).toMatchObject([{ type: 'message.send.botpress', payload: { providerConversationId: 'fid-1' } }]);
  });

  it('speaks of no conversation but its connection\'s: another tenant\'s, and another bot\'s, is as one that is not there', async () => {
    const conversationId = await begin();
    const foreign = await begin(fromContact(theirs, { sentAt: at(0) }), globex);
    const stranger = newId('con');
    for (const content of [handoffTo('desk'), { kind: 'text' as const, text: 'let me in' }, { kind: 'typing' as const, on: true }]) {
      await receive(fromBot(tenant, { conversationId: foreign, content, sentAt: at(1) }));
      await receive(fromBot(tenant, { conversationId: newId('cnv'), content, sentAt: at(1) }));
      await receive(fromBot(tenant, { connectionId: stranger, conversationId, content, sentAt: at(1) }));
    }
    expect(took()).toEqual([]);
    expect(await handlerNow(conversationId)).toEqual({ handler: 'bot', status: 'open' });
    expect(await state.rows(globex, 'select handler from conversations where conversation_id = $1', [foreign])).toEqual([{ handler: 'bot' }]);
    expect(await state.rows(acme, `select from messages where author = 'bot' and connection_id in ($1, $2)`, [tenant.botpress, stranger])).toEqual([]);
  });
});

describe('a desk that is done', () => {
  it('gives the conversation back to the bot, which hears nothing until the contact writes', async () => {
    const conversationId = await begin();
    await receive(fromBot(tenant, { conversationId, content: handoffTo('desk'), sentAt: at(1) }));
    state.takePublished();
    await receive(fromAgent(tenant, { content: handoffTo('bot', { reason: 'resolved' }), sentAt: at(2) }));
    expect(took()).toMatchObject([{ type: 'conversation.changed', payload: { handler: 'bot', status: 'open', reason: 'resolved' } }]);
    await receive(fromContact(tenant, { text: 'one more thing', sentAt: at(3) }));
    expect(took()).toMatchObject([{ type: 'message.send.botpress', payload: { content: { text: 'one more thing' } } }]);
    await receive(fromBot(tenant, { conversationId, text: 'Yes?', sentAt: at(4) }));
    expect(took()).toMatchObject([{ type: 'message.send.whatsapp', payload: { content: { text: 'Yes?' } } }]);
  });

  it('closes it by giving it to nobody; the contact\'s next message opens it with who starts', async () => {
    const conversationId = await begin();
    await receive(fromBot(tenant, { conversationId, content: handoffTo('desk'), sentAt: at(1) }));
    await receive(fromAgent(tenant, { content: handoffTo('none', { reason: 'resolved' }), sentAt: at(2) }));
    expect(await handlerNow(conversationId)).toEqual({ handler: 'none', status: 'closed' });
    state.takePublished();
    await receive(fromContact(tenant, { text: 'again', sentAt: at(3) }));
    expect(took()).toMatchObject([{ type: 'message.send.botpress' }, { type: 'conversation.changed', payload: { handler: 'bot', status: 'open' } }]);
  });

  it('that the route does not name any more changes nothing', async () => {
    const conversationId = await begin();
    await receive(fromBot(tenant, { conversationId, content: handoffTo('desk'), sentAt: at(1) }));
    const [route] = tenant.routing.routes;
    if (route !== undefined) Object.assign(route, { deskConnectionId: tenant.chatwoot });
    await state.addTenant(tenant);
    state.takePublished();
    await receive(fromAgent(tenant, { content: handoffTo('none'), sentAt: at(2) }));
    expect(took()).toEqual([]);
  });

  it('that names nobody we know is ignored', async () => {
    await receive(fromAgent(tenant, { contact: { address: 'nobody', aliases: {} }, content: handoffTo('bot'), sentAt: at(1) }));
    expect(took()).toEqual([]);
  });
});

describe('a channel with agents of its own', () => {
  it('hands over to them with one word to the channel, and sends them neither the contact\'s messages nor their own', async () => {
    const conversationId = await begin(fromInbox(tenant, { sentAt: at(0) }));
    await receive(fromBot(tenant, { conversationId, content: handoffTo('desk', { assignment: { agentId: '7' } }), sentAt: at(1) }));
    expect(took()).toMatchObject([
      {
        type: 'message.send.chatwoot',
        payload: { connectionId: tenant.chatwoot, contact: { address: '5f1e7d9c-source' }, providerConversationId: '17', content: { kind: 'handoff', summary: 'Ada on chatwoot, 1 message so far.', transcript: [{ text: 'hello' }], assignment: { agentId: '7' } } },
      },
      { type: 'conversation.changed', payload: { handler: 'desk' } },
    ]);
    await receive(fromInbox(tenant, { text: 'are you there?', sentAt: at(2) }));
    await receive(fromInbox(tenant, { content: { kind: 'typing', on: true }, sentAt: at(2) }));
    await receive(fromInbox(tenant, { author: 'agent', text: 'yes', sentAt: at(3) }));
    await receive(fromInbox(tenant, { author: 'agent', content: { kind: 'typing', on: true }, sentAt: at(3) }));
    expect(took()).toEqual([]);
    expect(await state.rows(acme, 'select author, direction from messages where conversation_id = $1 order by position', [conversationId])).toEqual([
      { author: 'contact', direction: 'inbound' },
      { author: 'contact', direction: 'inbound' },
      { author: 'agent', direction: 'outbound' },
    ]);
  });

  it('has an agent who writes take over, and one who resolves give back, without a word to the channel', async () => {
    const conversationId = await begin(fromInbox(tenant, { sentAt: at(0) }));
    await receive(fromInbox(tenant, { author: 'bot', text: 'another program', sentAt: at(1) }));
    expect(took()).toEqual([]);
    await receive(fromInbox(tenant, { author: 'agent', text: 'I take this', sentAt: at(2) }));
    expect(took()).toMatchObject([{ type: 'conversation.changed', payload: { handler: 'desk', reason: 'an agent wrote' } }]);
    await receive(fromInbox(tenant, { content: handoffTo('bot', { reason: 'resolved' }), author: 'agent', sentAt: at(3) }));
    expect(took()).toMatchObject([{ type: 'conversation.changed', payload: { handler: 'bot', reason: 'resolved' } }]);
    await receive(fromInbox(tenant, { text: 'thanks', providerConversationId: '18', sentAt: at(4) }));
    expect(took()).toMatchObject([{ type: 'message.send.botpress', payload: { conversationId } }]);
    await receive(fromBot(tenant, { conversationId, sentAt: at(5) }));
    expect(took()).toMatchObject([{ type: 'message.send.chatwoot', payload: { providerConversationId: '18', author: 'bot' } }]);
  });

  it('cannot ask for a conversation whose desk is elsewhere', async () => {
    const conversationId = await begin();
    await receive(fromContact(tenant, { content: handoffTo('desk'), sentAt: at(1) }));
    expect(took()).toEqual([]);
    expect(await handlerNow(conversationId)).toEqual({ handler: 'bot', status: 'open' });
  });
});
