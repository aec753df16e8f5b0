import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type JsonServer = { readonly url: string; /** Paths that were asked for. */ readonly asked: string[]; /** What is answered; undefined is a 500. */ answer: unknown; readonly close: () => void };

/** Somebody's server on a free port that answers everything alike, as an issuer's page of keys. */
export async function startJsonServer(answer: unknown): Promise<JsonServer> {
  const server = createServer((request, response) => {
    started.asked.push(request.url ?? '');
    response.writeHead(started.answer === undefined ? 500 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(started.answer ?? {}));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const started: JsonServer = {
    url: `http://127.0.0.1:${port}/keys`,
    asked: [],
    answer,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return started;
}
