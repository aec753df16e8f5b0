import { listWebhooks } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { WebhookStore } from '../store/webhooks.ts';

export function listWebhooksRoute(webhooks: WebhookStore): Route {
  return defineRoute(listWebhooks, async ({ query: { limit, cursor, ...filter } }) => {
    const beforeId = readCursor(cursor);
    const rows = await webhooks.list({ ...filter, limit: limit + 1, ...(beforeId === undefined ? {} : { beforeId }) });
    return pageOfRows(rows, limit, (row) => row.webhookId);
  });
}
