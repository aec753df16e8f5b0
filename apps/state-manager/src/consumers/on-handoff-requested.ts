import { onEvent, type Subscription } from '@switchboard/event-bus';
import { handOver } from '../flow/hand-over.ts';
import type { Parts } from '../flow/parts.ts';
import { routeOf } from '../routing/route-of.ts';
import { findConversation } from '../store/find-conversation.ts';

/** A service of the hub gives the conversation to the desk, or back. What providers ask for comes as a message of the kind `handoff`. */
export function onHandoffRequested(parts: Parts): Subscription {
  return onEvent({
    type: 'handoff.requested',
    group: 'state-manager',
    effect: 'transaction',
    handle: async ({ payload: { conversationId, from, to, reason }, occurredAt }) => {
      const conversation = await findConversation(parts.db.sql, conversationId, 'change');
      if (conversation === undefined) return parts.log.warn({ conversationId }, 'a handoff of an unknown conversation was ignored');
      const route = routeOf(await parts.routings.current(), conversation.channel, conversation.contact.address);
      await handOver(parts, conversation, route, { at: new Date(occurredAt), by: from, to, reason });
    },
  });
}
