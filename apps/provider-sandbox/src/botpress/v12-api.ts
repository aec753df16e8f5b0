import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { bearerOf, findRoute, isRecord, jsonObjectOf, type Answer, type Exchange } from '../exchange.ts';
import { parseMultipart } from '../parse-multipart.ts';
import type { SandboxState } from '../sandbox-state.ts';
import { decideReplies, type Reply } from './behaviour.ts';
import { v12Error } from './refusals.ts';
import type { V12Bot, V12Question } from './rows.ts';

/** Milliseconds: `jwtToken.duration`, one hour. */
const tokenLifeMs = 3_600_000;
/** Milliseconds after which a turn is given up (`converse.timeout`). */
const turnTimeoutMs = 5_000;
/** Milliseconds a training takes here. */
const trainingMs = 500;

type Deps = { readonly state: SandboxState; readonly now: () => Date };
type Call = { readonly bot: V12Bot; readonly exchange: Exchange; readonly match: readonly string[] };
type Route = { readonly method: string; readonly path: string; readonly isStudio?: true; readonly handle: (call: Call) => Promise<Answer> | Answer };

/** A self-hosted v12 server: log-in, Converse, QnA of its Studio, training. Paths begin with /api/v1. */
export function v12Api({ state, now }: Deps): (exchange: Exchange, path: string) => Promise<Answer> {
  /** Turns under way, by bot and user. */
  const underWay = new Set<string>();

  const logIn = (exchange: Exchange): Answer => {
    const body = jsonObjectOf(exchange) ?? {};
    const isKnown = state.inGroup('botpressBot', 'v12').some((bot) => bot.kind === 'v12' && bot.email === body['email'] && bot.password === body['password']);
    if (!isKnown) return v12Error(403, 'Invalid credentials', 'BP_0010');
    const jwt = randomBytes(48).toString('base64url');
    state.put('botpressToken', jwt, { email: String(body['email']), expiresAt: new Date(now().getTime() + tokenLifeMs).toISOString() });
    return { status: 200, json: { status: 'success', message: 'Login successful', payload: { jwt, exp: tokenLifeMs } } };
  };

  const converse = async ({ bot, exchange, match }: Call): Promise<Answer> => {
    const userId = match[1] ?? '';
    const body = jsonObjectOf(exchange);
    if (body === undefined) return v12Error(400, 'Unexpected token in JSON');
    const text = body['text'];
    if (body['type'] === 'text' && (typeof text !== 'string' || text.length === 0 || text.length > bot.maxTextLength)) return v12Error(400, `Text must be a valid string of less than ${bot.maxTextLength} chars`);
    const place = `${bot.botId}_${userId}`;
    // The response buffer is one for bot and user: the real server mixes the answers or falls over. Here the second turn is lost, and seen.
    if (underWay.has(place)) return v12Error(400, 'Request timed out.');
    underWay.add(place);
    try {
      return await answer(bot, userId, body);
    } finally {
      underWay.delete(place);
    }
  };

  const answer = async (bot: V12Bot, userId: string, body: Record<string, unknown>): Promise<Answer> => {
    if (bot.behaviour === 'down') return v12Error(500, 'Internal Server Error');
    const metadata = isRecord(body['metadata']) ? body['metadata'] : {};
    state.push('botpressTurn', bot.botId, { at: now().toISOString(), kind: 'message', conversationId: userId, userId, payload: body, metadata });
    const said = typeof body['text'] === 'string' ? body['text'] : typeof body['payload'] === 'string' ? body['payload'] : '';
    const { delayMs, replies } = decideReplies(bot.behaviour, { text: said, metadata });
    await sleep(Math.min(delayMs, turnTimeoutMs), undefined, { ref: false });
    if (delayMs >= turnTimeoutMs) return v12Error(400, 'Request timed out.');
    if (replies.length === 0) return v12Error(400, `No responses found for event target ${userId}`);
    return { status: 200, json: { responses: replies.flatMap(itemsOf) } };
  };

  const questions = (bot: V12Bot): V12Question[] => state.inGroup('v12Question', bot.botId);
  const addQuestion = (bot: V12Bot, data: Record<string, unknown>, id: string = newQuestionId(data)): string => {
    state.put('v12Question', `${bot.botId}|${id}`, { id, data });
    return id;
  };

  const create = ({ bot, exchange }: Call): Answer => {
    const data = jsonObjectOf(exchange);
    const fault = checkQuestion(data);
    return data === undefined || fault !== undefined ? v12Error(400, fault ?? 'Unexpected token in JSON') : { status: 200, json: [addQuestion(bot, data)] };
  };

  const replace = ({ bot, exchange, match }: Call): Answer => {
    const data = jsonObjectOf(exchange);
    const fault = checkQuestion(data);
    if (data === undefined || fault !== undefined) return v12Error(400, fault ?? 'Unexpected token in JSON');
    if (state.get('v12Question', `${bot.botId}|${match[1]}`) === undefined) return v12Error(404, `QnA ${match[1]} not found`);
    return { status: 200, json: [addQuestion(bot, data, match[1])] };
  };

  const remove = ({ bot, match }: Call): Answer => {
    state.remove('v12Question', `${bot.botId}|${match[1]}`);
    return { status: 200, json: questions(bot) };
  };

  /** `clear_insert` empties first: for a moment the bot knows nothing. */
  const upload = ({ bot, exchange }: Call): Answer => {
    const parts = parseMultipart(exchange.headers['content-type'], exchange.body);
    const file = parts?.find(({ name }) => name === 'file');
    const action = parts?.find(({ name }) => name === 'action')?.bytes.toString() ?? exchange.url.searchParams.get('action') ?? 'insert';
    if (file === undefined) return v12Error(400, 'No file uploaded');
    const body = jsonObjectOf({ body: file.bytes });
    const given = Array.isArray(body?.['qnas']) ? (body['qnas'] as unknown[]) : undefined;
    const id = randomBytes(10).toString('hex');
    const isReadable = given?.every((item) => isRecord(item) && typeof item['id'] === 'string' && checkQuestion(item['data']) === undefined) === true;
    if (given !== undefined && isReadable) {
      if (action === 'clear_insert') for (const question of questions(bot)) state.remove('v12Question', `${bot.botId}|${question.id}`);
      for (const item of given) if (isRecord(item) && isRecord(item['data'])) addQuestion(bot, item['data'], String(item['id']));
    }
    state.put('v12Upload', `${bot.botId}|${id}`, { status: isReadable ? 'Completed' : 'Error: the file holds no questions and answers' });
    return { status: 200, bytes: Buffer.from(id), headers: { 'content-type': 'text/html; charset=utf-8' } };
  };

  const train = ({ bot, match }: Call): Answer => {
    state.put('v12Training', `${bot.botId}|${match[1]}`, { startedAt: now().toISOString() });
    return { status: 200 };
  };

  const training = ({ bot, match }: Call): Answer => {
    const row = state.get('v12Training', `${bot.botId}|${match[1]}`);
    const age = row && now().getTime() - Date.parse(row.startedAt);
    const status = age === undefined ? 'needs-training' : age < trainingMs ? 'training' : 'done';
    return { status: 200, json: { key: `training:${bot.botId}:${match[1]}`, botId: bot.botId, language: match[1], status, progress: status === 'done' ? 1 : 0 } };
  };

  const bots = '/api/v1/bots/:botId';
  const studio = '/api/v1/studio/:botId/qna';
  const routes: Route[] = [
    // The unauthenticated twin is switched off, as every owner is told to.
    { method: 'POST', path: `${bots}/converse/:userId/secured`, handle: converse },
    { method: 'GET', path: `${bots}/qna/questions`, handle: ({ bot }) => ({ status: 200, json: { items: questions(bot), count: questions(bot).length } }) },
    { method: 'POST', path: `${bots}/mod/nlu/train/:language`, handle: train },
    { method: 'GET', path: `${bots}/mod/nlu/training/:language`, handle: training },
    { method: 'GET', path: `${studio}/questions`, isStudio: true, handle: ({ bot }) => ({ status: 200, json: { items: questions(bot), count: questions(bot).length } }) },
    { method: 'POST', path: `${studio}/questions`, isStudio: true, handle: create },
    { method: 'POST', path: `${studio}/questions/:id`, isStudio: true, handle: replace },
    { method: 'POST', path: `${studio}/questions/:id/delete`, isStudio: true, handle: remove },
    { method: 'GET', path: `${studio}/export`, isStudio: true, handle: ({ bot }) => ({ status: 200, json: { qnas: questions(bot) } }) },
    { method: 'POST', path: `${studio}/import`, isStudio: true, handle: upload },
    { method: 'GET', path: `${studio}/json-upload-status/:id`, isStudio: true, handle: ({ bot, match }) => ({ status: 200, bytes: Buffer.from(state.get('v12Upload', `${bot.botId}|${match[1]}`)?.status ?? ''), headers: { 'content-type': 'text/html; charset=utf-8' } }) },
  ];

  return async (exchange, path) => {
    if (exchange.method === 'POST' && path === '/api/v1/auth/login/basic/default') return logIn(exchange);
    if (/^\/api\/v1\/bots\/[^/]+\/converse\/[^/]+$/.test(path)) return v12Error(403, 'Unauthenticated converse is disabled', 'BP_0049');
    const found = findRoute(routes, exchange.method, path);
    if (found === undefined) return v12Error(404, 'Not Found');
    const token = state.get('botpressToken', bearerOf(exchange) ?? '');
    if (token === undefined || Date.parse(token.expiresAt) <= now().getTime()) return v12Error(401, 'Unauthorized', 'BP_0041');
    if (found.route.isStudio === true && exchange.headers['x-bp-workspace'] === undefined) return v12Error(400, 'X-BP-Workspace header is required', 'BP_0006');
    const bot = state.get('botpressBot', `v12|${found.match[0]}`);
    // Whoever logged in sees the bots of this e-mail alone.
    if (bot?.kind !== 'v12' || bot.email !== token.email) return v12Error(404, `Bot "${found.match[0]}" not found`, 'BP_0044');
    return found.route.handle({ bot, exchange, match: found.match });
  };
}

