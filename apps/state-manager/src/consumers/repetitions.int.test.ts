import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fromAgent, fromContact, statusOf } from '../../test/messages.ts';
import { acme, makeTenant, startState, type TestState, type TestTenant } from '../../test/start-state.ts';

let state: TestState;
let tenant: TestTenant;

beforeAll(async () => {
  state = await startState();
}, 60_000);
afterAll(() => state.stop());
beforeEach(async () => {
  tenant = await state.addTenant(makeTenant(acme));
  state.clock.now = new Date('2026-11-21T12:00:00.000Z');
});

/** The conversation and its mappings as they are stored, to the last column. */
const stored = () =>
  state.rows(acme, `select to_jsonb(c) as conversation, (select jsonb_agg(to_jsonb(k) order by k.connection_id) from mappings k where k.conversation_id = c.conversation_id) as mappings from conversations c where channel_connection_id = $1`, [tenant.whatsapp]);

describe('a message that comes again', () => {
  it('changes nothing of the conversation, though later ones have changed it since', async () => {
    const question = fromContact(tenant, { contact: { address: '+1 500 555 0123' }, text: 'anybody there?' });
    await state.consume(acme, 'message.received', question);
    const first = fromAgent(tenant, { providerConversationId: 'g-1' });
    await state.consume(acme, 'message.received', first);
    state.clock.now = new Date('2026-11-21T12:05:00.000Z');
    const later = { sentAt: '2026-11-21T12:05:00.000Z' };
    await state.consume(acme, 'message.received', fromAgent(tenant, { ...later, providerConversationId: 'g-2' }));
    await state.consume(acme, 'message.received', fromContact(tenant, { ...later, text: 'thanks' }));
    const before = await stored();
    expect(before).toMatchObject([{ conversation: { message_count: 4 }, mappings: [{ provider_conversation_id: 'g-2' }] }]);
    state.takePublished();
    for (const again of [question, first]) await state.consume(acme, 'message.received', again);
    expect(await stored()).toEqual(before);
    expect(state.takePublished()).toEqual([]);
  });
});

describe('what a desk echoes of our own side', () => {
  it('is not stored again and goes to nobody', async () => {
    await state.consume(acme, 'message.received', fromContact(tenant));
    const before = await stored();
    state.takePublished();
    await state.consume(acme, 'message.received', fromAgent(tenant, { author: 'contact', text: 'hello' }));
    expect(await stored()).toEqual(before);
    expect(state.takePublished()).toEqual([]);
  });
});

describe('a provider whose clock is ahead', () => {
  it('holds no reply window open for longer', async () => {
    await state.consume(acme, 'message.received', fromContact(tenant, { sentAt: '2026-11-21T18:00:00.000Z' }));
    state.clock.now = new Date('2026-11-22T12:00:00.000Z');
    state.takePublished();
    await state.consume(acme, 'message.received', fromAgent(tenant, { sentAt: '2026-11-22T12:00:00.000Z' }));
    expect(state.takePublished()).toMatchObject([{ type: 'message.send.genesys', payload: { content: { kind: 'receipt', status: 'failed', error: { code: 'message.window_closed' } } } }]);
  });
});

describe('words about a delivery that come before our own "sent"', () => {
  it.each([
    [['read', 'sent', 'delivered']],
    [['delivered', 'read', 'sent']],
    [['sent', 'delivered', 'read']],
  ] as const)('are kept as the highest of them, whatever their order: %j', async (early) => {
    await state.consume(acme, 'message.received', fromContact(tenant));
    state.takePublished();
    await state.consume(acme, 'message.received', fromAgent(tenant));
    const { messageId } = state.takePublished().find(({ type }) => type === 'message.send.whatsapp')!.payload as { messageId: `msg_${string}` };
    const providerMessageId = `wamid.${messageId}`;
    const hear = (change: Parameters<typeof statusOf>[2]) => state.consume(acme, 'message.status', statusOf(tenant.whatsapp, 'whatsapp', { providerMessageId, ...change }));
    for (const status of early) await hear({ status });
    await hear({ messageId, status: 'sent' });
    await hear({ status: 'read' });
    expect(await state.rows(acme, 'select status from deliveries where message_id = $1', [messageId])).toEqual([{ status: 'read' }]);
    // The desk hears of it once: the last word said nothing new.
    expect(state.takePublished()).toMatchObject([{ type: 'message.send.genesys', payload: { content: { kind: 'receipt', status: 'read' } } }]);
  });
});
