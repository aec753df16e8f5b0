// Chatwoot and Botpress, as far as connecting, a turn and a push of knowledge need them. Bots never say anything: what is measured ends when they
// are asked. Notes when each turn came. A process of its own; argument: milliseconds that Botpress takes for a call of its Files API.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

type Json = Record<string, unknown>;
type Answer = { readonly status: number; readonly body?: unknown };

const filesMs = Number(process.argv[2] ?? 0);
/** By text: milliseconds since 1970. */
const arrivals = new Map<string, number[]>();
const inboxes = new Map<string, Json[]>();
const webhooks = new Map<string, Json>();
const files = new Map<string, Map<string, Json>>();
let serial = 0;
let filesPut = 0;

function chatwoot(method: string, path: string, body: Json): Answer {
  if (path === '/api') return { status: 200, body: { version: '4.15.1' } };
  const [, account = '', what = ''] = /^\/api\/v1\/accounts\/(\d+)\/(.*)$/.exec(path) ?? [];
  const own = inboxes.get(account) ?? [];
  switch (`${method} ${what}`) {
    case 'GET inboxes':
      return { status: 200, body: { payload: own } };
    case 'POST inboxes': {
      const inbox = { id: ++serial, name: body['name'], channel_type: 'Channel::WebWidget', website_token: `token-${serial}` };
      inboxes.set(account, [...own, inbox]);
      return { status: 200, body: inbox };
    }
    case 'GET webhooks':
      return { status: 200, body: { payload: { webhooks: [webhooks.get(account)].filter((webhook) => webhook !== undefined) } } };
    case 'POST webhooks': {
      const webhook = { id: 1, url: body['url'], secret: `secret-of-account-${account}` };
      webhooks.set(account, webhook);
      return { status: 200, body: { payload: { webhook } } };
    }
    case 'GET agent_bots':
      return { status: 200, body: [] };
    case 'POST agent_bots':
      return { status: 200, body: { id: 1, name: body['name'], access_token: `bot-of-account-${account}` } };
    default:
      return { status: 200, body: {} };
  }
}

async function botpress(method: string, path: string, query: URLSearchParams, headers: IncomingMessage['headers'], body: Json): Promise<Answer> {
  if (path.startsWith('/v1/files')) {
    await sleep(filesMs);
    if (path.endsWith('/knowledge-bases')) return { status: 200, body: { knowledgeBase: { id: `knowledge-of-${String(headers['x-bot-id'])}` } } };
    return filesApi(method, String(headers['x-bot-id']), query, body);
  }
  const [, , ...rest] = path.split('/');
  const what = rest.join('/');
  if (what === 'users/get-or-create') return { status: 200, body: { user: { id: 'user' } } };
  if (what === 'conversations/get-or-create') return { status: 200, body: { conversation: { id: body['id'] } } };
  if (method === 'GET') return { status: 200, body: { messages: [] } };
  if (what === 'messages') {
    // The form that the connector writes.
    const { text } = body['payload'] as { text: string };
    arrivals.set(text, [...(arrivals.get(text) ?? []), performance.timeOrigin + performance.now()]);
  }
  return { status: 200, body: { message: { id: `message-${++serial}` } } };
}

function filesApi(method: string, bot: string, query: URLSearchParams, body: Json): Answer {
  const own = files.get(bot) ?? new Map<string, Json>();
  files.set(bot, own);
  if (method === 'GET') return { status: 200, body: { files: [...own.values()].filter(({ tags }) => (tags as Json)['tenant'] === query.get('tags[tenant]')), meta: {} } };
  if (method !== 'PUT') return { status: 200, body: {} };
  const { key, tags } = body;
  const file = { id: `file-${++serial}`, key, tags, status: 'indexing_completed' };
  own.set(String(key), file);
  filesPut++;
  return { status: 200, body: { file } };
}

async function answer(request: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer); // an http request yields buffers
  const text = Buffer.concat(chunks).toString();
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const { method = 'GET', headers } = request;
  const body = text.startsWith('{') ? (JSON.parse(text) as Json) : {};
  if (pathname.startsWith('/chatwoot/')) return chatwoot(method, pathname.slice('/chatwoot'.length), body);
  if (pathname.startsWith('/botpress/')) return await botpress(method, pathname.slice('/botpress'.length), searchParams, headers, body);
  // What came since the last time somebody asked.
  const noted = { arrivals: Object.fromEntries(arrivals), filesPut };
  arrivals.clear();
  return { status: 200, body: noted };
}

const server = createServer((request, response) => {
  void answer(request).then(({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(`listening ${(server.address() as AddressInfo).port}`)); // TCP
