import type { ConnectorHooks, InboundEvent } from '@switchboard/connector-kit';
import { chatbotActions, type ChatbotAction, type EventId } from '@switchboard/contracts';
import { atConnection, botSpoke, isSilencedAt, type Session } from './session.ts';
import { refuseAction, takeAction } from './take-action.ts';
import type { TurnParts } from './turn-parts.ts';

type InboundMessage = Extract<InboundEvent, { kind: 'message' }>;
type OnInbound = NonNullable<ConnectorHooks['onInbound']>;

/**
 * What a bot said on its way to the conversation: it answers the open turns; what it asks the hub to do is done where the tenant allows it; what it says
 * while the desk has the conversation goes nowhere. Every event keeps its place, because ids are made from places.
 */
export async function onInbound(parts: TurnParts, events: Parameters<OnInbound>[0], { cause, connection }: Parameters<OnInbound>[1]): Promise<readonly InboundEvent[]> {
  // With the first webhook of a tenant its chatbot comes into memory, before the next turn needs it.
  const chatbot = await parts.chatbots.current();
  const kept: InboundEvent[] = [];
  for (const [index, event] of inOrder(events).entries()) {
    if (event.kind !== 'message' || event.conversationId === undefined) {
      kept.push(event);
      continue;
    }
    const before = await parts.sessions.open({ conversationId: event.conversationId, connectionId: connection.connectionId });
    const session = atConnection(before, connection.connectionId);
    const taken = await take(parts, event, session, { chatbot, cause: causeOf(cause, index) });
    if (taken.session !== before) await parts.sessions.store(taken.session);
    kept.push(taken.event);
  }
  return kept;
}

type Setting = { readonly chatbot: Awaited<ReturnType<TurnParts['chatbots']['current']>>; readonly cause: { readonly eventId: EventId; readonly index: number } };

function causeOf(eventId: EventId, index: number): Setting['cause'] {
  return { eventId, index };
}

async function take(parts: TurnParts, event: InboundMessage, session: Session, { chatbot, cause }: Setting): Promise<{ readonly session: Session; readonly event: InboundEvent }> {
  if (isSilencedAt(session, Date.parse(event.sentAt), parts.now().getTime())) return { session, event: { kind: 'ignored', reason: 'the desk has the conversation' } };
  const action = actionOf(event);
  if (action !== undefined) {
    const refusal = refusalOf(action, chatbot);
    if (refusal === undefined) return takeAction(parts, action, event, session, { chatbot, cause });
    await refuseAction(parts, action, event, refusal, cause);
    return { session, event: { kind: 'ignored', reason: `${action}: ${refusal}` } };
  }
  return event.content.kind === 'typing' ? { session, event } : { session: botSpoke(session), event };
}

function actionOf({ attributes }: InboundMessage): ChatbotAction | undefined {
  return chatbotActions.find((action) => action === attributes?.['botAction']);
}

/** A bot without a chatbot configuration is relayed: it may hand over, as any bot may, and nothing else has been allowed to it. */
function refusalOf(action: ChatbotAction, chatbot: Setting['chatbot']): string | undefined {
  if (chatbot === undefined) return action === 'handoff' ? undefined : 'the tenant has set up no chatbot';
  if (!chatbot.config.allowedActions.includes(action)) return 'the tenant does not allow it';
  if (action === 'handoff' && !chatbot.config.enableHumanHandoff) return 'the tenant has switched handoff off';
  return undefined;
}

/** What came together is put in the order in which it was said; what came in several webhooks goes out as it came. */
function inOrder(events: readonly InboundEvent[]): InboundEvent[] {
  const timeOf = (event: InboundEvent) => (event.kind === 'message' ? Date.parse(event.sentAt) : 0);
  return events.every((event) => event.kind === 'message') ? events.toSorted((a, b) => timeOf(a) - timeOf(b)) : [...events];
}
