import jwt from 'jsonwebtoken';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A turn as a bot got it: at Cloud by `createMessage`, at v12 by Converse. */
export type TakenTurn = { readonly bot: string; readonly fid: string; readonly payload: Record<string, unknown>; readonly metadata: { readonly hubMessageId?: string; readonly tenantContext?: Record<string, unknown> } };
type Request = { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: Record<string, unknown> };
/** `cut`: the connection is cut without an answer, after the request was carried out where `taken`. `slow`: it is carried out only when that is over. */
export type Answer = { readonly status: number; readonly body: unknown } | { readonly cut: 'taken' | 'not taken' } | { readonly slow: Promise<void> };

export type StandInBotpress = {
  readonly url: string;
  readonly requests: Request[];
  readonly turns: TakenTurn[];
  /** Asked before each request is carried out. */
  answer: ((request: Request) => Answer | undefined) | undefined;
  /** What a Cloud bot said, newest first: in the conversation behind its turns, whether or not its webhooks came. */
  readonly answered: { readonly id: string; readonly fid: string; readonly createdAt: string; readonly payload: object }[];
  /** What a v12 bot answers. */
  converse: (turn: TakenTurn) => unknown[];
  /** Milliseconds a v12 bot thinks. */
  thinkMs: number;
  /** Requests of one v12 user that were under way together, at the most. */
  together: number;
  /** The same of all v12 users. */
  togetherOfAll: number;
  /** Log-ins at v12 are refused from now on until they are made anew. */
  forgetLogIns(): void;
  close(): Promise<void>;
};

export const chatKey = 'hub-chat-key-0001';

/** Botpress Cloud under `/cloud/:webhookId`, a v12 server under `/v12`. */
export async function startStandInBotpress(): Promise<StandInBotpress> {
  const users = new Set<string>();
  const conversations = new Map<string, string>();
  const underWay = new Map<string, number>();
  let logIns = 0;
  let validFrom = 0;
  const server = createServer((request, response) => void serve(request, response));
  const it: Omit<StandInBotpress, 'url'> = {
    requests: [],
    turns: [],
    answer: undefined,
    answered: [],
    converse: () => [],
    thinkMs: 0,
    together: 0,
    togetherOfAll: 0,
    forgetLogIns: () => void (validFrom = logIns),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer); // an http request yields buffers
    const text = Buffer.concat(chunks).toString();
    const seen: Request = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
    it.requests.push(seen);
    const said = it.answer?.(seen);
    const told = said !== undefined && 'slow' in said ? undefined : said;
    if (said !== undefined && 'slow' in said) await said.slow;
    const isCut = told !== undefined && 'cut' in told;
    const answer = told !== undefined && !('cut' in told) ? told : isCut && told.cut === 'not taken' ? undefined : await carryOut(seen);
    if (isCut || answer === undefined) request.socket.destroy();
    else response.writeHead(answer.status, { connection: 'close' }).end(JSON.stringify(answer.body));
  }

  function carryOut(request: Request) {
    return request.path.startsWith('/v12/') ? carryOutV12(request) : carryOutCloud(request);
  }

  function carryOutCloud({ method, path, headers, body }: Request) {
    const [, , bot = '', ...rest] = path.split('/');
    const route = `${method} ${rest.join('/')}`;
    const user = userOf(headers['x-user-key']);
    if (user === undefined) return { status: 401, body: { id: 'err_1', code: 401, type: 'Unauthorized', message: 'Invalid user key' } };
    const key = (fid: unknown) => `${bot}/${String(fid)}`;
    // Errors may come with status 200.
    const missing = { status: 200, body: { id: 'err_2', code: 404, type: 'ResourceNotFound', message: 'Conversation not found' } };
    if (route === 'POST users/get-or-create') return (users.add(key(user)), { status: 200, body: { user: { id: user } } });
    if (!users.has(key(user))) return missing;
    if (route === 'POST conversations/get-or-create') {
      const owner = conversations.get(key(body['id'])) ?? user;
      conversations.set(key(body['id']), owner);
      return owner === user ? { status: 200, body: { conversation: { id: body['id'] } } } : { status: 403, body: { code: 403, type: 'Forbidden', message: 'not the owner' } };
    }
    if (method === 'GET' && rest[0] === 'conversations') {
      const messages = it.turns.filter((turn) => turn.bot === bot && turn.fid === rest[1]).map((turn) => ({ id: `msg-of-${turn.metadata.hubMessageId}`, payload: turn.payload, metadata: turn.metadata }));
      const said = it.answered.filter(({ fid }) => fid === rest[1]).map((one) => ({ ...one, userId: 'user_bot' }));
      return { status: 200, body: { messages: [...said, ...messages.map((one) => ({ ...one, userId: user })).toReversed()] } };
    }
    if (conversations.get(key(body['conversationId'])) !== user) return missing;
    if (route === 'POST events') return { status: 201, body: { event: { id: 'evt' } } };
    // The casts name what the connector writes; a test looks at it.
    const turn = { bot, fid: String(body['conversationId']), payload: body['payload'] as TakenTurn['payload'], metadata: body['metadata'] as TakenTurn['metadata'] };
    it.turns.push(turn);
    return { status: 201, body: { message: { id: `msg-of-${turn.metadata.hubMessageId}`, ...body } } };
  }

  async function carryOutV12({ path, headers, body }: Request) {
    if (path === '/v12/api/v1/auth/login/basic/default') {
      if (body['password'] !== 'v12-password') return { status: 401, body: { statusCode: 401, message: 'Invalid credentials' } };
      return { status: 200, body: { status: 'success', payload: { jwt: `v12-token-${++logIns}`, exp: 3_600_000 } } };
    }
    if (!(Number(headers.authorization?.split('-').at(-1)) > validFrom)) return { status: 401, body: { statusCode: 401, message: 'jwt expired' } };
    const [, bot = '', fid = ''] = /^\/v12\/api\/v1\/bots\/([^/]+)\/converse\/([^/]+)\/secured$/.exec(path) ?? [];
    const { metadata, ...payload } = body;
    const turn = { bot, fid, payload, metadata: metadata as TakenTurn['metadata'] };
    it.turns.push(turn);
    const now = (underWay.get(fid) ?? 0) + 1;
    underWay.set(fid, now);
    it.together = Math.max(it.together, now);
    it.togetherOfAll = Math.max(it.togetherOfAll, [...underWay.values()].reduce((sum, count) => sum + count, 0));
    await sleep(it.thinkMs);
    underWay.set(fid, now - 1);
    return { status: 200, body: { responses: it.converse(turn) } };
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return Object.assign(it, { url: `http://127.0.0.1:${port}` });
}

function userOf(key: string | string[] | undefined): string | undefined {
  try {
    const claims = jwt.verify(String(key), chatKey);
    return typeof claims === 'object' ? String(claims['id']) : undefined;
  } catch {
    return undefined;
  }
}
