import { hubError, replayedMax, replayWebhooks, type ConnectionId, type WebhookId } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { WebhookStore } from '../store/webhooks.ts';

export function replayWebhooksRoute(webhooks: WebhookStore): Route {
  return defineRoute(replayWebhooks, ({ body }) => ('webhookIds' in body ? replayByIds(webhooks, body.webhookIds) : replayRange(webhooks, body)));
}

async function replayByIds(webhooks: WebhookStore, ids: readonly WebhookId[]): Promise<{ replayed: number; nextFrom: null }> {
  // Before the first is handed on: all of them, or none.
  const missing = new Set(ids).size - (await webhooks.count(ids));
  if (missing > 0) throw hubError('webhook.not_found', { publicMessage: `${missing} of these webhooks are not there; none was replayed.` });
  let replayed = 0;
  for (let page = await webhooks.listOf(ids, ''); page.length > 0; page = await webhooks.listOf(ids, page.at(-1)?.webhookId ?? '')) {
    await webhooks.replay(page);
    replayed += page.length;
  }
  return { replayed, nextFrom: null };
}

async function replayRange(webhooks: WebhookStore, range: { readonly connectionId: ConnectionId; readonly from: string; readonly to: string }): Promise<{ replayed: number; nextFrom: string | null }> {
  let replayed = 0;
  for (let afterId = ''; ; ) {
    const page = await webhooks.listRange({ ...range, afterId });
    const last = page.at(-1);
    if (last === undefined) return { replayed, nextFrom: null };
    // The next call begins with this page: its first webhook is the oldest that was not handed on.
    if (replayed + page.length > replayedMax) return { replayed, nextFrom: page[0]?.receivedAt ?? null };
    await webhooks.replay(page);
    replayed += page.length;
    afterId = last.webhookId;
  }
}
