import { randomBytes } from 'node:crypto';
import { bearerOf, findRoute, isRecord, jsonObjectOf, type Answer, type Exchange } from '../exchange.ts';
import type { SandboxState } from '../sandbox-state.ts';
import { cloudError } from './refusals.ts';
import type { BotpressFile, CloudBot } from './rows.ts';

/** Milliseconds from the upload to `indexing_completed`. */
const indexingMs = 300;
const requestMaxBytes = 1024 * 1024;
const queryMaxBytes = 1024;
const pageSize = 20;
const indexable = /^(application\/pdf|text\/(html|plain|markdown))\b/;

type Deps = { readonly state: SandboxState; readonly publicUrl: string; readonly now: () => Date };
type Call = { readonly bot: CloudBot; readonly body: Record<string, unknown>; readonly exchange: Exchange; readonly match: readonly string[] };

/** Botpress Cloud's Files API: knowledge bases and their documents. */
export function filesApi({ state, publicUrl, now }: Deps): (exchange: Exchange, path: string) => Answer {
  const files = (bot: CloudBot): BotpressFile[] => state.inGroup('botpressFile', bot.botId);
  const tagsIn = (query: URLSearchParams): [string, string][] => [...query].flatMap(([name, value]) => (/^tags\[.+\]$/.test(name) ? [[name.slice(5, -1), value]] : []));
  const tagged = (bot: CloudBot, query: URLSearchParams) => files(bot).filter(({ tags }) => tagsIn(query).every(([name, value]) => tags[name] === value));

  const view = (file: BotpressFile): Record<string, unknown> => {
    const { text: _text, uploadedAt, accessPolicies, ...rest } = file;
    const age = uploadedAt === undefined ? undefined : now().getTime() - Date.parse(uploadedAt);
    const isDone = age !== undefined && age >= indexingMs;
    const status = age === undefined ? 'upload_pending' : !file.index ? 'upload_completed' : !isDone ? 'indexing_pending' : indexable.test(file.contentType) ? 'indexing_completed' : 'indexing_failed';
    return {
      ...rest,
      accessPolicies,
      status,
      ...(status === 'indexing_failed' ? { failedStatusReason: 'Unsupported file type' } : {}),
      url: `${publicUrl}/botpress/files/download/${file.id}`,
    };
  };

  /** An upsert: `key` is unique in a bot. */
  const upsert = ({ bot, body }: Call): Answer => {
    const { key, size, tags, contentType } = body;
    if (typeof key !== 'string' || key.length === 0 || key.length > 500) return cloudError(400, 'data/key must NOT have fewer than 1 characters');
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) return cloudError(400, "data must have required property 'size'");
    if (tags !== undefined && !(isRecord(tags) && Object.values(tags).every((value) => typeof value === 'string' && value.length <= 500))) return cloudError(400, 'data/tags must be an object of texts of at most 500 characters');
    const known = files(bot).find((file) => file.key === key);
    const at = now().toISOString();
    const file: BotpressFile = {
      id: known?.id ?? `file_${randomBytes(13).toString('hex').toUpperCase()}`,
      key,
      size,
      index: body['index'] === true,
      contentType: typeof contentType === 'string' ? contentType : key.endsWith('.md') ? 'text/markdown' : key.endsWith('.txt') ? 'text/plain' : 'application/octet-stream',
      tags: Object.fromEntries(Object.entries(isRecord(tags) ? tags : {}).map(([name, value]) => [name, String(value)])),
      metadata: isRecord(body['metadata']) ? body['metadata'] : {},
      accessPolicies: Array.isArray(body['accessPolicies']) ? (body['accessPolicies'] as unknown[]) : [],
      text: undefined,
      uploadedAt: undefined,
      createdAt: known?.createdAt ?? at,
      updatedAt: at,
    };
    state.put('botpressFile', `${bot.botId}|${file.id}`, file);
    return { status: 200, json: { file: { ...view(file), uploadUrl: `${publicUrl}/botpress/files/upload/${bot.botId}/${file.id}` } } };
  };

  /** The signed URL: no token, the exact size and type that were announced. */
  const take = (exchange: Exchange, botId: string, id: string): Answer => {
    const file = state.get('botpressFile', `${botId}|${id}`);
    if (file === undefined) return { status: 404 };
    if (exchange.headers['content-type'] !== file.contentType || exchange.body.length !== file.size) return { status: 403, bytes: Buffer.from('<Error><Code>SignatureDoesNotMatch</Code></Error>'), headers: { 'content-type': 'application/xml' } };
    state.put('botpressFile', `${botId}|${id}`, { ...file, text: exchange.body.toString('utf8'), uploadedAt: now().toISOString() });
    return { status: 200 };
  };

  const withFile = (handle: (call: Call, file: BotpressFile) => Answer) => (call: Call): Answer => {
    // Addressed by id or by key.
    const file = files(call.bot).find(({ id, key }) => id === call.match[0] || key === call.match[0]);
    return file === undefined ? cloudError(404, `File "${call.match[0]}" not found`) : handle(call, file);
  };

  const list = ({ bot, exchange }: Call): Answer => {
    const seen = Number(exchange.url.searchParams.get('nextToken') ?? 0) || 0;
    const all = tagged(bot, exchange.url.searchParams);
    return { status: 200, json: { files: all.slice(seen, seen + pageSize).map(view), meta: seen + pageSize < all.length ? { nextToken: String(seen + pageSize) } : {} } };
  };

  const search = ({ bot, exchange }: Call): Answer => {
    const query = exchange.url.searchParams.get('query') ?? '';
    if (query === '' || Buffer.byteLength(query) > queryMaxBytes) return cloudError(400, 'query must have 1 byte to 1 KB');
    const words = query.toLowerCase().split(/\s+/);
    const found = tagged(bot, exchange.url.searchParams).filter(({ text }) => words.some((word) => text?.toLowerCase().includes(word)));
    return { status: 200, json: { passages: found.slice(0, 50).map((file) => ({ content: file.text, score: 1, meta: {}, file: view(file) })) } };
  };

  const createKnowledgeBase = ({ bot, body }: Call): Answer => {
    if (typeof body['name'] !== 'string' || body['name'] === '') return cloudError(400, "data must have required property 'name'");
    const row = { id: `kb-${randomBytes(6).toString('hex')}`, name: body['name'], tags: isRecord(body['tags']) ? (body['tags'] as Record<string, string>) : {}, createdAt: now().toISOString() };
    state.put('botpressKnowledgeBase', `${bot.botId}|${row.id}`, row);
    return { status: 200, json: { knowledgeBase: row } };
  };

  const routes = [
    { method: 'POST', path: '/v1/files/knowledge-bases', handle: createKnowledgeBase },
    { method: 'GET', path: '/v1/files/knowledge-bases', handle: ({ bot }: Call): Answer => ({ status: 200, json: { knowledgeBases: state.inGroup('botpressKnowledgeBase', bot.botId), meta: {} } }) },
    { method: 'GET', path: '/v1/files/search', handle: search },
    { method: 'PUT', path: '/v1/files', handle: upsert },
    { method: 'GET', path: '/v1/files', handle: list },
    { method: 'GET', path: '/v1/files/:id', handle: withFile((_call, file) => ({ status: 200, json: { file: view(file) } })) },
    {
      method: 'DELETE',
      path: '/v1/files/:id',
      handle: withFile(({ bot }, file) => {
        state.remove('botpressFile', `${bot.botId}|${file.id}`);
        return { status: 200, json: {} };
      }),
    },
  ];

  return (exchange, path) => {
    const upload = /^\/upload\/([^/]+)\/([^/]+)$/.exec(path);
    if (upload && exchange.method === 'PUT') return take(exchange, upload[1] ?? '', upload[2] ?? '');
    const found = findRoute(routes, exchange.method, path);
    if (found === undefined) return { status: 404, json: { message: "Route doesn't exist" } };
    if (exchange.body.length > requestMaxBytes) return cloudError(413, 'Request entity too large');
    const owner = state.inGroup('botpressBot', 'cloud').find((bot) => bot.kind === 'cloud' && bot.accessToken === bearerOf(exchange));
    if (owner?.kind !== 'cloud') return cloudError(401, 'The token is invalid');
    // A bot access key opens its own bot.
    if (exchange.headers['x-bot-id'] !== owner.botId) return cloudError(403, 'The token does not give access to this bot');
    const body = exchange.body.length === 0 ? {} : jsonObjectOf(exchange);
    if (body === undefined) return cloudError(400, 'Request body is not valid JSON');
    return found.route.handle({ bot: owner, body, exchange, match: found.match });
  };
}
