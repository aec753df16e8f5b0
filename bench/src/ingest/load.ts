// A load generator in a process of its own: keeps `connections` sockets busy with signed WhatsApp webhooks, each with a message id of its
// own, and prints one line of JSON. Lean on purpose: on two cores it must not be what is measured.
import { createHmac, randomBytes } from 'node:crypto';
import { connect } from 'node:net';

export type LoadOptions = { readonly port: number; readonly path: string; readonly connections: number; readonly seconds: number; readonly secret: string; readonly phoneNumberIds: readonly string[] };
export type LoadResult = { readonly answered: number; readonly statuses: Record<string, number>; readonly seconds: number; readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number };

const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions; // given by bench/src/ingest.ts
const run = randomBytes(6).toString('hex');
const latencies: number[] = [];
const statuses: Record<string, number> = {};
let sent = 0;

/** One text message as Meta sends it, about 600 bytes. */
function bodyOf(serial: number): string {
  const from = `1500555${String(serial % 5_000).padStart(4, '0')}`;
  const phone = options.phoneNumberIds[serial % options.phoneNumberIds.length] ?? '';
  return `{"object":"whatsapp_business_account","entry":[{"id":"900100200300400","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15005550100","phone_number_id":"${phone}"},"contacts":[{"profile":{"name":"Zo\\u00eb \\ud83d\\udc4b"},"wa_id":"${from}"}],"messages":[{"from":"${from}","id":"wamid.HBgLMTUwMDU1NTAxMjMVAgASGBQzQTBC${run}${serial}","timestamp":"1790000000","type":"text","text":{"body":"Hello, is the blue one still in stock? I would like two of them by Friday. caf\\u00e9 https:\\/\\/example.test\\/a"}}]},"field":"messages"}]}]}`;
}

function requestOf(serial: number): string {
  const body = bodyOf(serial);
  const signature = createHmac('sha256', options.secret).update(body).digest('hex');
  return `POST ${options.path} HTTP/1.1\r\nhost: 127.0.0.1:${options.port}\r\ncontent-type: application/json\r\nx-hub-signature-256: sha256=${signature}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

function keepBusy(until: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(options.port, '127.0.0.1');
    socket.setNoDelay(true);
    let startedAt = 0;
    let received = '';
    const next = () => {
      startedAt = performance.now();
      if (startedAt >= until) {
        socket.end();
        resolve();
        return;
      }
      socket.write(requestOf(sent++), 'latin1');
    };
    socket.on('connect', next);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(received.slice(0, headEnd))?.[1] ?? 0);
      if (received.length < headEnd + 4 + length) return;
      const status = received.slice(9, 12);
      statuses[status] = (statuses[status] ?? 0) + 1;
      latencies.push(performance.now() - startedAt);
      received = '';
      next();
    });
    socket.on('error', reject);
  });
}

const startedAt = performance.now();
await Promise.all(Array.from({ length: options.connections }, () => keepBusy(startedAt + options.seconds * 1000)));
const seconds = (performance.now() - startedAt) / 1000;
latencies.sort((a, b) => a - b);
const percentile = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
const result: LoadResult = { answered: latencies.length, statuses, seconds, perSecond: latencies.length / seconds, p50Ms: percentile(0.5), p99Ms: percentile(0.99) };
console.log(JSON.stringify(result));
