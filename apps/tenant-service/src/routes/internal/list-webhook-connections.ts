import { listWebhookConnections } from '@switchboard/contracts';
import { defineRoute, readCursor, writeCursor, type Route } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import type { Dependencies } from '../../app.ts';

export function listWebhookConnectionsRoute({ webhookConnections, now }: Dependencies): Route {
  return defineRoute(listWebhookConnections, ({ query: { limit, cursor } }) =>
    runAsSystem('ingest keeps a copy of every tenant\'s connections', async () => {
      const { connections, lastId } = await webhookConnections.list({ limit, afterId: readCursor(cursor) }, now());
      return { data: connections, nextCursor: lastId === undefined ? null : writeCursor(lastId) };
    }),
  );
}
