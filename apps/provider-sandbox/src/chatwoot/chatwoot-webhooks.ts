import type { WebhookAuth } from '@switchboard/providers';
import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SandboxState } from '../sandbox-state.ts';
import type { WebhookSender } from '../webhook-sender.ts';
import type { ChatwootDelivery } from './rows.ts';
import { can } from './version-gates.ts';
import type { Site } from './render-people.ts';

/** Connect and read have 5 s each (`WEBHOOK_TIMEOUT`). */
const timeoutMs = 5_000;
/** Agent bots alone are tried again: three attempts, 3 s apart, after 429 and 500 only. */
const botRetryDelaysMs = [3_000, 3_000];

/** HMAC-SHA256 of `<timestamp>.<raw body>` (contract, section 1.2). Its own, not the registry's: the hub is tested against it. */
export const chatwootSignature = {
  scheme: 'timestamped-hmac',
  algorithm: 'sha256',
  signatureHeader: 'x-chatwoot-signature',
  timestampHeader: 'x-chatwoot-timestamp',
  prefix: 'sha256=',
  encoding: 'hex',
  separator: '.',
  toleranceSeconds: 300,
} as const satisfies WebhookAuth;

export type Target = { readonly surface: ChatwootDelivery['surface']; readonly url: string; readonly secret: string };

/** Posts Chatwoot's webhooks: one after the other within a conversation, never repeated but for bots. */
export class ChatwootWebhooks {
  private readonly sender: WebhookSender;
  private readonly state: SandboxState;
  private readonly now: () => Date;
  private readonly tails = new Map<string, Promise<unknown>>();

  constructor(sender: WebhookSender, state: SandboxState, now: () => Date) {
    this.sender = sender;
    this.state = state;
    this.now = now;
  }

  /** `build` is called when the webhook's turn has come: what it says is the state of that moment. */
  send(site: Site, accountId: number, lane: string, target: Target, event: string, build: () => Record<string, unknown>): Promise<ChatwootDelivery> {
    const key = `${site.store.server.name}/${accountId}/${lane}/${target.surface}`;
    const sent = (this.tails.get(key) ?? nextTurn()).then(() => this.post(site, accountId, target, event, build));
    const tail = sent.catch(() => undefined).finally(() => {
      if (this.tails.get(key) === tail) this.tails.delete(key);
    });
    this.tails.set(key, tail);
    return sent;
  }

  private async post(site: Site, accountId: number, target: Target, event: string, build: () => Record<string, unknown>): Promise<ChatwootDelivery> {
    const { server } = site.store;
    const signed = can(server.version, target.surface === 'account' ? 'signsAccountWebhooks' : 'signsInboxWebhooks');
    const retries = target.surface === 'bot' && can(server.version, 'retriesBots');
    const deliveryId = randomUUID();
    const { url, authorization } = withoutUser(target.url);
    const outcome = await this.sender.send({
      provider: 'chatwoot',
      url,
      proof: signed ? { auth: chatwootSignature, secret: target.secret } : undefined,
      headers: { accept: 'application/json', ...(can(server.version, 'sendsDeliveryId') ? { 'x-chatwoot-delivery': deliveryId } : {}), ...authorization },
      body: escapeAsRails(JSON.stringify({ ...build(), event })),
      retryDelaysMs: retries ? botRetryDelaysMs : [],
      isRepeated: (status) => status === 429 || status === 500,
      timeoutMs,
    });
    const delivery: ChatwootDelivery = { at: this.now().toISOString(), surface: target.surface, url: target.url, event, deliveryId, signed, attempts: outcome.attempts.map((status) => status ?? null) };
    this.state.push('chatwootDelivery', `${server.name}/${accountId}`, delivery);
    return delivery;
  }
}

/** Why a delivery failed, in the words Chatwoot keeps; undefined when it did not. One that a fault swallowed did not. */
export function failureOf({ attempts }: ChatwootDelivery): string | undefined {
  const last = attempts.at(-1);
  if (last === undefined || (last !== null && last >= 200 && last < 300)) return undefined;
  return last === null ? 'Net::ReadTimeout with #<TCPSocket:(closed)>' : `${last}`;
}

/** `https://user:password@host/…` becomes Basic auth. */
function withoutUser(url: string): { url: string; authorization: Record<string, string> } {
  // An inbox takes any text for its URL; the call then fails like any other.
  const parsed = URL.parse(url);
  if (parsed === null || parsed.username === '') return { url, authorization: {} };
  const user = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`;
  parsed.username = '';
  parsed.password = '';
  return { url: parsed.href, authorization: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } };
}

/** Rails escapes these in JSON; hashing anything but the raw bytes must fail against the sandbox too. */
function escapeAsRails(json: string): string {
  return json.replaceAll(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
