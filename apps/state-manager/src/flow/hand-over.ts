import { newId, type ContentOf } from '@switchboard/contracts';
import { decide } from '../domain/decide.ts';
import type { ConnectionRef, ConversationRoute, Handler } from '../domain/standing.ts';
import { makeTranscript, shorten, summarize, transcriptMessagesMax } from '../domain/transcript.ts';
import type { ConversationRecord } from '../store/conversation-record.ts';
import { findMessageToIntroduce } from '../store/find-message-to-introduce.ts';
import { readLastSaid } from '../store/read-last-said.ts';
import { updateConversation } from '../store/update-conversation.ts';
import { announceChange } from './announce-change.ts';
import type { Parts } from './parts.ts';
import { sendCommand } from './send-command.ts';

/** Somebody wants the conversation to change hands. */
export type HandoffRequest = {
  readonly at: Date;
  /** Whose wish it is; `none`: the hub's, or somebody's at its API; `channel`: the channel connection's own. */
  readonly by: Handler | 'channel';
  readonly to: Handler;
  readonly reason: string;
  readonly summary?: string;
  readonly assignment?: ContentOf<'handoff'>['assignment'];
};

/** Characters, as the vocabulary has them. */
const reasonLengthMax = 1_024;
const summaryLengthMax = 4_096;

/** Gives the conversation to whom it is to have, and tells a desk what it must know. The caller holds the conversation's lock. */
export async function handOver(parts: Parts, conversation: ConversationRecord, route: ConversationRoute, request: HandoffRequest, { opened = false } = {}): Promise<void> {
  const { at, by, to } = request;
  const reason = shorten(request.reason === '' ? 'asked for' : request.reason, reasonLengthMax);
  const decision = decide(conversation.standing, route, { kind: 'handoff', at: at.getTime(), by, to });
  await updateConversation(parts.db.sql, conversation.conversationId, decision);
  for (const command of decision.commands) {
    if (command.kind === 'handoff') await tellDesk(parts, conversation, command.to, { ...request, reason });
    if (command.kind === 'introduce') await introduce(parts, conversation, command.to, reason);
  }
  await announceChange(parts, conversation, decision, { opened, reason });
}

async function tellDesk(parts: Parts, conversation: ConversationRecord, desk: ConnectionRef, { at, reason, summary, assignment }: HandoffRequest): Promise<void> {
  const { contact, channel, messageCount, conversationId } = conversation;
  const content: ContentOf<'handoff'> = {
    kind: 'handoff',
    to: 'desk',
    reason,
    summary: shorten(summary ?? summarize({ contactName: contact.name ?? contact.address, channel: channel.provider, messageCount }), summaryLengthMax),
    transcript: makeTranscript(await readLastSaid(parts.db.sql, conversationId, transcriptMessagesMax)),
    ...(assignment === undefined ? {} : { assignment }),
  };
  await sendCommand(parts, conversation, desk, { messageId: newId('msg'), author: 'system', content, sentAt: at.toISOString(), attributes: { handoffReason: reason } });
}

async function introduce(parts: Parts, conversation: ConversationRecord, to: ConnectionRef, reason: string): Promise<void> {
  const message = await findMessageToIntroduce(parts.db.sql, conversation.conversationId, to.connectionId, parts.now());
  if (message === undefined) return;
  const { messageId, content, sentAt } = message;
  await sendCommand(parts, conversation, to, { messageId, author: 'contact', content, sentAt: sentAt.toISOString(), attributes: { handoffReason: reason } });
}
