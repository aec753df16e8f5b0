import { assertNever, type ConnectionId, type DeliveryError, type MessageContent } from '@switchboard/contracts';
import { deskSince, handlerOf, hasOwnAgents, later, laterHandoff, startingHandler, statusOf, type ConnectionRef, type ConversationRoute, type ConversationStatus, type Handler, type Standing } from './standing.ts';

/** What can happen to a conversation. `at` is when it happened, `now` when we decide; both in milliseconds since 1970. */
export type ConversationEvent =
  | { readonly kind: 'contact_message'; readonly at: number; readonly content: MessageContent }
  | { readonly kind: 'agent_message'; readonly at: number; readonly now: number; readonly from: ConnectionId; readonly content: MessageContent }
  | { readonly kind: 'bot_message'; readonly at: number; readonly now: number; readonly content: MessageContent }
  /** Of a desk's own flow (greeting, menu): nobody takes the conversation over by it. */
  | { readonly kind: 'flow_message'; readonly at: number; readonly now: number; readonly content: MessageContent }
  /** Given through the API. */
  | { readonly kind: 'system_message'; readonly at: number; readonly now: number; readonly content: MessageContent }
  /** Typing: passed on, never stored. */
  | { readonly kind: 'contact_signal'; readonly content: MessageContent }
  | { readonly kind: 'counterpart_signal'; readonly now: number; readonly by: 'bot' | 'desk'; readonly content: MessageContent }
  /** Asked for by one side; `none`: by the hub or somebody at its API; `channel`: what comes from the contact now is for people (a voicemail). */
  | { readonly kind: 'handoff'; readonly at: number; readonly by: Handler | 'channel'; readonly to: Handler }
  | { readonly kind: 'closed'; readonly at: number };

export type Command =
  /** Send the message there. `sentInstead`: this goes out in its place. */
  | { readonly kind: 'deliver'; readonly to: ConnectionRef; readonly sentInstead?: MessageContent }
  /** It cannot be sent there: the delivery fails at once. */
  | { readonly kind: 'fail'; readonly to: ConnectionRef; readonly error: DeliveryError }
  | { readonly kind: 'signal'; readonly to: ConnectionRef; readonly content: MessageContent }
  /** Tell the desk that it has the conversation now, why, and what was said. */
  | { readonly kind: 'handoff'; readonly to: ConnectionRef }
  /** Show the new handler what the contact last wrote; otherwise it would hear nothing until the contact writes again. */
  | { readonly kind: 'introduce'; readonly to: ConnectionRef };

export type Decision = { readonly standing: Standing; readonly status: ConversationStatus; readonly handler: Handler; readonly commands: readonly Command[] };

/**
 * The one place where it is chosen what becomes of an event: how the conversation stands afterwards, and what is sent where. Commands name
 * connections of the route and no others.
 */
export function decide(standing: Standing, route: ConversationRoute, event: ConversationEvent): Decision {
  const next = advance(standing, route, event);
  const handler = handlerOf(next, route);
  return { standing: next, status: statusOf(next), handler, commands: commandsFor(standing, next, handler, route, event) };
}

function advance(standing: Standing, route: ConversationRoute, event: ConversationEvent): Standing {
  switch (event.kind) {
    case 'contact_message': {
      const active = { ...standing, lastActivityAt: Math.max(standing.lastActivityAt, event.at) };
      // A notice is the provider's word about the contact, not the contact's: it opens no window.
      return event.content.kind === 'notice' ? active : { ...active, lastInboundAt: later(standing.lastInboundAt, event.at) };
    }
    case 'agent_message': {
      const active = { ...standing, lastActivityAt: Math.max(standing.lastActivityAt, event.at) };
      // An agent who writes has taken the conversation over.
      return event.from === route.desk?.connectionId ? { ...active, handoff: laterHandoff(standing.handoff, { at: event.at, to: 'desk' }) } : active;
    }
    case 'system_message':
      return { ...standing, lastActivityAt: Math.max(standing.lastActivityAt, event.at) };
    case 'handoff':
      if (event.by === 'channel') return givenByChannel(standing, route, event);
      return isEnd(event, route) ? { ...standing, closedAt: later(standing.closedAt, event.at) } : { ...standing, handoff: laterHandoff(standing.handoff, { at: event.at, to: event.to }) };
    case 'closed':
      return { ...standing, closedAt: later(standing.closedAt, event.at) };
    // A bot's last word often follows its closing the conversation; it must not open it again.
    case 'bot_message':
    case 'flow_message':
    case 'contact_signal':
    case 'counterpart_signal':
      return standing;
    default:
      return assertNever(event);
  }
}

