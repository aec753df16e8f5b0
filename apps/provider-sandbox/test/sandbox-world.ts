import { botpressApi } from '../src/botpress/botpress-api.ts';
import { CloudBots } from '../src/botpress/cloud-bots.ts';
import { chatwootApi } from '../src/chatwoot/chatwoot-api.ts';
import { ChatwootWebhooks } from '../src/chatwoot/chatwoot-webhooks.ts';
import { botpressControlRoutes } from '../src/control/botpress-control.ts';
import { chatwootControlRoutes } from '../src/control/chatwoot-control.ts';
import { twilioControlRoutes } from '../src/control/twilio-control.ts';
import { findRoute, type Answer, type Exchange } from '../src/exchange.ts';
import { Faults } from '../src/faults.ts';
import { SandboxState } from '../src/sandbox-state.ts';
import { MessageLife } from '../src/twilio/message-life.ts';
import { twilioApi } from '../src/twilio/twilio-api.ts';
import { TwilioStore } from '../src/twilio/twilio-store.ts';
import { TwilioWebhooks } from '../src/twilio/twilio-webhooks.ts';
import { WebhookSender, type OutgoingWebhook, type WebhookAnswer, type WebhookOutcome } from '../src/webhook-sender.ts';

export const publicUrl = 'http://sandbox.test';

/** The hub's end of every webhook: keeps it and answers what it is told to. */
export class DeafSender extends WebhookSender {
  readonly sent: OutgoingWebhook[] = [];
  /** Status by the order of webhooks; the last one stands for all behind it. */
  answers: (number | undefined)[] = [200];
  /** Body of the last answer, where a provider reads it. */
  reply: (webhook: OutgoingWebhook) => Omit<WebhookAnswer, 'status'> = () => ({ contentType: '', body: '' });
  /** Called while a webhook waits for its answer. */
  onSend: (webhook: OutgoingWebhook) => Promise<void> | void = () => undefined;

  constructor() {
    super(new Faults());
  }

  override async send(webhook: OutgoingWebhook): Promise<WebhookOutcome> {
    this.sent.push(webhook);
    await this.onSend(webhook);
    const attempts: (number | undefined)[] = [];
    for (let attempt = 0; attempt <= webhook.retryDelaysMs.length; attempt++) {
      const status = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
      attempts.push(status);
      if (!webhook.isRepeated(status)) break;
    }
    const last = attempts.at(-1);
    return { attempts, ...(webhook.keepsAnswer === true && last !== undefined ? { answer: { status: last, ...this.reply(webhook) } } : {}) };
  }

  bodies(): Record<string, unknown>[] {
    return this.sent.map(({ body }) => JSON.parse(body) as Record<string, unknown>); // the sandbox writes objects
  }
}

export type Asked = { readonly status: number; readonly json: Record<string, unknown>; readonly text: string; readonly headers: Readonly<Record<string, string>> };

/** The stand-ins for Chatwoot, Botpress and Twilio with their controls, without a socket. */
export function sandboxWorld() {
  const clock = { now: new Date('2026-11-21T09:00:00.000Z') };
  const now = () => clock.now;
  const state = new SandboxState(undefined);
  const sender = new DeafSender();
  const chatwootWebhooks = new ChatwootWebhooks(sender, state, now);
  const cloudBots = new CloudBots(state, sender, now);
  const twilioStore = new TwilioStore(state);
  const twilioWebhooks = new TwilioWebhooks(sender, twilioStore, now);
  const files = new Map<string, { contentType: string; bytes: Buffer }>();
  const life = new MessageLife(twilioStore, twilioWebhooks, async (url) => files.get(url), now);
  const deps = { state, chatwootWebhooks, cloudBots, life, twilioWebhooks, webhookUrl: 'http://hub.test', publicUrl, now };
  const control = [...chatwootControlRoutes(deps), ...botpressControlRoutes(deps), ...twilioControlRoutes(deps)];
  const chatwoot = chatwootApi({ state, webhooks: chatwootWebhooks, publicUrl, now });
  const botpress = botpressApi({ state, bots: cloudBots, publicUrl, now });
  const twilio = twilioApi({ state, life, publicUrl, now });

  const answer = async (exchange: Omit<Exchange, 'match'>): Promise<Answer> => {
    const { pathname } = exchange.url;
    if (pathname.startsWith('/chatwoot/')) return chatwoot({ ...exchange, match: [] });
    if (pathname.startsWith('/botpress/')) return botpress({ ...exchange, match: [] });
    if (pathname.startsWith('/twilio/')) return await twilio({ ...exchange, match: [] });
    const found = findRoute(control, exchange.method, pathname);
    return found ? found.route.handle({ ...exchange, match: found.match }) : { status: 404 };
  };

  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Asked> => {
    const bytes = body instanceof FormData ? Buffer.from(await new Response(body).arrayBuffer()) : Buffer.from(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
    const answered = await answer({ method, url: new URL(path, publicUrl), headers: { 'content-type': 'application/json', ...headers }, body: bytes });
    const text = answered.bytes?.toString('utf8') ?? JSON.stringify(answered.json ?? null);
    // What is no object is looked at as text.
    return { status: answered.status, json: (answered.json ?? {}) as Record<string, unknown>, text, headers: answered.headers ?? {} };
  };

  return { ask, sender, state, clock, life, files };
}

export type SandboxWorld = ReturnType<typeof sandboxWorld>;

export type ChatwootRoom = { readonly server: string; readonly accountId: number; readonly token: string; readonly agentToken: string; readonly api: string; call(method: string, path: string, body?: unknown, token?: string): Promise<Asked> };

/** An account with an administrator and an agent. */
export async function chatwootRoom({ ask }: SandboxWorld, given: Record<string, unknown> = {}): Promise<ChatwootRoom> {
  const { json } = await ask('POST', '/sandbox/chatwoot/accounts', { agents: ['Bruno'], ...given });
  // The form of the control route's answer.
  const { server, accountId, apiUrl, administrator, agents } = json as { server: string; accountId: string; apiUrl: string; administrator: { token: string }; agents: [{ token: string }] };
  const api = `${new URL(apiUrl).pathname}/api/v1/accounts/${accountId}`;
  const call = (method: string, path: string, body?: unknown, token = administrator.token) => ask(method, `${api}${path}`, body, { 'api-access-token': token });
  return { server, accountId: Number(accountId), token: administrator.token, agentToken: agents[0].token, api, call };
}

/** An API inbox with one contact's conversation in it. */
export async function chatwootThread(room: ChatwootRoom, { sourceId = 'wa:1', webhookUrl = undefined as string | undefined, inbox = {} as Record<string, unknown> } = {}): Promise<{ inboxId: number; contactId: number; conversationId: number }> {
  const made = await room.call('POST', '/inboxes', { name: 'WhatsApp', ...inbox, channel: { type: 'api', ...(webhookUrl === undefined ? {} : { webhook_url: webhookUrl }) } });
  const inboxId = Number(made.json['id']);
  const contact = await room.call('POST', '/contacts', { inbox_id: inboxId, source_id: sourceId, name: 'Ana', identifier: sourceId });
  const contactId = (contact.json as { payload: { contact: { id: number } } }).payload.contact.id;
  const conversation = await room.call('POST', '/conversations', { inbox_id: inboxId, contact_id: contactId, source_id: sourceId });
  return { inboxId, contactId, conversationId: Number(conversation.json['id']) };
}
