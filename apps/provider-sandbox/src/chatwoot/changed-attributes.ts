import { isDeepStrictEqual } from 'node:util';
import type { ChatwootConversation } from './rows.ts';

/** Columns whose change announces `conversation_updated`, by Chatwoot's name. */
const announced = {
  status: 'status',
  assigneeId: 'assignee_id',
  assigneeBotId: 'assignee_agent_bot_id',
  teamId: 'team_id',
  snoozedUntil: 'snoozed_until',
  customAttributes: 'custom_attributes',
  labels: 'label_list',
  waitingSince: 'waiting_since',
  firstReplyAt: 'first_reply_created_at',
  priority: 'priority',
} as const satisfies Partial<Record<keyof ChatwootConversation, string>>;

/** The `changed_attributes` of conversation_updated: objects of one key each; empty when nothing that counts changed. */
export function changedAttributesOf(before: ChatwootConversation, after: ChatwootConversation): Record<string, unknown>[] {
  const changed = Object.entries(announced).flatMap(([key, name]) => {
    // The keys are those of the table above.
    const [previous, current] = [before[key as keyof typeof announced], after[key as keyof typeof announced]];
    return isDeepStrictEqual(previous, current) ? [] : [{ [name]: { previous_value: previous, current_value: current } }];
  });
  return changed.length === 0 ? [] : [...changed, { updated_at: { previous_value: before.updatedAt, current_value: after.updatedAt } }];
}
