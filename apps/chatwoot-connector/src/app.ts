import { createPace, type ConnectorParts, type ConnectorTools } from '@switchboard/connector-kit';
import type { Kit } from '@switchboard/service-kit';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EgressPace } from './api/paced-egress.ts';
import type { Config } from './config.ts';
import { createChatwoot } from './connector.ts';
import { onInbound } from './on-inbound.ts';
import { listChatwootConversationsRoute } from './routes/list-chatwoot-conversations.ts';
import type { PrismaClient } from './store/generated/client.ts';
import { createThreads } from './store/threads.ts';
import { dropOldPosts } from './tasks/drop-old-posts.ts';

/** Milliseconds in line for a server's turn; then the bus comes back. */
const paceWaitMaxMs = 10_000;

export function buildConnector({ db, now, config, callRoute }: Kit<Config, PrismaClient>, { connections, runClient }: ConnectorTools): ConnectorParts {
  const threads = createThreads(db, randomUUID);
  const perMinute = config.chatwootServerCallsPerMinute;
  const servers: EgressPace = { pace: createPace({ perMinute, burst: Math.max(1, Math.floor(perMinute / 10)), waitMaxMs: paceWaitMaxMs, now }), sleep };
  return {
    definition: createChatwoot({ threads, ...servers }),
    hooks: { onInbound: onInbound(threads) },
    routes: [listChatwootConversationsRoute({ callRoute, connections, runClient, ...servers })],
    tasks: [{ name: 'drop-old-posts', cron: '29 3 * * *', run: () => dropOldPosts(db, threads) }],
  };
}
