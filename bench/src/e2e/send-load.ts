import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { SignedWebhook } from './signed-webhooks.ts';

/** One webhook that was posted. Times are milliseconds since 1970. */
export type Sent = { readonly text: string; readonly tenantId: string; readonly sentAt: number; readonly answeredMs: number; readonly status: number | undefined };

/** The nth webhook to send, and the text that names it. */
export type NextWebhook = () => { readonly text: string; readonly tenantId: string; readonly webhook: SignedWebhook };

const agent = new Agent({ connections: 256, keepAliveTimeout: 30_000 });

/** Posts at a steady rate whatever comes back (open loop): a slow hub is not sent less. */
export async function sendAtRate(next: NextWebhook, perSecond: number, seconds: number): Promise<Sent[]> {
  const posts: Promise<Sent>[] = [];
  const startedAt = performance.now();
  const total = Math.round(perSecond * seconds);
  while (posts.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1000) * perSecond) + 1);
    while (posts.length < due) posts.push(post(next()));
    await sleep(1);
  }
  return Promise.all(posts);
}

/** Posts as fast as the other end of the hub takes the calls: at most `outstandingMax` messages are on their way (closed loop). */
export async function sendBounded(next: NextWebhook, arrived: () => Promise<number>, outstandingMax: number, seconds: number): Promise<{ readonly sent: Sent[]; readonly perSecond: number }> {
  const posts: Promise<Sent>[] = [];
  const before = await arrived();
  // The first quarter fills the pipe.
  const countFrom = performance.now() + seconds * 250;
  const until = performance.now() + seconds * 1000;
  let start = { at: 0, count: 0 };
  let end = start;
  while (performance.now() < until) {
    const count = (await arrived()) - before;
    end = { at: performance.now(), count };
    if (start.at === 0 && end.at >= countFrom) start = end;
    for (let room = outstandingMax - (posts.length - count); room > 0; room--) posts.push(post(next()));
    await sleep(20);
  }
  return { sent: await Promise.all(posts), perSecond: ((end.count - start.count) / (end.at - start.at)) * 1000 };
}

async function post({ text, tenantId, webhook }: ReturnType<NextWebhook>): Promise<Sent> {
  const sentAt = performance.timeOrigin + performance.now();
  const status = await request(webhook.url, { method: 'POST', headers: webhook.headers, body: webhook.body, dispatcher: agent }).then(
    async ({ statusCode, body }) => {
      await body.dump();
      return statusCode;
    },
    () => undefined,
  );
  return { text, tenantId, sentAt, answeredMs: performance.timeOrigin + performance.now() - sentAt, status };
}
