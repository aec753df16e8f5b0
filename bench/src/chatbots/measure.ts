import { providers } from '@switchboard/providers';
import { signWebhook } from '@switchboard/providers/webhook-auth';
import { setTimeout as sleep } from 'node:timers/promises';
import { latencyOf, type Latency } from '../e2e/measure.ts';
import { callJson } from '../e2e/providers.ts';
import { sendAtRate } from '../e2e/send-load.ts';
import type { SignedWebhook } from '../e2e/signed-webhooks.ts';
import type { ChatbotTenant } from './onboard.ts';

export type Round = { readonly latency: Latency; readonly delays: readonly number[]; readonly sent: number; readonly refused: number; readonly lost: number; readonly doubled: number };

const patienceMs = 20_000;
let serial = 0;

/**
 * Each webhook is a new contact's first message, at the next of these tenants: what is made for a conversation is made in every setting, and only
 * the number of tenants differs.
 */
export async function measureRound(hub: { readonly ingestUrl: string; readonly standInUrl: string }, tenants: Iterator<ChatbotTenant>, perSecond: number, seconds: number): Promise<Round> {
  await readArrivals(hub.standInUrl);
  const next = () => {
    const { value: tenant, done } = tenants.next();
    if (done === true) throw new Error('there are no more tenants');
    const text = `What about my parcel number ${++serial}? It is damaged.`;
    return { text, tenantId: tenant.tenantId, webhook: contactWebhook(hub.ingestUrl, tenant, text) };
  };
  const sent = await sendAtRate(next, perSecond, seconds);
  const accepted = sent.filter(({ status }) => status !== undefined && status < 300);
  const arrivals = new Map<string, number[]>();
  const until = Date.now() + patienceMs;
  do {
    await sleep(250);
    for (const [text, times] of Object.entries(await readArrivals(hub.standInUrl))) arrivals.set(text, [...(arrivals.get(text) ?? []), ...times]);
  } while (accepted.some(({ text }) => !arrivals.has(text)) && Date.now() < until);
  const delays = accepted.flatMap(({ text, sentAt }) => (arrivals.get(text) ?? []).slice(0, 1).map((at) => at - sentAt));
  return {
    latency: latencyOf(delays),
    delays,
    sent: sent.length,
    refused: sent.length - accepted.length,
    lost: accepted.filter(({ text }) => !arrivals.has(text)).length,
    doubled: accepted.filter(({ text }) => (arrivals.get(text)?.length ?? 0) > 1).length,
  };
}

async function readArrivals(standInUrl: string): Promise<Record<string, number[]>> {
  return (await callJson<{ arrivals: Record<string, number[]> }>('GET', `${standInUrl}/noted`)).arrivals;
}

/** A contact's first message in a website inbox, in the form of v4.15.1. */
function contactWebhook(ingestUrl: string, { accountId, inboxId }: ChatbotTenant, text: string): SignedWebhook {
  const id = ++serial;
  const account = { id: accountId, name: 'Hub' };
  const sourceId = `source-${id}`;
  const url = `${ingestUrl}/api/v1/webhooks/chatwoot`;
  const body = JSON.stringify({
    event: 'message_created', id, account, inbox: { id: inboxId, name: 'Website' }, message_type: 'incoming', content: text, content_type: 'text', content_attributes: {}, additional_attributes: {},
    private: false, source_id: null, created_at: new Date().toISOString(), sender: { id, name: `Visitor ${id}`, email: null, phone_number: null, identifier: null, account },
    conversation: {
      id, inbox_id: inboxId, channel: 'Channel::WebWidget', status: 'pending', can_reply: true, account,
      contact_inbox: { id, contact_id: id, inbox_id: inboxId, source_id: sourceId, pubsub_token: 'a-live-token' },
      meta: { sender: { id, name: `Visitor ${id}` }, assignee: null }, messages: [], updated_at: Date.now() / 1000,
    },
  });
  const headers = signWebhook(providers.chatwoot.webhook.auth, { url, body: Buffer.from(body) }, `secret-of-account-${accountId}`);
  return { url, body, headers: { 'content-type': 'application/json', ...headers } };
}
