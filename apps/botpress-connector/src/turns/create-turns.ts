import type { ConnectorDefinition, ConnectorHooks, ConnectorTools, InboundEvent } from '@switchboard/connector-kit';
import { hubError, isHubError, type ConnectionWithSecrets, type PayloadOf } from '@switchboard/contracts';
import { onEvent, type Subscription } from '@switchboard/event-bus';
import { isV12 } from '../account.ts';
import { findAnswers } from '../client-cloud.ts';
import { fidOf } from '../fid.ts';
import { handoffEndedPart } from '../render-message.ts';
import { beforeSend } from './before-send.ts';
import { createCallAlone, type CallAlone } from './call-alone.ts';
import { endInSilence } from './end-in-silence.ts';
import { onInbound } from './on-inbound.ts';
import { handlerChanged, nobodyCame, type Session } from './session.ts';
import { endWait } from './speak.ts';
import type { TurnParts } from './turn-parts.ts';

type Tools = Pick<ConnectorTools, 'connections' | 'runClient'>;

export type Turns = {
  /** Whether the bot may have this message already: for the client. */
  readonly isRepeat: (messageId: string) => boolean;
  readonly callAlone: CallAlone;
  readonly hooks: ConnectorHooks;
  readonly consumers: (definition: ConnectorDefinition, tools: Tools) => Subscription[];
};

/** The behaviour around a turn: what happens before the bot is asked, when it answers, when it does not, and when the desk has the conversation. */
export function createTurns(parts: TurnParts): Turns {
  // Of messages between a try and its end: as many as are under way.
  const repeats = new Set<string>();
  return {
    isRepeat: (messageId) => repeats.has(messageId),
    callAlone: createCallAlone(parts),
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
    consumers: (definition, tools) => [onTurnCheck(parts, tools), onConversationChanged(parts, definition, tools)],
  };
}

/** The look whether a bot has answered. Those of a conversation wait one behind the other, as they are due; they hold back nothing else. */
function onTurnCheck(parts: TurnParts, tools: Tools): Subscription {
  return onEvent({
    type: 'bot_turn.check',
    group: parts.name,
    effect: 'idempotent',
    async handle({ eventId, payload }, context) {
      const afterMs = Date.parse(payload.dueAt) - parts.now().getTime();
      if (afterMs > 0) throw hubError('service.unavailable', { publicMessage: 'The bot still has time to answer.', retry: { afterMs, counted: false, planned: true } });
      const { conversationId, messageId } = payload;
      const chatbot = await parts.chatbots.current();
      const before = await parts.db.transaction(() => parts.sessions.find(conversationId));
      if (chatbot === undefined || before === undefined) return;
      const missed = isOpenTurn(before, messageId) ? await findMissed(parts, payload, tools) : undefined;
      await context.commit(async () => {
        const session = await parts.sessions.find(conversationId);
        const alone = session && nobodyCame(session, parts.now().getTime());
        if (alone !== undefined) await parts.sessions.store(await endWait(parts, alone, chatbot, eventId));
        if (session === undefined || !isOpenTurn(session, messageId)) return;
        if (missed === undefined) return endInSilence(parts, session, messageId, chatbot, eventId);
        const { events, connection } = missed;
        await parts.publishInbound(await onInbound(parts, events, { cause: eventId, connection }), { cause: eventId, name: 'missed', connection });
      });
    },
  });
}

function isOpenTurn({ turns }: Session, messageId: string): boolean {
  return turns.some((turn) => turn.messageId === messageId && turn.state === 'asked');
}

type Missed = { readonly events: readonly InboundEvent[]; readonly connection: ConnectionWithSecrets };

/** What the bot has said all the same, and the hub never heard. At best: a bot that cannot be asked for it is silent. */
async function findMissed({ log }: TurnParts, { conversationId, connectionId, messageId }: PayloadOf<'bot_turn.check'>, { connections, runClient }: Tools): Promise<Missed | undefined> {
  try {
    const connection = await connections.load(connectionId);
    if (isV12(connection) || connection.status !== 'active') return undefined;
    const events = await runClient(connection, (context) => findAnswers(fidOf({ connectionId, conversationId }), messageId, context));
    if (!events.some(({ kind }) => kind === 'message')) return undefined;
    log.warn({ conversationId, connectionId, messages: events.length }, 'a bot has answered, and its webhooks did not come');
    return { events, connection };
  } catch (error) {
    if (!isHubError(error)) throw error;
    return undefined;
  }
}

function onConversationChanged(parts: TurnParts, definition: ConnectorDefinition, tools: Tools): Subscription {
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
async function tellBot({ log }: TurnParts, session: Session, { client }: ConnectorDefinition, { connections, runClient }: Tools): Promise<void> {
  try {
    const connection = await connections.load(session.connectionId);
    if (isV12(connection) || connection.status !== 'active' || session.reachedAt === null) return;
    await runClient(connection, (context) => client.send(handoffEndedPart(session), context));
  } catch (error) {
    if (!isHubError(error)) throw error;
    log.warn({ conversationId: session.conversationId, connectionId: session.connectionId, code: error.code }, 'the bot could not be told that it has the conversation again');
  }
}
