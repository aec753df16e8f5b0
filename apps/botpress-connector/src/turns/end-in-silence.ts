import type { EventId, MessageId } from '@switchboard/contracts';
import type { Chatbot } from '../chatbot/create-chatbots.ts';
import { failTurn, failuresMax, type Session } from './session.ts';
import { escalate, sayAsBot } from './speak.ts';
import type { TurnParts } from './turn-parts.ts';

/** The bot left a turn without an answer: the hub speaks for it, once, and asks for a person when that has happened twice in a row. In the open transaction. */
export async function endInSilence(parts: TurnParts, session: Session, messageId: MessageId, chatbot: Chatbot, cause: EventId): Promise<void> {
  const failed = failTurn(session, messageId, parts.now().getTime());
  if (failed === undefined) return;
  const { fallbackMessage, enableHumanHandoff } = chatbot.config;
  if (fallbackMessage !== undefined) await sayAsBot(parts, failed, { kind: 'text', text: fallbackMessage }, { cause, name: 'fallback' });
  if (!enableHumanHandoff || failed.failures < failuresMax) {
    await parts.sessions.store(failed);
    return;
  }
  const wanted = { reason: 'bot_failure', summary: `The bot has left ${failed.failures} turns in a row without an answer.` };
  const escalation = await escalate(parts, failed, chatbot, wanted, cause);
  await sayAsBot(parts, failed, escalation.content, { cause, name: 'bot-failure' });
  await parts.sessions.store({ ...escalation.session, failures: 0 });
}
