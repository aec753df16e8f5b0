// The load, in a process of its own; prints one line of JSON. Either keeps `connections` sockets busy, or sends `perSecond` requests at their
// time whether or not others are answered. Lean on purpose: on two cores it must not be what is measured.
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { SeededKey } from './tenant-stand-in.ts';

export type LoadOptions = { readonly port: number; readonly keysFile: string; /** The first so many of the keys; all when absent. */ readonly keysUsed?: number; readonly connections: number; readonly seconds: number; readonly perSecond?: number; /** Ends sooner, after so many. */ readonly requestsMax?: number };
export type LoadResult = { readonly answered: number; readonly statuses: Record<string, number>; readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number };

const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions; // given by bench/src/gateway.ts
const keys = (JSON.parse(readFileSync(options.keysFile, 'utf8')) as SeededKey[]).slice(0, options.keysUsed);
const requests = keys.map(({ apiKey }) => Buffer.from(`GET /state/stats HTTP/1.1\r\nhost: 127.0.0.1:${options.port}\r\nx-api-key: ${apiKey}\r\naccept: */*\r\n\r\n`));
const latencies: number[] = [];
const statuses: Record<string, number> = {};
let sent = 0;

type Line = { readonly socket: Socket; send(onAnswer: () => void): void };

function openLine(): Promise<Line> {
  return new Promise((resolve, reject) => {
    const socket = connect(options.port, '127.0.0.1');
    socket.setNoDelay(true);
    let startedAt = 0;
    let received = '';
    let answered: (() => void) | undefined;
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const head = received.slice(0, headEnd);
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (length === undefined ? !received.endsWith('0\r\n\r\n') : received.length < headEnd + 4 + Number(length)) return;
      const status = received.slice(9, 12);
      statuses[status] = (statuses[status] ?? 0) + 1;
      latencies.push(performance.now() - startedAt);
      received = '';
      answered?.();
    });
    socket.on('error', reject);
    socket.on('connect', () =>
      resolve({
        socket,
        send(onAnswer) {
          answered = onAnswer;
          startedAt = performance.now();
          socket.write(requests[sent++ % requests.length] ?? '');
        },
      }),
    );
  });
}

async function keepBusy(lines: readonly Line[], untilMs: number): Promise<void> {
  await Promise.all(
    lines.map(
      (line) =>
        new Promise<void>((done) => {
          const next = () => (performance.now() >= untilMs || sent >= (options.requestsMax ?? Infinity) ? done() : line.send(next));
          next();
        }),
    ),
  );
}

async function keepPace(lines: readonly Line[], startMs: number, perSecond: number): Promise<void> {
  const free = [...lines];
  const total = perSecond * options.seconds;
  await new Promise<void>((done) => {
    let due = 0;
    let answered = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      while (due < total && now >= startMs + (due * 1_000) / perSecond) {
        const line = free.pop();
        // None free: what is late waits for the next tick, and its wait is not hidden, because fewer are answered.
        if (line === undefined) break;
        due++;
        line.send(() => {
          free.unshift(line);
          if (++answered === total) {
            clearInterval(timer);
            done();
          }
        });
      }
    }, 1);
  });
}

const lines = await Promise.all(Array.from({ length: options.connections }, openLine));
const startMs = performance.now();
await (options.perSecond === undefined ? keepBusy(lines, startMs + options.seconds * 1_000) : keepPace(lines, startMs, options.perSecond));
const seconds = (performance.now() - startMs) / 1_000;
for (const { socket } of lines) socket.destroy();
latencies.sort((a, b) => a - b);
const percentile = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
const result: LoadResult = { answered: latencies.length, statuses, perSecond: latencies.length / seconds, p50Ms: percentile(0.5), p99Ms: percentile(0.99) };
console.log(JSON.stringify(result));
