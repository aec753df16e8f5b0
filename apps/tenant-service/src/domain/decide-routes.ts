import type { ConnectionId, ProviderId, Role, Route } from '@switchboard/contracts';
import { findProvider } from '@switchboard/providers';

export type RoutableConnection = { readonly connectionId: ConnectionId; readonly provider: ProviderId; readonly role: Role; readonly status: 'active' | 'pending' | 'disabled' };

/**
 * The routes a tenant gets by itself: one active channel is joined to its active bot and its active desk, of which there is one at most; a channel whose
 * own agents answer is its own desk where there is no other. Undefined: leave what is there, because the tenant chose, or because it is not plain
 * what is wanted, or because it is so already.
 */
export function decideRoutes(source: 'automatic' | 'chosen', connections: readonly RoutableConnection[], current: readonly Route[]): Route[] | undefined {
  if (source === 'chosen') return undefined;
  const active = (role: Role) => connections.filter((connection) => connection.role === role && connection.status === 'active');
  const [channel, ...otherChannels] = active('channel');
  const [bot, ...otherBots] = active('bot');
  const [desk, ...otherDesks] = active('desk');
  // Own agents alone need no hub in between.
  if (channel === undefined || (bot === undefined && desk === undefined)) return undefined;
  if (otherChannels.length > 0 || otherBots.length > 0 || otherDesks.length > 0) return undefined;
  const botConnectionId = bot?.connectionId ?? null;
  const deskConnectionId = desk?.connectionId ?? (hasAgents(channel) ? channel.connectionId : null);
  const [route, ...more] = current;
  if (more.length === 0 && route?.channelConnectionId === channel.connectionId && route.botConnectionId === botConnectionId && route.deskConnectionId === deskConnectionId) return undefined;
  return [{ channelConnectionId: channel.connectionId, botConnectionId, deskConnectionId, startsWith: bot === undefined ? 'desk' : 'bot', settings: {} }];
}

/** What is wrong with routes that were chosen, in words; empty when nothing is. */
export function faultsOfRoutes(routes: readonly Route[], connections: readonly RoutableConnection[]): { path: string; message: string }[] {
  const usable = new Map(connections.filter((connection) => connection.status !== 'disabled').map((connection) => [connection.connectionId, connection]));
  return routes.flatMap((route, index) => {
    const fault = faultOf(route, usable) ?? (routes.findIndex((other) => other.channelConnectionId === route.channelConnectionId) < index ? { field: 'channelConnectionId', message: 'has a route already' } : undefined);
    return fault === undefined ? [] : [{ path: `body.routes[${index}].${fault.field}`, message: fault.message }];
  });
}

function faultOf(route: Route, usable: ReadonlyMap<ConnectionId, RoutableConnection>): { field: string; message: string } | undefined {
  const roleOf = (connectionId: ConnectionId) => usable.get(connectionId)?.role;
  const channel = usable.get(route.channelConnectionId);
  // A connection of another tenant is one that does not exist.
  if (channel?.role !== 'channel') return { field: 'channelConnectionId', message: 'is not a channel connection of this tenant' };
  if (route.botConnectionId !== null && roleOf(route.botConnectionId) !== 'bot') return { field: 'botConnectionId', message: 'is not a bot connection of this tenant' };
  const isOwnDesk = route.deskConnectionId === route.channelConnectionId && hasAgents(channel);
  if (route.deskConnectionId !== null && !isOwnDesk && roleOf(route.deskConnectionId) !== 'desk') return { field: 'deskConnectionId', message: 'is not a desk connection of this tenant' };
  if (route.botConnectionId === null && route.deskConnectionId === null) return { field: 'deskConnectionId', message: 'name a desk, or a bot' };
  if (route.startsWith === 'bot' && route.botConnectionId === null) return { field: 'startsWith', message: 'is bot, but the route has none' };
  if (route.startsWith === 'desk' && route.deskConnectionId === null) return { field: 'startsWith', message: 'is desk, but the route has none' };
  return undefined;
}

/** Whether human agents answer in the channel itself. */
function hasAgents({ provider }: RoutableConnection): boolean {
  return findProvider(provider)?.channel?.hasAgents === true;
}
