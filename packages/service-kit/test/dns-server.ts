import { createSocket } from 'node:dgram';

export type DnsServer = {
  /** `address:port`. */
  readonly address: string;
  /** Questions as `A name`, in the order they came. */
  readonly questions: string[];
  close(): Promise<void>;
};

/** A name server of a few lines (RFC 1035 §4): IPv4 addresses by name, no word about names under `silent`, NXDOMAIN for all others. */
export async function startDnsServer(known: Readonly<Record<string, readonly string[]>>): Promise<DnsServer> {
  const questions: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, type, end } = readQuestion(query);
    questions.push(`${type === 28 ? 'AAAA' : 'A'} ${name}`);
    if (name.endsWith('silent')) return;
    const addresses = known[name];
    const answers = type === 1 ? (addresses ?? []).map((address) => Buffer.concat([Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]), Buffer.from(address.split('.').map(Number))])) : [];
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(addresses === undefined ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(answers.length, 6);
    head.fill(0, 8, 12);
    socket.send(Buffer.concat([head, query.subarray(12, end), ...answers]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { address: `127.0.0.1:${socket.address().port}`, questions, close: () => new Promise((resolve) => socket.close(() => resolve())) };
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}
