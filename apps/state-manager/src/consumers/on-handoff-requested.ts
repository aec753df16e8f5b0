import { onEvent, type Subscription } from '@switchboard/event-bus';
import { decide } from '../domain/decide.ts';
import { announceChange } from '../flow/announce-change.ts';
import type { Parts } from '../flow/parts.ts';
import { sendCommand } from '../flow/send-command.ts';
import { routeOf } from '../routing/route-of.ts';
import { findConversation } from '../store/find-conversation.ts';
import { findMessageToIntroduce } from '../store/find-message-to-introduce.ts';
import { updateConversation } from '../store/update-conversation.ts';

/** A bot gives the conversation to the desk, or the desk gives it back. */
export function onHandoffRequested(parts: Parts): Subscription {
  return onEvent({
    type: 'handoff.requested',
    group: 'state-manager',
    effect: 'transaction',
    handle: async ({ payload, occurredAt }) => {
      const conversation = await findConversation(parts.db.sql, payload.conversationId, 'change');
      if (conversation === undefined) return parts.log.warn({ conversationId: payload.conversationId }, 'a handoff of an unknown conversation was ignored');
      const route = routeOf(await parts.routings.current(), conversation.channel);
      const decision = decide(conversation.standing, route, { kind: 'handoff', at: Date.parse(occurredAt), to: payload.to });
      await updateConversation(parts.db.sql, conversation.conversationId, decision);
      for (const { kind, to } of decision.commands) {
        if (kind !== 'introduce') continue;
        const message = await findMessageToIntroduce(parts.db.sql, conversation.conversationId, to.connectionId, parts.now());
        if (message === undefined) continue;
        const { messageId, content, sentAt } = message;
        await sendCommand(parts, conversation, to, { messageId, author: 'contact', content, sentAt: sentAt.toISOString(), attributes: { handoffReason: payload.reason } });
      }
      await announceChange(parts, conversation, decision, { opened: false, reason: payload.reason });
    },
  });
}
