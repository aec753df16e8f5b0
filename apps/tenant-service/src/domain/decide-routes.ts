import type { ConnectionId, Role, Route } from '@switchboard/contracts';

export type RoutableConnection = { readonly connectionId: ConnectionId; readonly role: Role; readonly status: 'active' | 'pending' | 'disabled' };

/**
 * The routes a tenant gets by itself: one active channel and one active desk are joined. Undefined: leave what is there, because the tenant
 * chose, or because it is not plain what is wanted, or because it is so already.
 */
export function decideRoutes(source: 'automatic' | 'chosen', connections: readonly RoutableConnection[], current: readonly Route[]): Route[] | undefined {
  if (source === 'chosen') return undefined;
  const active = (role: Role) => connections.filter((connection) => connection.role === role && connection.status === 'active');
  const [channel, ...otherChannels] = active('channel');
  const [desk, ...otherDesks] = active('desk');
  if (channel === undefined || desk === undefined || otherChannels.length > 0 || otherDesks.length > 0) return undefined;
  const [route, ...more] = current;
  if (more.length === 0 && route?.channelConnectionId === channel.connectionId && route.deskConnectionId === desk.connectionId) return undefined;
  return [{ channelConnectionId: channel.connectionId, botConnectionId: null, deskConnectionId: desk.connectionId, startsWith: 'desk', settings: {} }];
}

/** What is wrong with routes that were chosen, in words; empty when nothing is. */
export function faultsOfRoutes(routes: readonly Route[], connections: readonly RoutableConnection[]): { path: string; message: string }[] {
  const roleOf = new Map(connections.filter((connection) => connection.status !== 'disabled').map((connection) => [connection.connectionId, connection.role]));
  return routes.flatMap((route, index) => {
    const fault = faultOf(route, roleOf) ?? (routes.findIndex((other) => other.channelConnectionId === route.channelConnectionId) < index ? { field: 'channelConnectionId', message: 'has a route already' } : undefined);
    return fault === undefined ? [] : [{ path: `body.routes[${index}].${fault.field}`, message: fault.message }];
  });
}

function faultOf(route: Route, roleOf: ReadonlyMap<ConnectionId, Role>): { field: string; message: string } | undefined {
  // A connection of another tenant is one that does not exist.
  if (roleOf.get(route.channelConnectionId) !== 'channel') return { field: 'channelConnectionId', message: 'is not a channel connection of this tenant' };
  if (route.botConnectionId !== null && roleOf.get(route.botConnectionId) !== 'bot') return { field: 'botConnectionId', message: 'is not a bot connection of this tenant' };
  if (route.deskConnectionId !== null && roleOf.get(route.deskConnectionId) !== 'desk') return { field: 'deskConnectionId', message: 'is not a desk connection of this tenant' };
  if (route.botConnectionId === null && route.deskConnectionId === null) return { field: 'deskConnectionId', message: 'name a desk, or a bot' };
  if (route.startsWith === 'bot' && route.botConnectionId === null) return { field: 'startsWith', message: 'is bot, but the route has none' };
  if (route.startsWith === 'desk' && route.deskConnectionId === null) return { field: 'startsWith', message: 'is desk, but the route has none' };
  return undefined;
}
