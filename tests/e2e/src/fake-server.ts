import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type FakeRequest = { readonly method: string; readonly path: string; readonly query: URLSearchParams; readonly headers: IncomingMessage['headers']; readonly body: Buffer };
export type FakeAnswer = { readonly status: number; readonly json?: unknown; readonly bytes?: Buffer; readonly type?: string };

/** A provider on loopback that knows nothing of the hub: a function from request to answer. */
export async function startFakeServer(answer: (request: FakeRequest) => FakeAnswer | Promise<FakeAnswer>): Promise<{ url: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://fake');
      void Promise.resolve(answer({ method: request.method ?? '', path: url.pathname, query: url.searchParams, headers: request.headers, body: Buffer.concat(chunks) })).then(({ status, json, bytes, type }) => {
        response.writeHead(status, { 'content-type': type ?? 'application/json' });
        response.end(bytes ?? (json === undefined ? '' : JSON.stringify(json)));
      });
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
