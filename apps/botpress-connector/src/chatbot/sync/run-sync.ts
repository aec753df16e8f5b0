import { getRoutesInternal, type ConnectionWithSecrets } from '@switchboard/contracts';
import type { ConnectorTools } from '@switchboard/connector-kit';
import type { CallRoute } from '@switchboard/service-kit';
import { currentTenant } from '@switchboard/tenant-context';
import type { ChatbotStore } from '../../store/chatbots.ts';
import { chooseTarget } from './choose-target.ts';

export type SyncOutcome = { readonly kind: 'pushed' } | { readonly kind: 'skipped'; readonly reason: string };

/** One try of the current tenant's job. */
export type RunSync = (watch: { readonly note: (progress: { readonly version: number; readonly done: number; readonly total: number }) => Promise<void>; readonly sleep: (ms: number) => Promise<void> }) => Promise<SyncOutcome>;

type Deps = { readonly chatbotStore: Pick<ChatbotStore, 'find'>; readonly tools: Pick<ConnectorTools, 'connections' | 'runClient'>; readonly callRoute: CallRoute };

/** Pushes the chatbot as it is now to the tenant's bot. */
export function createRunSync({ chatbotStore, tools, callRoute }: Deps): RunSync {
  return async ({ note, sleep }) => {
    // Not the kept one: what is pushed must be what was changed last.
    const chatbot = await chatbotStore.find();
    if (chatbot === undefined) return { kind: 'skipped', reason: 'The tenant has no chatbot any more.' };
    const connection = await findBot(chatbot.config.botpressBotId);
    const target = chooseTarget(connection);
    if (connection === undefined || target.kind === 'nowhere') return { kind: 'skipped', reason: target.kind === 'nowhere' ? target.reason : '' };
    await tools.runClient(connection, ({ egress }) =>
      target.push({ tenantId: currentTenant(), chatbot, connection, egress, sleep, note: (progress) => note({ version: chatbot.version, ...progress }) }),
    );
    return { kind: 'pushed' };
  };

  /** The bot that the config names, else the one that conversations go to, else the oldest. */
  async function findBot(botId: string | undefined): Promise<ConnectionWithSecrets | undefined> {
    const { routes, connections } = await callRoute('tenant-service', getRoutesInternal, {});
    const active = connections.filter(({ provider, status }) => provider === 'botpress' && status === 'active');
    const loaded = await Promise.all(active.map(({ connectionId }) => tools.connections.load(connectionId)));
    const routed = new Set(routes.map(({ botConnectionId }) => botConnectionId));
    return loaded.find(({ settings }) => botId !== undefined && settings['botId'] === botId) ?? loaded.find(({ connectionId }) => routed.has(connectionId)) ?? loaded[0];
  }
}
