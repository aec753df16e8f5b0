import { deriveEventId, type SendEvent, type SendPlan } from '@switchboard/connector-kit';
import { describeContent, type ConnectionWithSecrets, type MessageSend } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import { replyTimeoutMs } from '../account.ts';
import type { Chatbot } from '../chatbot/create-chatbots.ts';
import { endInSilence } from './end-in-silence.ts';
import { findKeyword } from './find-keyword.ts';
import { atConnection, beginTurn, isSilentFor, type Session } from './session.ts';
import { escalate, sayAsBot, welcome } from './speak.ts';
import { makeTenantContext, withTenantContext } from './tenant-context.ts';
import type { TurnParts } from './turn-parts.ts';
import { wordsOfLanguage } from './words-by-language.ts';

export type Repeats = {
  /** The bot may have this message already. */
  note(messageId: string): void;
};

/** Value of an option by which a contact asks for a person, whoever offered it (contract, 1.4). */
const handoffOption = 'handoff';
const summaryLengthMax = 500;

/**
 * What becomes of a message before the bot is asked: the contact is welcomed, a person is asked for, or the turn begins, with all that the tenant has set
 * up for it. For a tenant without a chatbot the bot is asked and nothing else. Runs again for every try.
 */
export async function beforeSend(parts: TurnParts, repeats: Repeats, event: SendEvent, connection: ConnectionWithSecrets): Promise<SendPlan> {
  const command = event.payload;
  const { content } = command;
  if (content.kind === 'handoff') return { kind: 'send', command };
  // Nothing that a bot could answer.
  if (content.kind === 'reaction' || content.kind === 'notice') return { kind: 'answered' };
  const chatbot = await parts.chatbots.current();
  return parts.db.transaction(async () => {
    const { conversationId, connectionId } = command;
    const session = atConnection(await parts.sessions.open({ conversationId, connectionId }), connectionId);
    const now = parts.now().getTime();
    const writtenAt = Date.parse(event.occurredAt);
    if (isSilentFor(session, writtenAt, now)) return { kind: 'answered' };
    const decision = beginTurn(session, { messageId: command.messageId, writtenAt, now, replyTimeoutMs: replyTimeoutMs(connection) });
    if (decision.kind === 'over') return { kind: 'answered' };
    const isRepeat = decision.kind === 'ask' && decision.isRepeat;
    if (isRepeat) repeats.note(command.messageId);
    else {
      if (chatbot !== undefined && (await answerInstead(parts, event, decision.session, chatbot, decision.kind === 'late'))) return { kind: 'answered' };
      await begin(parts, event, connection, decision.session, chatbot);
    }
    const context = makeTenantContext(currentTenant(), describeContent(content), command.attributes['channel'], chatbot);
    return { kind: 'send', command: withTenantContext(command, context, session.reachedAt !== null) };
  });
}

/** Whether the hub has answered in the bot's place. */
async function answerInstead(parts: TurnParts, event: SendEvent, session: Session, chatbot: Chatbot, isLate: boolean): Promise<boolean> {
  const wish = wishForPerson(event.payload, chatbot);
  if (wish !== undefined) {
    const cause = event.eventId;
    const welcomed = await welcome(parts, withoutTurn(session, event.payload), chatbot, cause);
    const escalation = await escalate(parts, welcomed, chatbot, { ...wish, contact: event.payload.contact }, cause);
    await sayAsBot(parts, welcomed, escalation.content, { cause, name: 'person' });
    await parts.sessions.store(escalation.session);
    return true;
  }
  if (isLate) await endInSilence(parts, session, event.payload.messageId, chatbot, event.eventId);
  return isLate;
}

/** What the hub answers itself is no turn of the bot. */
function withoutTurn(session: Session, { messageId }: MessageSend): Session {
  return { ...session, turns: session.turns.filter((turn) => turn.messageId !== messageId) };
}

function wishForPerson({ content }: MessageSend, { config }: Chatbot): { readonly reason: string; readonly summary: string } | undefined {
  if (!config.enableHumanHandoff) return undefined;
  const summary = `The contact wrote: ${describeContent(content).slice(0, summaryLengthMax)}`;
  if (content.kind === 'choice_reply' && content.optionId === handoffOption) return { reason: 'contact_request', summary };
  if (content.kind !== 'text' && content.kind !== 'choice_reply') return undefined;
  const own = config.escalationRules?.keywords ?? [];
  const keyword = findKeyword(describeContent(content), own.length > 0 ? own : wordsOfLanguage(config.language).person);
  return keyword === undefined ? undefined : { reason: `keyword: ${keyword}`, summary };
}

/** Welcome first, then the turn; with it the look, later, whether the bot has answered. */
async function begin(parts: TurnParts, { eventId, payload }: SendEvent, connection: ConnectionWithSecrets, session: Session, chatbot: Chatbot | undefined): Promise<void> {
  if (chatbot === undefined) {
    await parts.sessions.store(session);
    return;
  }
  await parts.sessions.store(await welcome(parts, session, chatbot, eventId));
  const { messageId, conversationId, connectionId } = payload;
  // Not the conversation itself: a look that waits for its time would hold back the conversation's messages. Nor the message: the bus remembers lanes in
  // which something waited, and there would be one for each turn.
  const orderingKey = `check:${conversationId}`;
  const dueAt = new Date(parts.now().getTime() + replyTimeoutMs(connection)).toISOString();
  await parts.bus.publish('bot_turn.check', { conversationId, connectionId, messageId, dueAt }, { orderingKey, eventId: deriveEventId(eventId, 'check') });
}
