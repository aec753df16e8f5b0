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
  /** Headers made anew for each attempt. */
  readonly attemptHeaders?: () => Readonly<Record<string, string>>;
  /** POST when left out; GET has no body. */
  readonly method?: 'GET' | 'POST' | 'PUT';
  /** The URL as the provider signs it, where that is not `url`. */
  readonly signedUrl?: string;
  /** The answer's body is read and handed back. */
  readonly keepsAnswer?: true;
  readonly body: string;
  /** Pauses before each repetition after an answer that the provider repeats on, in milliseconds. */
  readonly retryDelaysMs: readonly number[];
  readonly isRepeated: (status: number | undefined, failure?: WebhookFailure) => boolean;
  readonly timeoutMs: number;
};

/** Why there was no answer: no connection, or none in time on one. */
export type WebhookFailure = 'connect' | 'read';

export type WebhookAnswer = { readonly status: number; readonly contentType: string; readonly body: string };

/** Statuses of the answers in the order of the attempts; undefined: no answer. Empty when a fault dropped the webhook. */
export type WebhookOutcome = { readonly attempts: readonly (number | undefined)[]; readonly answer?: WebhookAnswer };

/** Bytes of an answer that are kept. */
const answerMaxBytes = 64 * 1024;

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
    const { attempts, answer } = await this.attempt(webhook);
    for (let repetition = 0; repetition < (fault?.repeat ?? 0); repetition++) attempts.push(...(await this.attempt(webhook)).attempts);
    const held = this.held.get(webhook.provider);
    if (held !== undefined) {
      this.held.delete(webhook.provider);
      attempts.push(...(await this.attempt(held)).attempts);
    }
    return { attempts, ...(answer && { answer }) };
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.agent.close();
  }

  private async attempt(webhook: OutgoingWebhook): Promise<{ attempts: (number | undefined)[]; answer?: WebhookAnswer }> {
    const attempts: (number | undefined)[] = [];
    let answer: WebhookAnswer | undefined;
    for (const delayMs of [0, ...webhook.retryDelaysMs]) {
      if (delayMs > 0) await sleep(delayMs, undefined, { ref: false });
      if (this.closed) break;
      const posted = await this.post(webhook);
      attempts.push(posted.status);
      answer = posted.answer;
      if (!webhook.isRepeated(posted.status, posted.failure)) break;
    }
    return { attempts, answer };
  }

  private async post(webhook: OutgoingWebhook): Promise<{ status?: number; failure?: WebhookFailure; answer?: WebhookAnswer }> {
    try {
      const { proof, method = 'POST' } = webhook;
      const headers = { 'content-type': 'application/json', ...webhook.headers, ...webhook.attemptHeaders?.() };
      const signature = proof && signWebhook(proof.auth, { url: webhook.signedUrl ?? webhook.url, body: Buffer.from(webhook.body), method, headers }, proof.secret);
      const { statusCode, headers: answered, body } = await request(webhook.url, {
        method,
        headers: { ...headers, ...signature },
        ...(method === 'GET' ? {} : { body: webhook.body }),
        dispatcher: this.agent,
        headersTimeout: webhook.timeoutMs,
        bodyTimeout: webhook.timeoutMs,
      });
      if (webhook.keepsAnswer !== true) {
        await body.dump();
        return { status: statusCode };
      }
      const text = (await body.text()).slice(0, answerMaxBytes);
      return { status: statusCode, answer: { status: statusCode, contentType: String(answered['content-type'] ?? ''), body: text } };
    } catch (error) {
      // No answer is an outcome here: the provider's rule decides whether it is repeated.
      return { failure: isConnectFailure(error) ? 'connect' : 'read' };
    }
  }
}

function isConnectFailure(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT', 'DEPTH_ZERO_SELF_SIGNED_CERT'].includes(code);
}
