import { listWebhooks } from '@switchboard/contracts';
import { defineRoute, readCursor, writeCursor, type Route } from '@switchboard/service-kit';
import type { WebhookStore } from '../store/webhooks.ts';

export function listWebhooksRoute(webhooks: WebhookStore): Route {
  return defineRoute(listWebhooks, async ({ query: { limit, cursor, ...filter } }) => {
    const beforeId = readCursor(cursor);
    const { rows, hasMore } = await webhooks.list({ ...filter, limit, ...(beforeId === undefined ? {} : { beforeId }) });
    const last = rows.at(-1);
    return { data: rows, nextCursor: hasMore && last !== undefined ? writeCursor(last.webhookId) : null };
  });
}
