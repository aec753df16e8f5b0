import type { DeliveryStatus, MessageId } from '@switchboard/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { fromAgent, fromContact, statusOf } from '../../test/messages.ts';
import { acme, globex, makeTenant, startState, type TestState, type TestTenant } from '../../test/start-state.ts';

let state: TestState;
let tenant: TestTenant;

beforeAll(async () => {
  state = await startState();
}, 60_000);
afterAll(() => state.stop());
beforeEach(async () => {
  tenant = await state.addTenant(makeTenant(acme));
  await state.consume(acme, 'message.received', fromContact(tenant));
});

/** An agent writes; the message is on its way to the contact. */
async function answer(): Promise<{ messageId: MessageId; providerMessageId: string }> {
  const message = fromAgent(tenant);
  await state.consume(acme, 'message.received', message);
  return { messageId: sentTo('whatsapp'), providerMessageId: message.providerMessageId };
}

/** The message last sent to this provider. */
function sentTo(provider: 'whatsapp' | 'genesys'): MessageId {
  const sent = state.takePublished().findLast(({ type }) => type === `message.send.${provider}`);
  if (sent === undefined) throw new Error(`nothing was sent to ${provider}`);
  return (sent.payload as { messageId: MessageId }).messageId;
}

const deliveryOf = async (messageId: MessageId) => (await state.rows<{ status: DeliveryStatus; error: unknown }>(acme, 'select status, error from deliveries where message_id = $1 and connection_id = $2', [messageId, tenant.whatsapp]))[0];
const hear = (change: Parameters<typeof statusOf>[2]) => state.consume(acme, 'message.status', statusOf(tenant.whatsapp, 'whatsapp', change));
const receipts = () => state.takePublished().map(({ type, payload }) => ({ type, content: (payload as { content: object }).content }));

