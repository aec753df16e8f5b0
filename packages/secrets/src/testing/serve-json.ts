import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Call = { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers']; readonly text: string };
export type Answer = { readonly status: number; readonly json?: unknown; readonly text?: string };

/** How a stand-in misbehaves: answers this instead, breaks off, or says nothing at all. */
export type Fault = Answer | 'break off' | 'hang';

export type StandIn = { readonly url: string; readonly calls: Call[]; fault: Fault | undefined; /** How many calls more meet it. */ faults: number; readonly close: () => Promise<void> };

/** An HTTP server on a free port that keeps what it was sent. */
export async function serveJson(answer: (call: Call) => Answer): Promise<StandIn> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const call = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, text: Buffer.concat(chunks).toString('utf8') };
      standIn.calls.push(call);
      const fault = standIn.faults-- > 0 ? standIn.fault : undefined;
      if (fault === 'hang') return;
      if (fault === 'break off') return void request.socket.destroy();
      const { status, json, text } = fault ?? answer(call);
      response.writeHead(status, { 'content-type': 'application/json' }).end(text ?? JSON.stringify(json ?? {}));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const standIn: StandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // a TCP server that listens
    calls: [],
    fault: undefined,
    faults: Infinity,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return standIn;
}
