import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { findRoute, isRecord, jsonObjectOf, type Answer, type Exchange } from '../exchange.ts';
import type { SandboxState } from '../sandbox-state.ts';
import { checkPayload } from './check-payload.ts';
import type { CloudBots } from './cloud-bots.ts';
import { cloudError } from './refusals.ts';
import type { BotpressMessage, CloudBot } from './rows.ts';

/** Ids we choose: `validate-fid.ts` of the Chat integration. */
const fidPattern = /^[a-zA-Z0-9_\-\\/]{1,70}$/;
const requestMaxBytes = 1024 * 1024;
const payloadMaxBytes = 128 * 1024;
const profileLengthMax = 1000;
const pageSize = 50;

type Deps = { readonly state: SandboxState; readonly bots: CloudBots; readonly now: () => Date };
type Call = { readonly bot: CloudBot; readonly userId: string; readonly body: Record<string, unknown>; readonly match: readonly string[]; readonly query: URLSearchParams };
type Route = { readonly method: string; readonly path: string; readonly handle: (call: Call) => Promise<Answer> | Answer };

/** Botpress Cloud's Chat API: `/{webhookId}/…`, in personal mode. */
export function chatApi({ state, bots, now }: Deps): (exchange: Exchange, webhookId: string, path: string) => Promise<Answer> {
  const at = () => now().toISOString();
  const user = ({ bot, userId }: Call) => state.get('botpressUser', `${bot.webhookId}|${userId}`);

  const getOrCreateUser = (call: Call): Answer => {
    const { bot, userId, body } = call;
    const profile = textIn(body, 'profile');
    if (body['profile'] !== undefined && (profile === undefined || profile.length > profileLengthMax)) return cloudError(400, `data/profile must be string and must NOT have more than ${profileLengthMax} characters`);
    const known = user(call);
    const row = known ?? { id: userId, name: textIn(body, 'name'), pictureUrl: textIn(body, 'pictureUrl'), profile, createdAt: at(), updatedAt: at() };
    if (known === undefined) state.put('botpressUser', `${bot.webhookId}|${userId}`, row);
    return { status: 200, json: { user: row } };
  };

  const changeUser = (call: Call): Answer => {
    const known = user(call);
    if (known === undefined) return cloudError(404, `User "${call.userId}" not found`);
    const changed = { ...known, name: textIn(call.body, 'name') ?? known.name, profile: textIn(call.body, 'profile') ?? known.profile, updatedAt: at() };
    state.put('botpressUser', `${call.bot.webhookId}|${call.userId}`, changed);
    return { status: 200, json: { user: changed } };
  };

  /** With a user that exists: everything else is refused before it. */
  const asUser = (handle: Route['handle']): Route['handle'] => (call) => (user(call) === undefined ? cloudError(404, `User "${call.userId}" not found`) : handle(call));

  const createConversation = (isFound: boolean): Route['handle'] =>
    asUser(({ bot, userId, body }) => {
      const given = body['id'];
      if (isFound && given === undefined) return cloudError(400, "data must have required property 'id'");
      if (given !== undefined && !(typeof given === 'string' && fidPattern.test(given))) return cloudError(400, 'Invalid conversation id: use 1 to 70 of A-Z a-z 0-9 _ - \\ /');
      const id = typeof given === 'string' ? given : randomUUID();
      const known = state.get('botpressConversation', `${bot.webhookId}|${id}`);
      if (known !== undefined && known.ownerId !== userId) return cloudError(403, 'You are not the owner of this conversation');
      if (known !== undefined && !isFound) return cloudError(409, `Conversation "${id}" already exists`);
      const row = known ?? { id, ownerId: userId, createdAt: at(), updatedAt: at() };
      if (known === undefined) state.put('botpressConversation', `${bot.webhookId}|${id}`, row);
      return { status: 200, json: { conversation: { id, createdAt: row.createdAt, updatedAt: row.updatedAt } } };
    });

  /** The conversation of `id` when it is the caller's, or the refusal. */
  const conversationOf = ({ bot, userId }: Call, id: unknown): { id: string; createdAt: string; updatedAt: string } | Answer => {
    const row = typeof id === 'string' ? state.get('botpressConversation', `${bot.webhookId}|${id}`) : undefined;
    if (row === undefined) return cloudError(404, `Conversation "${String(id)}" not found`);
    return row.ownerId === userId ? { id: row.id, createdAt: row.createdAt, updatedAt: row.updatedAt } : cloudError(403, 'You are not a participant in this conversation');
  };

  const inConversation = (handle: (call: Call, conversation: { id: string; createdAt: string; updatedAt: string }) => Promise<Answer> | Answer): Route['handle'] =>
    asUser((call) => {
      const conversation = conversationOf(call, call.match[0]);
      return 'status' in conversation ? conversation : handle(call, conversation);
    });

  const listMessages = inConversation(({ bot, query }, { id }) => {
    // Newest first; the token is the number of those seen.
    const seen = Number(query.get('nextToken') ?? 0) || 0;
    const all = state.inGroup('botpressMessage', `${bot.webhookId}/${id}`).reverse();
    const page = all.slice(seen, seen + pageSize);
    return { status: 200, json: { messages: page.map(messageView), meta: seen + pageSize < all.length ? { nextToken: String(seen + pageSize) } : {} } };
  });

  /** Whether a turn may be taken: within what one bot may get in a minute, in a conversation of the caller. */
  const turnIn = (call: Call): { id: string } | Answer => {
    const { bot, body } = call;
    const conversation = conversationOf(call, body['conversationId']);
    if ('status' in conversation) return conversation;
    if (bot.messagesPerMinute > 0 && !state.countWithin(`botpress/${bot.webhookId}`, bot.messagesPerMinute, now())) {
      return { ...cloudError(429, 'Too many requests'), headers: { 'ratelimit-limit': String(bot.messagesPerMinute), 'ratelimit-remaining': '0', 'ratelimit-reset': String(60 - (Math.floor(now().getTime() / 1000) % 60)) } };
    }
    return conversation;
  };

  const createMessage = asUser(async (call) => {
    const { bot, userId, body } = call;
    if (typeof body['conversationId'] !== 'string') return cloudError(400, "data must have required property 'conversationId'");
    const fault = checkPayload(body['payload']) ?? (body['metadata'] === undefined || isRecord(body['metadata']) ? undefined : 'data/metadata must be object');
    if (fault !== undefined || !isRecord(body['payload'])) return cloudError(400, fault ?? 'data/payload must be object');
    const metadata = isRecord(body['metadata']) ? body['metadata'] : undefined;
    // Metadata lies in the payload on the other side.
    if (Buffer.byteLength(JSON.stringify({ ...body['payload'], metadata })) > payloadMaxBytes) return cloudError(413, 'The message payload is larger than 128 KB');
    const conversation = turnIn(call);
    if ('status' in conversation) return conversation;
    if (bot.behaviour === 'down') return cloudError(500, 'An internal error occurred');
    const message = bots.keep(bot, { conversationId: conversation.id, userId, payload: body['payload'], metadata, isBot: false });
    state.push('botpressTurn', bot.webhookId, { at: message.createdAt, kind: 'message', conversationId: conversation.id, userId, payload: message.payload, metadata });
    // The echo is sent and waited for before this call is answered: a hub that locks both ways waits for itself.
    await bots.signalMessage(bot, message);
    void bots.answer(bot, message);
    return { status: 200, json: { message: messageView(message) } };
  });

  const createEvent = asUser(async (call) => {
    const { bot, userId, body } = call;
    if (!isRecord(body['payload'])) return cloudError(400, "data must have required property 'payload'");
    const conversation = turnIn(call);
    if ('status' in conversation) return conversation;
    const createdAt = at();
    state.push('botpressTurn', bot.webhookId, { at: createdAt, kind: 'event', conversationId: conversation.id, userId, payload: body['payload'], metadata: undefined });
    await bots.signal(bot, 'event_created', conversation.id, { id: null, createdAt, conversationId: conversation.id, userId, payload: body['payload'], isBot: false });
    return { status: 200, json: { event: { id: `evt-${createdAt}`, createdAt, conversationId: conversation.id, userId, payload: body['payload'] } } };
  });

  const showMessage = asUser((call) => {
    const found = ownMessages(call).find(({ id }) => id === call.match[0]);
    return found ? { status: 200, json: { message: messageView(found) } } : cloudError(404, `Message "${call.match[0]}" not found`);
  });
  const ownConversations = ({ bot, userId }: Call) => state.inGroup('botpressConversation', bot.webhookId).filter(({ ownerId }) => ownerId === userId);
  const ownMessages = (call: Call): BotpressMessage[] => ownConversations(call).flatMap(({ id }) => state.inGroup('botpressMessage', `${call.bot.webhookId}/${id}`));

  const routes: Route[] = [
    { method: 'POST', path: '/users', handle: () => cloudError(401, 'Creating a user is not allowed when the encryption key is set') },
    { method: 'POST', path: '/users/get-or-create', handle: getOrCreateUser },
    { method: 'GET', path: '/users/me', handle: asUser((call) => ({ status: 200, json: { user: user(call) } })) },
    { method: 'PUT', path: '/users/me', handle: changeUser },
    { method: 'POST', path: '/conversations', handle: createConversation(false) },
    { method: 'POST', path: '/conversations/get-or-create', handle: createConversation(true) },
    { method: 'GET', path: '/conversations', handle: asUser((call) => ({ status: 200, json: { conversations: ownConversations(call).map(({ ownerId: _owner, ...row }) => row), meta: {} } })) },
    { method: 'GET', path: '/conversations/:id', handle: inConversation((_call, conversation) => ({ status: 200, json: { conversation } })) },
    { method: 'GET', path: '/conversations/:id/messages', handle: listMessages },
    { method: 'POST', path: '/messages', handle: createMessage },
    { method: 'GET', path: '/messages/:id', handle: showMessage },
    { method: 'POST', path: '/events', handle: createEvent },
  ];

  return async (exchange, webhookId, path) => {
    if (exchange.body.length > requestMaxBytes) return cloudError(413, 'Request entity too large');
    const bot = state.get('botpressBot', `cloud|${webhookId}`);
    // An error with the status of a success: the official client looks at `code`.
    if (bot?.kind !== 'cloud') return cloudError(404, `[Webhook Handler] Integration with webhook ID "${webhookId}" not found`, 200);
    if (path === '/hello' && exchange.method === 'GET') return { status: 200, json: { message: 'Hello, World!' } };
    const found = findRoute(routes, exchange.method, path);
    if (found === undefined) return { status: 404, json: { message: "Route doesn't exist" } };
    const userId = readUserKey(exchange.headers['x-user-key'], bot.encryptionKey);
    if (userId === undefined) return cloudError(401, 'Invalid user key');
    if (!fidPattern.test(userId)) return cloudError(400, 'Invalid user id: use 1 to 70 of A-Z a-z 0-9 _ - \\ /');
    const body = exchange.body.length === 0 ? {} : jsonObjectOf(exchange);
    if (body === undefined) return cloudError(400, 'Request body is not valid JSON');
    return found.route.handle({ bot, userId, body, match: found.match, query: exchange.url.searchParams });
  };
}

/** The user that a JWT (HS256) names; undefined when it was not signed with this key. */
export function readUserKey(token: unknown, key: string): string | undefined {
  const [header = '', payload = '', signature = '', ...more] = typeof token === 'string' ? token.split('.') : [];
  const [expected, given] = [createHmac('sha256', key).update(`${header}.${payload}`).digest(), Buffer.from(signature, 'base64url')];
  if (more.length > 0 || expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
  if (jsonObjectOf({ body: Buffer.from(header, 'base64url') })?.['alg'] !== 'HS256') return undefined;
  return textIn(jsonObjectOf({ body: Buffer.from(payload, 'base64url') }) ?? {}, 'id');
}

function messageView({ isBot: _isBot, ...message }: BotpressMessage): Record<string, unknown> {
  return message;
}

function textIn(record: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const value = record[field];
  return typeof value === 'string' ? value : undefined;
}
