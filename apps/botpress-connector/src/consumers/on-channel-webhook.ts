import { createMemoryStore, createTenantCache } from '@switchboard/cache';
import type { Connections } from '@switchboard/connector-kit';
import { getRoutesInternal, type ConnectionId } from '@switchboard/contracts';
import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { CallRoute } from '@switchboard/service-kit';
import type { Chatbots } from '../chatbot/create-chatbots.ts';

export type WarmingParts = { readonly chatbots: Pick<Chatbots, 'current'>; readonly connections: Pick<Connections, 'load'>; readonly callRoute: CallRoute };

/** Milliseconds for which it is taken for known which bot a channel leads to: an old answer costs a look-up in the turn itself, and nothing else. */
const routeKeptForMs = 60_000;
/** About 200 bytes each. */
const routesMax = 20_000;

/**
 * While a contact's message is still on its way to the turn, the tenant's chatbot and its bot's connection are fetched: a turn of a tenant that nobody
 * has written to for a while waits for neither. What cannot be fetched now is fetched in the turn, which says what is wrong.
 */
export function onChannelWebhook({ chatbots, connections, callRoute }: WarmingParts, group: string): Subscription {
  const bots = createTenantCache<ConnectionId | 'none'>({ store: createMemoryStore({ entriesMax: routesMax }), name: 'bot', parse: (value) => value as ConnectionId | 'none' }); // put below alone

  async function loadBot(channelConnectionId: ConnectionId): Promise<void> {
    const bot = await bots.remember(channelConnectionId, async () => {
      const { routes } = await callRoute('tenant-service', getRoutesInternal, {});
      return { value: routes.find((route) => route.channelConnectionId === channelConnectionId)?.botConnectionId ?? 'none', keptForMs: routeKeptForMs };
    });
    if (bot !== 'none') await connections.load(bot);
  }

  return onEvent({
    type: 'webhook.received.chatwoot',
    group: `${group}-warming`,
    effect: 'idempotent',
    async handle({ payload: { connectionId } }) {
      await Promise.allSettled([chatbots.current(), loadBot(connectionId)]);
    },
  });
}
