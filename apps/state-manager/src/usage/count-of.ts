import { isMediaContent, type MessageContent } from '@switchboard/contracts';
import type { ConversationRecord } from '../store/conversation-record.ts';

/** What a message adds to its tenant's usage, beside its row. */
export type MessageCount = {
  /** `YYYY-MM` in the tenant's time zone. */
  readonly month: string;
  /** Provider of the conversation's channel. */
  readonly channel: string;
  readonly slot: number;
  /** Of its file, as far as it is believed; 0 where there is none or its size is not known. */
  readonly mediaBytes: number;
  /** The contact, when it was not counted in this month through this conversation. */
  readonly newlyActive: string | null;
};

/**
 * Counters of one month, channel and direction. Messages of conversations that go on at the same moment wait for one another only where they
 * meet in a slot; as many as a busy service has transactions open.
 */
const slots = 16;

/**
 * Bytes of one file that are believed: ten times what the hub carries. The size is the word of whoever sends, and one that is as large as a number can be
 * would make a sum that no event can tell: the tenant's whole month would never be billed.
 */
const fileBytesMax = 1024 ** 3;

export function countOf(conversation: ConversationRecord, content: MessageContent, month: string): MessageCount {
  const { conversationId, channel, contactId, activeMonth } = conversation;
  return {
    month,
    channel: channel.provider,
    slot: slotOf(conversationId),
    mediaBytes: isMediaContent(content) ? Math.min(content.media.size ?? 0, fileBytesMax) : 0,
    newlyActive: activeMonth === month ? null : contactId,
  };
}

/** The end of an id is random. */
function slotOf(id: string): number {
  return (id.charCodeAt(id.length - 1) + id.charCodeAt(id.length - 2) * 3) % slots;
}
