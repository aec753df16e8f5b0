import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { behaviourSchema, decideReplies, replySchema } from '../botpress/behaviour.ts';
import type { CloudBots } from '../botpress/cloud-bots.ts';
import type { CloudBot, V12Bot } from '../botpress/rows.ts';
import { isRecord, type Exchange, type SandboxRoute } from '../exchange.ts';
import type { SandboxState } from '../sandbox-state.ts';
import { unknown, withBody } from './with-body.ts';

type Deps = { readonly state: SandboxState; readonly cloudBots: CloudBots; readonly webhookUrl: string; readonly publicUrl: string; readonly now: () => Date };

const secret = () => randomBytes(24).toString('base64url');
const behaviour = behaviourSchema.default('echo');
const botId = z.string().regex(/^[\w-]{1,64}$/);

const botSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('cloud'),
    webhookId: botId.default(() => randomUUID()),
    botId: botId.default(() => randomUUID()),
    encryptionKey: z.string().min(1).default(secret),
    webhookSecret: z.string().min(16).default(secret),
    /** The hub's URL for all bots when absent; null: the Chat integration has none. */
    webhookUrl: z.url().nullable().optional(),
    accessToken: z.string().min(1).default(() => `bp_bak_${secret()}`),
    messagesPerMinute: z.int().min(0).default(600),
    behaviour,
  }),
  z.strictObject({
    kind: z.literal('v12'),
    botId: botId.default(() => `bot-${randomBytes(6).toString('hex')}`),
    email: z.email().default(() => `hub.${randomBytes(4).toString('hex')}@bots.example`),
    password: z.string().min(1).default(secret),
    maxTextLength: z.int().min(1).default(360),
    behaviour,
  }),
]);

const changeSchema = z.strictObject({ behaviour: behaviourSchema.optional(), webhookUrl: z.url().nullable().optional(), webhookSecret: z.string().min(16).optional(), messagesPerMinute: z.int().min(0).optional() });

/** Bots with a script, and what reached them. */
export function botpressControlRoutes({ state, cloudBots, webhookUrl, publicUrl }: Deps): SandboxRoute[] {
  const put = (bot: CloudBot | V12Bot) => state.put('botpressBot', bot.kind === 'cloud' ? `cloud|${bot.webhookId}` : `v12|${bot.botId}`, bot);
  const idOf = (bot: CloudBot | V12Bot) => (bot.kind === 'cloud' ? bot.webhookId : bot.botId);
  const botAt = ({ match }: Exchange) => state.get('botpressBot', `cloud|${match[0] ?? ''}`) ?? state.get('botpressBot', `v12|${match[0] ?? ''}`);

  const add = withBody(z.preprocess((body) => (isRecord(body) ? { kind: 'cloud', ...body } : body), botSchema), (given) => {
    if (given.kind === 'v12') {
      put(given);
      const { kind, email, password, maxTextLength } = given;
      return { status: 201, json: { type: 'botpress', bot: given.botId, credentials: { kind, mode: 'dedicated', apiBaseUrl: `${publicUrl}/botpress`, botId: given.botId, email, password, ...(maxTextLength === 360 ? {} : { maxTextLength }), sandbox: true } } };
    }
    const bot: CloudBot = { ...given, webhookUrl: given.webhookUrl === null ? undefined : (given.webhookUrl ?? `${webhookUrl}/webhooks/botpress`), userId: `user_${randomBytes(13).toString('hex').toUpperCase()}` };
    put(bot);
    const { kind, webhookId, encryptionKey, webhookSecret, accessToken } = bot;
    return { status: 201, json: { type: 'botpress', bot: webhookId, credentials: { kind, mode: 'dedicated', webhookId, encryptionKey, webhookSecret, accessToken, botId: bot.botId, sandbox: true } } };
  });

  const change = withBody(changeSchema, (given, exchange) => {
    const bot = botAt(exchange);
    if (bot === undefined) return unknown('bot');
    const changed: CloudBot | V12Bot =
      bot.kind === 'v12'
        ? { ...bot, behaviour: given.behaviour ?? bot.behaviour }
        : {
            ...bot,
            behaviour: given.behaviour ?? bot.behaviour,
            webhookUrl: given.webhookUrl === undefined ? bot.webhookUrl : (given.webhookUrl ?? undefined),
            webhookSecret: given.webhookSecret ?? bot.webhookSecret,
            messagesPerMinute: given.messagesPerMinute ?? bot.messagesPerMinute,
          };
    put(changed);
    return { status: 200, json: { bot: idOf(changed), kind: changed.kind, behaviour: changed.behaviour } };
  });

  /** The bot speaks by itself: a timer, a late thought. */
  const say = withBody(z.strictObject({ conversationId: z.string().min(1), replies: z.array(replySchema).min(1) }), async (given, exchange) => {
    const bot = botAt(exchange);
    if (bot?.kind !== 'cloud') return bot === undefined ? unknown('bot') : { status: 409, json: { error: 'A v12 bot cannot speak but in its answers' } };
    if (state.get('botpressConversation', `${bot.webhookId}|${given.conversationId}`) === undefined) return unknown('conversation');
    const { replies } = decideReplies({ rules: [], otherwise: given.replies }, { text: '', metadata: {} });
    const outcomes = await cloudBots.say(bot, given.conversationId, replies);
    return { status: 202, json: { attempts: outcomes.flatMap(({ attempts }) => attempts) } };
  });

  const ofBot = (show: (bot: CloudBot | V12Bot, exchange: Exchange) => unknown[]) => (exchange: Exchange) => {
    const bot = botAt(exchange);
    return bot === undefined ? unknown('bot') : { status: 200, json: { data: show(bot, exchange) } };
  };

  const conversations = ofBot((bot) =>
    state.inGroup('botpressConversation', idOf(bot)).map(({ id, ownerId, createdAt }) => ({ conversationId: id, userId: ownerId, createdAt, user: state.get('botpressUser', `${idOf(bot)}|${ownerId}`), messages: state.inGroup('botpressMessage', `${idOf(bot)}/${id}`) })),
  );
  const turns = ofBot((bot, { url }) => {
    const wanted = url.searchParams.get('conversationId');
    return state.list('botpressTurn', idOf(bot)).filter(({ conversationId }) => wanted === null || conversationId === wanted);
  });

  const base = '/sandbox/botpress/bots/:bot';
  return [
    { method: 'POST', path: '/sandbox/botpress/bots', handle: add },
    { method: 'PATCH', path: base, handle: change },
    { method: 'POST', path: `${base}/say`, handle: say },
    { method: 'GET', path: `${base}/conversations`, handle: conversations },
    { method: 'GET', path: `${base}/turns`, handle: turns },
    { method: 'GET', path: `${base}/signals`, handle: ofBot((bot) => state.list('botpressSignal', idOf(bot))) },
    { method: 'GET', path: `${base}/files`, handle: ofBot((bot) => state.inGroup('botpressFile', bot.botId)) },
    { method: 'GET', path: `${base}/questions`, handle: ofBot((bot) => state.inGroup('v12Question', bot.botId)) },
  ];
}
