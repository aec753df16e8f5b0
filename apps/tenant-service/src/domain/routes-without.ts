import type { ConnectionId, Route } from '@switchboard/contracts';

/** Routes when a connection is gone: without its channel there is none; without bot or desk the other one starts, and without both there is none. Pure. */
export function routesWithout(routes: readonly Route[], connectionId: ConnectionId): Route[] {
  return routes.flatMap((route) => {
    const botConnectionId = route.botConnectionId === connectionId ? null : route.botConnectionId;
    const deskConnectionId = route.deskConnectionId === connectionId ? null : route.deskConnectionId;
    if (route.channelConnectionId === connectionId || (botConnectionId === null && deskConnectionId === null)) return [];
    const startsWith = route.startsWith === 'bot' && botConnectionId === null ? 'desk' : route.startsWith === 'desk' && deskConnectionId === null ? 'bot' : route.startsWith;
    return [{ ...route, botConnectionId, deskConnectionId, startsWith }];
  });
}
