import type { Decision } from '../domain/decide.ts';
import type { ConversationRecord } from '../store/conversation-record.ts';
import type { Parts } from './parts.ts';

/** Tells who listens that a conversation was opened, closed or changed its handler; nothing when it did not. */
export async function announceChange({ bus }: Pick<Parts, 'bus'>, before: ConversationRecord, decision: Decision, { opened, reason }: { readonly opened: boolean; readonly reason: string }): Promise<void> {
  const { conversationId } = before;
  const { status, handler } = decision;
  if (!opened && status === before.status && handler === before.handler) return;
  await bus.publish('conversation.changed', { conversationId, status, handler, reason }, { orderingKey: conversationId });
}
