import type { ConnectionId, TenantRouting } from '@switchboard/contracts';
import { findProvider } from '@switchboard/providers';
import type { ConnectionRef, ConversationRoute } from '../domain/standing.ts';

const hourMs = 3_600_000;

/** The tenant's route for a conversation on this channel connection, with a contact at this address. Without one, messages are kept and nobody answers. */
export function routeOf(routing: TenantRouting, channel: ConnectionRef, address: string): ConversationRoute {
  const route = routing.routes.find(({ channelConnectionId }) => channelConnectionId === channel.connectionId);
  const replyWindowHours = findProvider(channel.provider)?.channel?.replyWindowHours?.(address);
  return {
    channel,
    bot: usableConnection(routing, route?.botConnectionId),
    desk: usableConnection(routing, route?.deskConnectionId),
    startsWith: route?.startsWith ?? 'none',
    replyWindowMs: replyWindowHours === undefined ? null : replyWindowHours * hourMs,
    windowClosedTemplate: route?.settings.windowClosedTemplate ?? null,
  };
}

/** A connection that is disabled or gone is as if the route did not name it. One that waits for working credentials gets its messages: they fail or wait there, in sight. */
export function usableConnection(routing: TenantRouting, connectionId: ConnectionId | null | undefined): ConnectionRef | null {
  const connection = routing.connections.find((candidate) => candidate.connectionId === connectionId && candidate.status !== 'disabled');
  return connection === undefined ? null : { connectionId: connection.connectionId, provider: connection.provider };
}
