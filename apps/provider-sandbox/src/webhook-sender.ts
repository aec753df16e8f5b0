import { signWebhook } from '@switchboard/providers/webhook-auth';
import type { WebhookAuth } from '@switchboard/providers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { Fault, Faults } from './faults.ts';

export type OutgoingWebhook = {
  readonly provider: Fault['provider'];
  readonly url: string;
  /** Undefined: the provider sends it without proof. */
  readonly proof: { readonly auth: WebhookAuth; readonly secret: string } | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** Pauses before each repetition after an answer that the provider repeats on, in milliseconds. */
  readonly retryDelaysMs: readonly number[];
  readonly isRepeated: (status: number | undefined) => boolean;
  readonly timeoutMs: number;
};

/** Statuses of the answers in the order of the attempts; undefined: no answer. Empty when a fault dropped the webhook. */
export type WebhookOutcome = { readonly attempts: readonly (number | undefined)[] };

/** Posts webhooks as a provider does: signed, repeated on failure by the provider's rule, and wrong where a fault says so. */
export class WebhookSender {
  private readonly agent = new Agent({ keepAliveTimeout: 10_000, connections: 128 });
  /** By provider: the one that waits until the next was sent. */
  private readonly held = new Map<Fault['provider'], OutgoingWebhook>();
  private closed = false;
  private readonly faults: Faults;

  constructor(faults: Faults) {
    this.faults = faults;
  }

  async send(webhook: OutgoingWebhook): Promise<WebhookOutcome> {
    const fault = this.faults.take(webhook.provider, 'webhooks', webhook.body);
    if (fault?.drop !== undefined) return { attempts: [] };
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault?.reorder === true && !this.held.has(webhook.provider)) {
      this.held.set(webhook.provider, webhook);
      return { attempts: [] };
    }
    const attempts = await this.attempt(webhook);
    for (let repetition = 0; repetition < (fault?.repeat ?? 0); repetition++) attempts.push(...(await this.attempt(webhook)));
    const held = this.held.get(webhook.provider);
    if (held !== undefined) {
      this.held.delete(webhook.provider);
      attempts.push(...(await this.attempt(held)));
    }
    return { attempts };
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.agent.close();
  }

  private async attempt(webhook: OutgoingWebhook): Promise<(number | undefined)[]> {
    const statuses: (number | undefined)[] = [];
    for (const delayMs of [0, ...webhook.retryDelaysMs]) {
      if (delayMs > 0) await sleep(delayMs, undefined, { ref: false });
      if (this.closed) break;
      const status = await this.post(webhook);
      statuses.push(status);
      if (!webhook.isRepeated(status)) break;
    }
    return statuses;
  }

  private async post(webhook: OutgoingWebhook): Promise<number | undefined> {
    try {
      const { proof } = webhook;
      const signature = proof && signWebhook(proof.auth, { url: webhook.url, body: Buffer.from(webhook.body) }, proof.secret);
      const { statusCode, body } = await request(webhook.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...webhook.headers, ...signature },
        body: webhook.body,
        dispatcher: this.agent,
        headersTimeout: webhook.timeoutMs,
        bodyTimeout: webhook.timeoutMs,
      });
      await body.dump();
      return statusCode;
    } catch {
      // No answer is an outcome here: the provider's rule decides whether it is repeated.
      return undefined;
    }
  }
}