/** Items of a Converse answer; a typing item goes before what is said. */
function itemsOf(reply: Reply): Record<string, unknown>[] {
  const typing = { type: 'typing', value: true };
  const common = { workflow: {}, markdown: true, typing: true };
  if ('say' in reply) return [typing, { type: 'text', ...common, text: reply.say }];
  if ('choice' in reply) {
    return [typing, { type: 'single-choice', skill: 'choice', ...common, text: reply.choice.text, dropdownPlaceholder: 'Select...', choices: reply.choice.options.map(({ label, value }) => ({ title: label, value })) }];
  }
  if ('image' in reply) return [{ type: 'image', image: reply.image, title: reply.title ?? '', typing: true }];
  if ('file' in reply) return [{ type: 'file', file: reply.file, title: reply.title ?? 'file', typing: true }];
  if ('payload' in reply) return [reply.payload];
  const event = 'action' in reply ? reply.action : 'event' in reply ? reply.event : undefined;
  if (event === undefined) return [];
  const { type, ...fields } = event;
  return [{ type: 'custom', module: 'hub', component: String(type), ...fields }];
}

function checkQuestion(data: unknown): string | undefined {
  if (!isRecord(data)) return '"value" must be an object';
  if (!['text', 'redirect', 'text_redirect'].includes(String(data['action']))) return '"action" must be one of [text, redirect, text_redirect]';
  if (!isTexts(data['questions'])) return '"questions" must be an object of arrays of texts';
  return isTexts(data['answers']) ? undefined : '"answers" must be an object of arrays of texts';
}

function isTexts(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((list) => Array.isArray(list) && list.every((text) => typeof text === 'string'));
}

function newQuestionId(data: Record<string, unknown>): string {
  const first = isRecord(data['questions']) ? Object.values(data['questions']).flat()[0] : '';
  return `${randomBytes(8).toString('hex').slice(0, 10)}_${String(first).toLowerCase().replaceAll(/[^a-z0-9]+/g, '_').slice(0, 50)}`;
}
