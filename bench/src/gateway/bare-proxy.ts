// The floor of a gateway: undici takes the request on and brings the answer back. Nobody is asked who they are.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool, type Dispatcher } from 'undici';

const pool = new Pool(process.argv[2] ?? '', { connections: 128, pipelining: 1 });
const server = createServer((request, response) => {
  const body = request.method === 'GET' ? null : request;
  pool.dispatch(
    { path: request.url ?? '/', method: request.method as Dispatcher.HttpMethod, headers: { accept: '*/*' }, body }, // what the load sends
    {
      onRequestStart: () => undefined,
      onResponseStart: (_, status, headers) => void response.writeHead(status, headers),
      onResponseData: (_, chunk) => void response.write(chunk),
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    },
  );
});
server.keepAliveTimeout = 65_000;
server.listen(0, '127.0.0.1', () => console.log(`listening ${(server.address() as AddressInfo).port}`)); // TCP
