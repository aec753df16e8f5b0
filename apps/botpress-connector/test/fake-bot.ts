import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type BotFile = { id: string; key: string; status: string; tags: Record<string, string>; body: string };

/** Botpress beside the conversation: the Files API of Cloud, and of v12 the log-in, the studio's import and the training. By providers' contracts alone. */
export type FakeBot = {
  readonly url: string;
  readonly files: Map<string, BotFile>;
  /** `PUT hub/acme/…`, `DELETE …`, in order. */
  readonly changes: string[];
  readonly imported: { questions: unknown; trained: string[] };
  /** The next answers are these statuses. */
  readonly refuse: number[];
  /** The most calls at one time. */
  readonly busiest: () => number;
  /** Milliseconds that each call takes. */
  slowness: number;
  readonly close: () => Promise<void>;
};

export async function startFakeBot(): Promise<FakeBot> {
  const files = new Map<string, BotFile>();
  const changes: string[] = [];
  const refuse: number[] = [];
  const imported: FakeBot['imported'] = { questions: undefined, trained: [] };
  let ids = 0;
  let busy = 0;
  let busiest = 0;
  const byId = (id: string) => [...files.values()].find((file) => file.id === id);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    await new Promise((resolve) => setTimeout(resolve, bot.slowness));
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://bot');
    const say = (status: number, value: unknown) => response.writeHead(status, { 'content-type': 'application/json' }).end(typeof value === 'string' ? value : JSON.stringify(value));
    const refused = refuse.shift();
    if (refused !== undefined) return void say(refused, { id: 'err_1', code: refused, type: 'x', message: 'not now' });
    const { method } = request;
    if (pathname.startsWith('/upload/')) {
      const file = byId(pathname.slice('/upload/'.length));
      if (file === undefined || request.headers.authorization !== undefined) return void say(403, {});
      Object.assign(file, { body, status: file.status === 'upload_pending' ? 'indexing_pending' : 'upload_completed' });
      return void say(200, {});
    }
    if (pathname === '/api/v1/auth/login/basic/default') return void say(200, { status: 'success', payload: { jwt: 'jwt-1', exp: 3_600_000 } });
    if (request.headers.authorization !== (pathname.startsWith('/api/v1/') ? 'Bearer jwt-1' : 'Bearer bak-1')) return void say(401, { code: 401, message: 'no' });
    if (pathname.endsWith('/qna/import')) {
      imported.questions = JSON.parse(/\{"qnas".*\}/.exec(body)?.[0] ?? '{}');
      return void say(200, 'upload-1');
    }
    if (pathname.endsWith('/qna/json-upload-status/upload-1')) return void say(200, 'Completed');
    const trained = /\/mod\/nlu\/train\/(\w+)$/.exec(pathname)?.[1];
    if (trained !== undefined) return void say(200, (imported.trained.push(trained), {}));
    if (/\/mod\/nlu\/training\/\w+$/.test(pathname)) return void say(200, { status: 'done' });
    if (method === 'POST' && pathname === '/v1/files/knowledge-bases') return void say(200, { knowledgeBase: { id: `kb_${++ids}` } });
    if (method === 'GET') {
      const page = Number(searchParams.get('nextToken') ?? 0);
      const mine = [...files.values()].filter(({ tags }) => tags['tenant'] === searchParams.get('tags[tenant]'));
      say(200, { files: mine.slice(page, page + 2).map((file) => ({ ...file, body: undefined })), meta: mine.length > page + 2 ? { nextToken: String(page + 2) } : {} });
      // Indexed a moment later.
      for (const file of mine) if (file.status === 'indexing_pending') file.status = 'indexing_completed';
      return;
    }
    if (method === 'PUT') {
      const wanted = JSON.parse(body) as { key: string; index: boolean; tags: Record<string, string>; size: number };
      changes.push(`PUT ${wanted.key}`);
      const file = { id: `file_${++ids}`, key: wanted.key, status: wanted.index ? 'upload_pending' : 'upload_begun', tags: wanted.tags, body: '' };
      files.set(wanted.key, file);
      return void say(200, { file: { ...file, body: undefined, uploadUrl: `${bot.url}/upload/${file.id}` } });
    }
    const file = byId(pathname.split('/').at(-1) ?? '');
    if (file === undefined) return void say(404, { code: 404, message: 'none' });
    changes.push(`DELETE ${file.key}`);
    files.delete(file.key);
    say(200, {});
  }

  const server = createServer((request, response) => {
    busiest = Math.max(busiest, ++busy);
    response.once('close', () => busy--);
    void answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const bot: FakeBot = {
    url: `http://127.0.0.1:${port}`,
    files,
    changes,
    imported,
    refuse,
    busiest: () => busiest,
    slowness: 0,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return bot;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}
