import type { ConnectionId, ContentOf, ProviderId } from '@switchboard/contracts';

export type Handler = 'bot' | 'desk' | 'none';
export type ConversationStatus = 'open' | 'closed';

/**
 * How a conversation stands. Every field only grows, so that events which arrive late, twice or in another order end in the same
 * conversation; status and handler follow from them. Times are milliseconds since 1970.
 */
export type Standing = {
  /** When the contact last wrote. The channel's reply window counts from here. */
  readonly lastInboundAt: number | null;
  /** When something last happened that keeps the conversation open. */
  readonly lastActivityAt: number;
  readonly closedAt: number | null;
  /** To whom it was last given, by a bot's request or by an agent who wrote. */
  readonly handoff: { readonly at: number; readonly to: Handler } | null;
};

export type ConnectionRef = { readonly connectionId: ConnectionId; readonly provider: ProviderId };

/** The tenant's choice for one channel connection, with what the hub knows of its providers. */
export type ConversationRoute = {
  readonly channel: ConnectionRef;
  readonly bot: ConnectionRef | null;
  /** The channel itself where its own agents are the desk. */
  readonly desk: ConnectionRef | null;
  readonly startsWith: Handler;
  /** Milliseconds after the contact's last message in which the channel takes free-form messages; null: always. */
  readonly replyWindowMs: number | null;
  readonly windowClosedTemplate: Omit<ContentOf<'template'>, 'kind'> | null;
};

export function statusOf({ closedAt, lastActivityAt }: Standing): ConversationStatus {
  return closedAt !== null && closedAt >= lastActivityAt ? 'closed' : 'open';
}

/** Who answers now: whom it was given to since it was last opened, else who starts; nobody whom the route does not have. */
export function handlerOf(standing: Standing, route: ConversationRoute): Handler {
  if (statusOf(standing) === 'closed') return 'none';
  const { handoff, closedAt } = standing;
  const isGiven = handoff !== null && handoff.at > (closedAt ?? Number.NEGATIVE_INFINITY);
  return isGiven ? available(handoff.to, route) : startingHandler(route);
}

/** Whether the desk is the channel's own agents: they see there what the contact writes, and the contact what they write. */
export function hasOwnAgents({ channel, desk }: ConversationRoute): boolean {
  return desk?.connectionId === channel.connectionId;
}

/** Since when the desk has the conversation because it was given to it; null when it does not, or has it because the route starts with it. */
export function deskSince(standing: Standing, route: ConversationRoute): number | null {
  const { handoff } = standing;
  return handoff?.to === 'desk' && handlerOf(standing, route) === 'desk' && handoff.at > (standing.closedAt ?? Number.NEGATIVE_INFINITY) ? handoff.at : null;
}

export function startingHandler(route: ConversationRoute): Handler {
  return available(route.startsWith, route);
}

/** Where the route lacks the one, the other answers: a contact whom a bot has given to a desk that is not there must not be left to nobody. */
function available(handler: Handler, { bot, desk }: ConversationRoute): Handler {
  if (handler === 'bot' && bot === null) return desk === null ? 'none' : 'desk';
  if (handler === 'desk' && desk === null) return bot === null ? 'none' : 'bot';
  return handler;
}

export function later(a: number | null, b: number): number {
  return a === null ? b : Math.max(a, b);
}

/** The later of two handoffs; of two at the same moment the one to people, so that the order of arrival does not matter. */
export function laterHandoff(a: Standing['handoff'], b: NonNullable<Standing['handoff']>): NonNullable<Standing['handoff']> {
  if (a === null || b.at > a.at) return b;
  return b.at === a.at && precedence[b.to] > precedence[a.to] ? b : a;
}

const precedence: Record<Handler, number> = { none: 0, bot: 1, desk: 2 };
