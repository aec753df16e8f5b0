import type { WebhookAuth } from '@switchboard/providers';
import { randomUUID } from 'node:crypto';
import type { WebhookFailure, WebhookSender } from '../webhook-sender.ts';
import type { HttpMethod, TwilioDelivery, WebhookKind } from './rows.ts';
import type { TwilioStore } from './twilio-store.ts';

/** Its own, not the registry's: the hub is tested against it. */
const twilioSignature = { scheme: 'twilio', header: 'x-twilio-signature' } as const satisfies WebhookAuth;

/** Defaults and bounds of the connection overrides (contract, section 5). */
const readTimeoutMs = { least: 100, most: 15_000 };
const retriesMax = 5;

export type TwilioWebhook = { readonly kind: WebhookKind; readonly url: string; readonly method?: string; readonly parameters: Readonly<Record<string, string>> };

/** Posts Twilio's webhooks: signed by the account's primary token, repeated as the URL's fragment says and at once. */
export class TwilioWebhooks {
  private readonly sender: WebhookSender;
  private readonly store: TwilioStore;
  private readonly now: () => Date;

  constructor(sender: WebhookSender, store: TwilioStore, now: () => Date) {
    this.sender = sender;
    this.store = store;
    this.now = now;
  }

  /** `read` says what is wrong with an answer for what Twilio does with it; kept and shown. */
  async send(accountSid: string, webhook: TwilioWebhook, read: (answer: { contentType: string; body: string }) => string | undefined = () => undefined): Promise<TwilioDelivery> {
    const method: HttpMethod = webhook.method?.toUpperCase() === 'GET' ? 'GET' : 'POST';
    const [target = '', fragment = ''] = webhook.url.split('#', 2);
    const { retries, isRepeated, timeoutMs } = overridesOf(fragment);
    const { url, authorization } = withoutUser(target);
    const form = new URLSearchParams(webhook.parameters).toString();
    const asked = method === 'GET' ? `${url}${url.includes('?') ? '&' : '?'}${form}` : url;
    const secret = this.store.account(accountSid)?.authToken;
    const outcome = await this.sender.send({
      provider: 'twilio',
      method,
      url: asked,
      signedUrl: signedUrlOf(asked, webhook.kind),
      proof: secret === undefined ? undefined : { auth: twilioSignature, secret },
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8', accept: '*/*', 'user-agent': 'TwilioProxy/1.1', ...authorization },
      attemptHeaders: () => ({ 'i-twilio-idempotency-token': randomUUID() }),
      body: method === 'GET' ? '' : form,
      keepsAnswer: true,
      retryDelaysMs: Array.from({ length: retries }, () => 0),
      isRepeated,
      timeoutMs,
    });
    const answer = outcome.answer ?? null;
    const delivery: TwilioDelivery = {
      at: this.now().toISOString(),
      kind: webhook.kind,
      method,
      url: webhook.url,
      parameters: webhook.parameters,
      attempts: outcome.attempts.map((status) => status ?? null),
      answer,
      error: faultOf(outcome.attempts, answer) ?? (answer === null ? null : (read(answer) ?? null)),
    };
    this.store.state.push('twilioDelivery', accountSid, delivery);
    return delivery;
  }
}

/** Error 11200: the answer is none of 2xx. A webhook that a fault swallowed has none. */
function faultOf(attempts: readonly (number | undefined)[], answer: TwilioDelivery['answer']): string | undefined {
  if (attempts.length === 0) return undefined;
  if (answer === null) return '11205: HTTP connection failure';
  return answer.status >= 200 && answer.status < 300 ? undefined : `11200: HTTP retrieval failure (${answer.status})`;
}

/** `rc=3&rp=5xx,ct` → how often, and on what, a request is repeated. */
function overridesOf(fragment: string): { retries: number; isRepeated: (status: number | undefined, failure?: WebhookFailure) => boolean; timeoutMs: number } {
  const given = new URLSearchParams(fragment);
  const within = (name: string, least: number, most: number, otherwise: number) => {
    const text = given.get(name) ?? '';
    return /^\d+$/.test(text) ? Math.min(Math.max(Number(text), least), most) : otherwise;
  };
  const policy = new Set((given.get('rp') ?? 'ct').split(','));
  const all = policy.has('all');
  return {
    retries: within('rc', 0, retriesMax, 1),
    timeoutMs: within('rt', readTimeoutMs.least, readTimeoutMs.most, readTimeoutMs.most),
    isRepeated: (status, failure) => {
      if (status === undefined) return all || policy.has(failure === 'read' ? 'rt' : 'ct');
      return (status >= 400 && status < 500 && (all || policy.has('4xx'))) || (status >= 500 && (all || policy.has('5xx')));
    },
  };
}

/** Credentials never, and a call's port over https neither. */
function signedUrlOf(url: string, kind: WebhookKind): string {
  const isCall = kind !== 'message' && kind !== 'status';
  return isCall ? url.replace(/^(https:\/\/[^/?#:]+):\d+/i, '$1') : url;
}

/** `https://user:password@host/…` becomes Basic auth; the rest of the URL stays as it was written. */
function withoutUser(url: string): { url: string; authorization: Record<string, string> } {
  const [, scheme = '', user, rest = ''] = /^(https?:\/\/)([^/?#@]*)@(.*)$/i.exec(url) ?? [];
  if (user === undefined) return { url, authorization: {} };
  return { url: scheme + rest, authorization: { authorization: `Basic ${Buffer.from(decodeURIComponent(user)).toString('base64')}` } };
}
