import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { Parts } from '../flow/parts.ts';
import { sendReceipt } from '../flow/send-command.ts';
import { findConversation } from '../store/find-conversation.ts';
import { recordStatus } from '../store/record-status.ts';

/** A word on a delivery: it grows, and the desk whose agent wrote the message hears of it. */
export function onMessageStatus(parts: Parts): Subscription {
  return onEvent({
    type: 'message.status',
    group: 'state-manager',
    effect: 'transaction',
    handle: async ({ payload }) => {
      const grown = await recordStatus(parts.db.sql, payload);
      if (grown === undefined) return;
      const { status, error, originConnectionId, originProviderMessageId } = grown;
      if (originConnectionId === null || originProviderMessageId === null || originConnectionId === payload.connectionId) return;
      if (status !== 'delivered' && status !== 'read' && status !== 'failed') return;
      // An outcome that nobody knows is no failure to tell an agent of: the provider may still say "delivered".
      if (error?.code === 'delivery.outcome_unknown') return;
      const { connections } = await parts.routings.current(originConnectionId);
      const origin = connections.find(({ connectionId, role }) => connectionId === originConnectionId && role === 'desk');
      if (origin === undefined) return;
      // Read only: a lock on the conversation, taken after the delivery's, could wait for a message that waits for us.
      const conversation = await findConversation(parts.db.sql, grown.conversationId, 'read');
      if (conversation === undefined) return;
      await sendReceipt(parts, conversation, { connectionId: origin.connectionId, provider: origin.provider }, { providerMessageId: originProviderMessageId, status, error });
    },
  });
}