function commandsFor(before: Standing, next: Standing, handler: Handler, route: ConversationRoute, event: ConversationEvent): Command[] {
  switch (event.kind) {
    case 'contact_message': {
      // Written before the conversation was closed and late on its way: somebody must still read it.
      const to = connectionOf(statusOf(next) === 'closed' ? startingHandler(route) : handler, route);
      // The channel's own agents have it already.
      return to === null || to.connectionId === route.channel.connectionId ? [] : [{ kind: 'deliver', to }];
    }
    case 'agent_message':
      // Written at the channel itself, where the contact reads it.
      return event.from === route.channel.connectionId ? [] : [toChannel(next, route, event.content, event.now)];
    case 'bot_message':
      return isSilenced(next, route, event.at) ? [] : [toChannel(next, route, event.content, event.now)];
    case 'flow_message':
    case 'system_message':
      return [toChannel(next, route, event.content, event.now)];
    case 'contact_signal': {
      const to = connectionOf(handler, route);
      return to === null || to.connectionId === route.channel.connectionId ? [] : [{ kind: 'signal', to, content: event.content }];
    }
    case 'counterpart_signal':
      if (event.by === 'bot' && deskSince(next, route) !== null) return [];
      return isWindowOpen(next, route, event.now) ? [{ kind: 'signal', to: route.channel, content: event.content }] : [];
    case 'handoff':
      return handler === handlerOf(before, route) ? [] : toNewHandler(handler, route, event.by);
    case 'closed':
      return [];
    default:
      return assertNever(event);
  }
}

/** A channel may ask for people and for nobody else, and only where the route has them. The contact is there: a closed conversation is opened. */
function givenByChannel(standing: Standing, route: ConversationRoute, { at, to }: Extract<ConversationEvent, { kind: 'handoff' }>): Standing {
  if (to !== 'desk' || route.desk === null) return standing;
  return { ...standing, lastActivityAt: Math.max(standing.lastActivityAt, at), handoff: laterHandoff(standing.handoff, { at, to }) };
}

/** The desk is done with the conversation and the route does not start with a bot that could have it back: the contact's next message opens it anew. */
function isEnd({ by, to }: Extract<ConversationEvent, { kind: 'handoff' }>, route: ConversationRoute): boolean {
  return by === 'desk' && (to === 'none' || (to === 'bot' && startingHandler(route) !== 'bot'));
}

/** What a bot wrote after the desk was given the conversation is kept and not sent. What it wrote before and comes late still goes out. */
function isSilenced(standing: Standing, route: ConversationRoute, at: number): boolean {
  const since = deskSince(standing, route);
  return since !== null && at > since;
}

/** A bot hears nothing until the contact writes: it would answer what a person has answered. */
function toNewHandler(handler: Handler, route: ConversationRoute, by: Handler | 'channel'): Command[] {
  if (handler !== 'desk' || route.desk === null) return [];
  // What it is about follows at once.
  if (by === 'channel') return [{ kind: 'handoff', to: route.desk }];
  if (!hasOwnAgents(route)) return [{ kind: 'handoff', to: route.desk }, { kind: 'introduce', to: route.desk }];
  // They took it themselves, where all of it stands.
  return by === 'desk' ? [] : [{ kind: 'handoff', to: route.desk }];
}

function toChannel(standing: Standing, route: ConversationRoute, content: MessageContent, now: number): Command {
  if (content.kind === 'template' || isWindowOpen(standing, route, now)) return { kind: 'deliver', to: route.channel };
  // A template in place of a reaction would say something that nobody said.
  if (route.windowClosedTemplate !== null && content.kind !== 'reaction') return { kind: 'deliver', to: route.channel, sentInstead: { kind: 'template', ...route.windowClosedTemplate } };
  return { kind: 'fail', to: route.channel, error: { code: 'message.window_closed', message: 'The reply window is closed' } };
}

function isWindowOpen({ lastInboundAt }: Standing, { replyWindowMs }: ConversationRoute, now: number): boolean {
  return replyWindowMs === null || (lastInboundAt !== null && now - lastInboundAt < replyWindowMs);
}

function connectionOf(handler: Handler, route: ConversationRoute): ConnectionRef | null {
  switch (handler) {
    case 'bot':
      return route.bot;
    case 'desk':
      return route.desk;
    case 'none':
      return null;
    default:
      return assertNever(handler);
  }
}
