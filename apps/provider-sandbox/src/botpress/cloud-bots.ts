import type { WebhookAuth } from '@switchboard/providers';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SandboxState } from '../sandbox-state.ts';
import type { WebhookOutcome, WebhookSender } from '../webhook-sender.ts';
import { decideReplies, type Reply } from './behaviour.ts';
import type { BotpressMessage, CloudBot } from './rows.ts';

/** Milliseconds; the integration's client has no limit of its own, its host has. */
const timeoutMs = 30_000;
/** Between two messages of one turn, so that their times tell their order. */
const messageGapMs = 5;

const secretHeader = { scheme: 'shared-token', header: 'x-secret-key' } as const satisfies WebhookAuth;

/** The bots at Botpress Cloud: they answer by themselves, after createMessage did. */
export class CloudBots {
  private readonly state: SandboxState;
  private readonly sender: WebhookSender;
  private readonly now: () => Date;

  constructor(state: SandboxState, sender: WebhookSender, now: () => Date) {
    this.state = state;
    this.sender = sender;
    this.now = now;
  }

  keep(bot: CloudBot, message: Omit<BotpressMessage, 'id' | 'createdAt'>): BotpressMessage {
    const kept = { id: randomUUID(), createdAt: this.now().toISOString(), ...message };
    this.state.put('botpressMessage', `${bot.webhookId}/${kept.conversationId}|${kept.id}`, kept);
    return kept;
  }

  /** Static header, trailing slash, no second try; a query string of the URL does not survive (contract, section 2.4). */
  async signal(bot: CloudBot, type: string, conversationId: string, data: Record<string, unknown>): Promise<WebhookOutcome> {
    if (bot.webhookUrl === undefined) return { attempts: [] };
    const outcome = await this.sender.send({
      provider: 'botpress',
      url: `${bot.webhookUrl.replace(/\/+$/, '')}/`,
      proof: { auth: secretHeader, secret: bot.webhookSecret },
      body: JSON.stringify({ type, data }),
      retryDelaysMs: [],
      isRepeated: () => false,
      timeoutMs,
    });
    this.state.push('botpressSignal', bot.webhookId, { at: this.now().toISOString(), type, conversationId, attempts: outcome.attempts.map((status) => status ?? null) });
    return outcome;
  }

  signalMessage(bot: CloudBot, message: BotpressMessage): Promise<WebhookOutcome> {
    const { id, conversationId, userId, createdAt, payload, metadata, isBot } = message;
    return this.signal(bot, 'message_created', conversationId, { id, conversationId, userId, createdAt, payload, metadata: metadata ?? {}, isBot });
  }

  /** The bot's own answer to a turn. */
  async answer(bot: CloudBot, turn: BotpressMessage): Promise<void> {
    const { text } = turn.payload;
    const { delayMs, replies } = decideReplies(bot.behaviour, { text: typeof text === 'string' ? text : '', metadata: turn.metadata ?? {} });
    await sleep(delayMs, undefined, { ref: false });
    await this.say(bot, turn.conversationId, replies);
  }

  async say(bot: CloudBot, conversationId: string, replies: readonly Reply[]): Promise<WebhookOutcome[]> {
    const sent: Promise<WebhookOutcome>[] = [];
    for (const reply of replies) {
      await sleep('waitMs' in reply ? reply.waitMs : messageGapMs, undefined, { ref: false });
      const event = 'event' in reply ? reply.event : 'action' in reply ? reply.action : undefined;
      const payload = payloadOf(reply);
      if (event !== undefined) {
        // Events have no id here.
        sent.push(this.signal(bot, 'event_created', conversationId, { id: null, createdAt: this.now().toISOString(), conversationId, userId: bot.userId, payload: event, isBot: true }));
      } else if (payload !== undefined) {
        // Each message is sent by itself: none waits for the one before.
        sent.push(this.signalMessage(bot, this.keep(bot, { conversationId, userId: bot.userId, payload, metadata: undefined, isBot: true })));
      }
    }
    return Promise.all(sent);
  }
}

function payloadOf(reply: Reply): Record<string, unknown> | undefined {
  if ('say' in reply) return { type: 'text', text: reply.say };
  if ('choice' in reply) return { type: 'choice', ...reply.choice };
  if ('image' in reply) return { type: 'image', imageUrl: reply.image, ...(reply.title === undefined ? {} : { title: reply.title }) };
  if ('file' in reply) return { type: 'file', fileUrl: reply.file, title: reply.title ?? 'file' };
  return 'payload' in reply ? reply.payload : undefined;
}
