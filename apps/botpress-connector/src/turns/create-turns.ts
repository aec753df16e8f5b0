import type { ConnectorHooks, ConnectorTools, ConnectorDefinition } from '@switchboard/connector-kit';
import { hubError, isHubError } from '@switchboard/contracts';
import { onEvent, type Subscription } from '@switchboard/event-bus';
import { isV12 } from '../account.ts';
import { handoffEndedPart } from '../render-message.ts';
import { beforeSend } from './before-send.ts';
import { endInSilence } from './fail-turn.ts';
import { onInbound } from './on-inbound.ts';
import { handlerChanged, type Session } from './session.ts';
import type { TurnParts } from './turn-parts.ts';

export type Turns = {
  /** Whether the bot may have this message already: for the client. */
  readonly isRepeat: (messageId: string) => boolean;
  readonly hooks: ConnectorHooks;
  readonly consumers: (definition: ConnectorDefinition, tools: Pick<ConnectorTools, 'connections' | 'runClient'>) => Subscription[];
};

/** The behaviour around a turn: what happens before the bot is asked, when it answers, when it does not, and when the desk has the conversation. */
export function createTurns(parts: TurnParts): Turns {
  // Of messages between a try and its end: as many as are under way.
  const repeats = new Set<string>();
  return {
    isRepeat: (messageId) => repeats.has(messageId),
    hooks: {
      beforeSend: (event, connection) => beforeSend(parts, { note: (messageId) => repeats.add(messageId) }, event, connection),
      async onSettled({ eventId, payload: { messageId, conversationId } }, outcome) {
        repeats.delete(messageId);
        const session = await parts.sessions.find(conversationId);
        const turn = session?.turns.find((one) => one.messageId === messageId);
        if (session === undefined || turn === undefined) return;
        if (outcome === 'sent' && session.reachedAt === null && turn.state !== 'failed') await parts.sessions.store({ ...session, reachedAt: parts.now().getTime() });
        const chatbot = outcome === 'failed' ? await parts.chatbots.current() : undefined;
        if (chatbot !== undefined) await endInSilence(parts, session, messageId, chatbot, eventId);
      },
      onInbound: (events, source) => onInbound(parts, events, source),
    },
    consumers: (definition, tools) => [onTurnCheck(parts), onConversationChanged(parts, definition, tools)],
  };
}

/** The look whether a bot has answered. Those of a conversation wait one behind the other, as they are due; they hold back nothing else. */
function onTurnCheck(parts: TurnParts): Subscription {
  return onEvent({
    type: 'bot_turn.check',
    group: parts.name,
    effect: 'idempotent',
    async handle({ eventId, payload }, context) {
      const afterMs = Date.parse(payload.dueAt) - parts.now().getTime();
      if (afterMs > 0) throw hubError('service.unavailable', { publicMessage: 'The bot still has time to answer.', retry: { afterMs, counted: false, planned: true } });
      const chatbot = await parts.chatbots.current();
      if (chatbot === undefined) return;
      await context.commit(async () => {
        const session = await parts.sessions.find(payload.conversationId);
        if (session !== undefined) await endInSilence(parts, session, payload.messageId, chatbot, eventId);
      });
    },
  });
}

function onConversationChanged(parts: TurnParts, definition: ConnectorDefinition, tools: Pick<ConnectorTools, 'connections' | 'runClient'>): Subscription {
  return onEvent({
    type: 'conversation.changed',
    group: parts.name,
    effect: 'idempotent',
    async handle({ occurredAt, payload: { conversationId, handler, status } }, context) {
      let returned: Session | undefined;
      await context.commit(async () => {
        const session = await parts.sessions.find(conversationId);
        const changed = session && handlerChanged(session, { handler, status, at: Date.parse(occurredAt) });
        if (session === undefined || changed === undefined) return;
        await parts.sessions.store(changed);
        if (session.deskSince !== null && changed.deskSince === null && handler === 'bot') returned = changed;
      });
      if (returned !== undefined) await tellBot(parts, returned, definition, tools);
    },
  });
}

/** That the desk is done. At best: a bot that does not hear of it is asked all the same when the contact writes. */
async function tellBot({ log }: TurnParts, session: Session, { client }: ConnectorDefinition, { connections, runClient }: Pick<ConnectorTools, 'connections' | 'runClient'>): Promise<void> {
  try {
    const connection = await connections.load(session.connectionId);
    if (isV12(connection) || connection.status !== 'active' || session.reachedAt === null) return;
    await runClient(connection, (context) => client.send(handoffEndedPart(session), context));
  } catch (error) {
    if (!isHubError(error)) throw error;
    log.warn({ conversationId: session.conversationId, connectionId: session.connectionId, code: error.code }, 'the bot could not be told that it has the conversation again');
  }
}
