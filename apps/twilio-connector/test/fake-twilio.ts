import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type TwilioRequest = { readonly method: string; readonly path: string; readonly authorization: string | undefined; readonly fields: Readonly<Record<string, string>>; readonly json: unknown };

/** Answers one request; `undefined` cuts the connection without an answer. */
export type TwilioAnswer = { readonly status: number; readonly headers?: Record<string, string>; readonly body: unknown } | undefined;

export type FakeTwilio = {
  readonly url: string;
  readonly requests: TwilioRequest[];
  /** What the next requests get; afterwards everything is taken. */
  readonly answers: TwilioAnswer[];
  /** Asked before the list of answers; `'taken'` for the usual answer. */
  answer: ((request: TwilioRequest) => TwilioAnswer | 'taken' | Promise<TwilioAnswer | 'taken'>) | undefined;
  /** Forgets everything. */
  reset(): void;
  /** Messages that were created, in their order. */
  messages(): Readonly<Record<string, string>>[];
  close(): Promise<void>;
};

/** Twilio's hosts in one: takes messages and makes contents, unless told otherwise. */
export async function startFakeTwilio(): Promise<FakeTwilio> {
  let count = 0;
  const contents: { sid: string; friendly_name: string; language: string }[] = [];
  const server = createServer((request, response) => void serve(request, response));
  const fake: Omit<FakeTwilio, 'url'> = {
    requests: [],
    answers: [],
    answer: undefined,
    reset() {
      fake.requests.length = fake.answers.length = contents.length = 0;
      fake.answer = undefined;
    },
    messages: () => fake.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/Messages.json')).map(({ fields }) => fields),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = await read(request);
    fake.requests.push(seen);
    const told = fake.answer === undefined ? (fake.answers.length > 0 ? fake.answers.shift() : 'taken') : await fake.answer(seen);
    const answer = told === 'taken' ? taken(seen) : told;
    if (answer === undefined) return void request.socket.destroy();
    response.writeHead(answer.status, { connection: 'close', 'content-type': 'application/json', ...answer.headers });
    response.end(Buffer.isBuffer(answer.body) ? answer.body : JSON.stringify(answer.body));
  }

  function taken({ method, path, json }: TwilioRequest): TwilioAnswer {
    const sid = (prefix: string) => `${prefix}${String(++count).padStart(32, '0')}`;
    if (path.endsWith('/Messages.json')) return { status: 201, body: { sid: sid('SM'), status: 'queued', num_segments: '1', price: null, error_code: null } };
    if (path.startsWith('/v2/Content')) return { status: 200, body: { contents, meta: { key: 'contents', page: 0, page_size: 100, next_page_url: null } } };
    if (path === '/v1/Content' && method === 'POST') {
      const { friendly_name, language } = json as { friendly_name: string; language: string }; // what the connector makes
      const content = { sid: sid('HX'), friendly_name, language };
      contents.push(content);
      return { status: 201, body: content };
    }
    return { status: 200, body: { success: true } };
  }

  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return Object.assign(fake, { url: `http://127.0.0.1:${port}` });
}

async function read(request: IncomingMessage): Promise<TwilioRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer); // an http request yields buffers
  const body = Buffer.concat(chunks).toString();
  const isJson = request.headers['content-type'] === 'application/json';
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    authorization: request.headers.authorization,
    fields: isJson ? {} : Object.fromEntries(new URLSearchParams(body)),
    json: isJson ? (JSON.parse(body) as unknown) : undefined,
  };
}
