import { createPace, type ConnectorParts, type ConnectorTools } from '@switchboard/connector-kit';
import type { Kit } from '@switchboard/service-kit';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EgressPace } from './api/paced-egress.ts';
import type { Config } from './config.ts';
import { createChatwoot } from './connector.ts';
import { createMoves } from './moves/create-moves.ts';
import { moveRoutes } from './moves/routes/move-routes.ts';
import { onInbound } from './on-inbound.ts';
import { listChatwootConversationsRoute } from './routes/list-chatwoot-conversations.ts';
import type { PrismaClient } from './store/generated/client.ts';
import { createThreads } from './store/threads.ts';
import { dropOldPosts } from './tasks/drop-old-posts.ts';

/** Milliseconds in line for a server's turn; then the bus comes back. */
const paceWaitMaxMs = 10_000;

export function buildConnector(kit: Kit<Config, PrismaClient>, tools: ConnectorTools): ConnectorParts {
  const { db, now, config, callRoute } = kit;
  const { connections, runClient } = tools;
  const threads = createThreads(db, randomUUID);
  const perMinute = config.chatwootServerCallsPerMinute;
  const servers: EgressPace = { pace: createPace({ perMinute, burst: Math.max(1, Math.floor(perMinute / 10)), waitMaxMs: paceWaitMaxMs, now }), sleep };
  const moves = createMoves(kit, tools, { threads, servers, timing: { quietMs: config.chatwootMoveQuietSeconds * 1_000 } });
  return {
    definition: createChatwoot({ threads, ...servers }),
    hooks: { onInbound: onInbound(threads), beforeSend: (event, { connectionId }) => moves.beforeSend(event, connectionId) },
    routes: [listChatwootConversationsRoute({ callRoute, connections, runClient, ...servers }), ...moveRoutes(moves)],
    tasks: [{ name: 'drop-old-posts', cron: '29 3 * * *', run: () => dropOldPosts(db, threads) }],
    onStart: async () => moves.startRunner(),
    onStop: () => moves.stopRunner(),
  };
}
