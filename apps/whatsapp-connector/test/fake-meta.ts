import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type MetaRequest = { readonly method: string; readonly path: string; readonly authorization: string | undefined; readonly body: Buffer };

/** Answers one request; `undefined` cuts the connection without an answer. */
export type MetaAnswer = { readonly status: number; readonly headers?: Record<string, string>; readonly body: unknown } | undefined;

export type FakeMeta = {
  readonly url: string;
  readonly requests: MetaRequest[];
  /** What the next requests get; afterwards every message is taken. */
  readonly answers: MetaAnswer[];
  /** Asked before the list of answers. */
  answer: ((request: MetaRequest) => MetaAnswer) | undefined;
  close(): Promise<void>;
};

/** A Graph API that takes everything, unless told otherwise. */
export async function startFakeMeta(): Promise<FakeMeta> {
  let count = 0;
  const server: Server = createServer((request, response) => void handle(request, response));
  const fake: Omit<FakeMeta, 'url'> = { requests: [], answers: [], answer: undefined, close: () => new Promise((resolve) => server.close(() => resolve())) };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer); // an http request yields buffers
    const seen = { method: request.method ?? '', path: request.url ?? '', authorization: request.headers.authorization, body: Buffer.concat(chunks) };
    fake.requests.push(seen);
    const answer = fake.answer === undefined && fake.answers.length === 0 ? accepted() : fake.answer === undefined ? fake.answers.shift() : fake.answer(seen);
    if (answer === undefined) {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { connection: 'close', ...answer.headers });
    response.end(Buffer.isBuffer(answer.body) ? answer.body : JSON.stringify(answer.body));
  }

  const accepted = (): MetaAnswer => ({ status: 200, body: { messaging_product: 'whatsapp', messages: [{ id: `wamid.OUT${++count}` }] } });

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return Object.assign(fake, { url: `http://127.0.0.1:${port}` });
}
