import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that can swallow everything without a word, both ways, as a network does that lost a host. */
export type SilentNetwork = {
  /** The target's URL, by this way. */
  readonly url: string;
  swallow: boolean;
  close(): void;
};

export async function openSilentNetwork(targetUrl: string): Promise<SilentNetwork> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (chunk) => network.swallow || to.write(chunk));
      from.on('close', () => network.swallow || to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(targetUrl);
  url.hostname = '127.0.0.1';
  // The cast is safe: it listens on TCP.
  url.port = String((server.address() as AddressInfo).port);
  const network: SilentNetwork = {
    url: url.href,
    swallow: false,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return network;
}