describe('a status from the channel', () => {
  it('grows the delivery, and the desk hears what its agent must know, once', async () => {
    const { messageId, providerMessageId } = await answer();
    for (const status of ['sent', 'sent', 'delivered', 'sent', 'delivered', 'read', 'delivered', 'failed'] as const) await hear({ messageId, providerMessageId: `wamid.${messageId}`, status });
    expect(await deliveryOf(messageId)).toEqual({ status: 'read', error: null });
    expect(receipts()).toEqual(['delivered', 'read'].map((status) => ({ type: 'message.send.genesys', content: { kind: 'receipt', providerMessageId, status } })));
  });

  it('tells the desk of a failure with its reason', async () => {
    const { messageId, providerMessageId } = await answer();
    const error = { code: 'provider.rejected', message: 'not on WhatsApp', providerCode: '131026' };
    await hear({ messageId, status: 'failed', error });
    expect(await deliveryOf(messageId)).toEqual({ status: 'failed', error });
    expect(receipts()).toEqual([{ type: 'message.send.genesys', content: { kind: 'receipt', providerMessageId, status: 'failed', error: { code: 'provider.rejected', message: 'not on WhatsApp' } } }]);
  });

  it('settles an attempt whose outcome was unknown, of which no agent was told', async () => {
    const { messageId } = await answer();
    await hear({ messageId, status: 'failed', error: { code: 'delivery.outcome_unknown', message: 'no answer' } });
    await hear({ messageId, providerMessageId: `wamid.${messageId}`, status: 'sent' });
    expect(await deliveryOf(messageId)).toEqual({ status: 'sent', error: null });
    expect(receipts()).toEqual([]);
  });

  it('that comes before our own "sent" waits for it, and is not lost', async () => {
    const { messageId } = await answer();
    const providerMessageId = `wamid.${messageId}`;
    await hear({ providerMessageId, status: 'read' });
    await hear({ providerMessageId, status: 'delivered' });
    expect(await deliveryOf(messageId)).toMatchObject({ status: 'queued' });
    await hear({ messageId, providerMessageId, status: 'sent' });
    expect(await deliveryOf(messageId)).toMatchObject({ status: 'read' });
    expect(receipts()).toMatchObject([{ content: { status: 'read' } }]);
  });

  it('finds its message by each of the ids of a message that was split', async () => {
    const { messageId } = await answer();
    for (const part of ['1', '2']) await hear({ messageId, providerMessageId: `wamid.${messageId}.${part}`, status: 'sent' });
    await hear({ providerMessageId: `wamid.${messageId}.2`, status: 'delivered' });
    expect(await deliveryOf(messageId)).toMatchObject({ status: 'delivered' });
  });

  it('ends in the same delivery in any order, repeated, and all at once', async () => {
    const words = fc.shuffledSubarray(['sent', 'delivered', 'read', 'sent', 'delivered', 'read'] as const, { minLength: 6 });
    await fc.assert(
      fc.asyncProperty(words, fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), async (statuses, named) => {
        const { messageId } = await answer();
        const providerMessageId = `wamid.${messageId}`;
        // Only our own "sent" is sure to name our message; the provider's words may or may not.
        await Promise.all(statuses.map((status, index) => hear({ providerMessageId, status, ...(status === 'sent' || named[index] === true ? { messageId } : {}) })));
        expect(await deliveryOf(messageId)).toMatchObject({ status: 'read' });
      }),
      { numRuns: 15 },
    );
  });

  it('changes nothing of another tenant that has the same ids', async () => {
    const theirs = await state.addTenant(makeTenant(globex));
    const { messageId } = await answer();
    await state.consume(globex, 'message.status', statusOf(tenant.whatsapp, 'whatsapp', { messageId, status: 'read' }));
    await state.consume(globex, 'message.status', statusOf(theirs.whatsapp, 'whatsapp', { messageId, providerMessageId: 'wamid.x', status: 'read' }));
    expect(await deliveryOf(messageId)).toMatchObject({ status: 'queued' });
  });

  it('of a message that is not ours is kept for a day, then dropped', async () => {
    await hear({ providerMessageId: 'wamid.foreign', status: 'delivered', at: '2026-11-20T11:59:00.000Z' });
    const task = state.parts.tasks?.find(({ name }) => name === 'drop-early-statuses');
    await task?.run();
    expect(await state.rows(acme, `select from provider_messages where provider_message_id = 'wamid.foreign'`)).toEqual([]);
  });
});

describe('a status from the desk', () => {
  it('records the delivery there, learns its conversation id, and sends no receipt', async () => {
    const message = fromContact(tenant);
    await state.consume(acme, 'message.received', message);
    const messageId = sentTo('genesys');
    await state.consume(acme, 'message.status', statusOf(tenant.genesys, 'genesys', { messageId, providerMessageId: 'g-1', providerConversationId: 'gc-1', status: 'delivered' }));
    expect(state.takePublished()).toEqual([]);
    expect(await state.rows(acme, 'select provider_conversation_id from mappings where connection_id = $1', [tenant.genesys])).toEqual([{ provider_conversation_id: 'gc-1' }]);
  });
});

describe('a conversation in which nobody writes', () => {
  it('is closed after three days, and opened again by the contact', async () => {
    state.takePublished();
    const now = state.clock.now;
    state.clock.now = new Date(now.getTime() + 73 * 3_600_000);
    const task = state.parts.tasks?.find(({ name }) => name === 'close-idle-conversations');
    await task?.run();
    expect(state.takePublished()).toContainEqual(expect.objectContaining({ type: 'conversation.changed', payload: expect.objectContaining({ status: 'closed', handler: 'none' }) }));
    await state.consume(acme, 'message.received', fromContact(tenant, { sentAt: state.clock.now.toISOString() }));
    // The closing is as old as the message: only a later one opens it.
    state.clock.now = new Date(state.clock.now.getTime() + 1_000);
    await state.consume(acme, 'message.received', fromContact(tenant, { sentAt: state.clock.now.toISOString() }));
    expect(state.takePublished()).toContainEqual(expect.objectContaining({ type: 'conversation.changed', payload: expect.objectContaining({ status: 'open', handler: 'desk' }) }));
    state.clock.now = now;
  });
});
