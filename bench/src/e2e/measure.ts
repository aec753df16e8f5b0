import { loadavg } from 'node:os';
import { collectArrivals, type Direction } from './arrivals.ts';
import { cpuSecondsOf } from './cpu-seconds.ts';
import type { BenchTenant } from './onboard.ts';
import { countAnswered, type Providers } from './providers.ts';
import { sendAtRate, sendBounded, type NextWebhook, type Sent } from './send-load.ts';
import { agentWebhook, contactWebhook } from './signed-webhooks.ts';

/** What stands between the two providers: a hub of either mode, or the naive relay. */
export type Subject = {
  readonly name: string;
  readonly ingestUrl: string;
  readonly providers: Providers;
  readonly tenants: readonly BenchTenant[];
  /** Whose CPU is counted: name → process. */
  readonly pids: Readonly<Record<string, number>>;
};

export type Latency = { readonly p50: number; readonly p90: number; readonly p99: number; readonly max: number };

export type Row = {
  readonly name: string;
  readonly direction: Direction;
  readonly kind: 'rate' | 'max';
  /** Messages a second: sent at this rate, or carried at most. */
  readonly perSecond: number;
  readonly sent: number;
  readonly refused: number;
  readonly lost: number;
  readonly doubled: number;
  /** Milliseconds from the POST of the webhook to the call at the other provider. */
  readonly latency: Latency;
  /** Milliseconds from the POST of the webhook to its answer. */
  readonly answer: Latency;
  /** Milliseconds of CPU a message, by process. */
  readonly cpuMs: Readonly<Record<string, number>>;
  readonly loadAverage: number;
};

/** After the last one was sent. What has not arrived by then is lost. */
const patienceMs = 20_000;
let serial = 0;

/** Open loop at a rate. */
export async function measureRate(subject: Subject, direction: Direction, perSecond: number, seconds: number): Promise<Row> {
  return measure(subject, direction, 'rate', async (next) => ({ sent: await sendAtRate(next, perSecond, seconds), perSecond }));
}

/** Most messages a second with a backlog that stays at `outstandingMax`. */
export async function measureMax(subject: Subject, direction: Direction, outstandingMax: number, seconds: number): Promise<Row> {
  return measure(subject, direction, 'max', (next) => sendBounded(next, () => countAnswered(subject.providers), outstandingMax, seconds));
}

/** The next webhook of a random contact of a random tenant of these. */
export function nextOf(subject: Subject, direction: Direction, tenants: readonly BenchTenant[]): NextWebhook {
  return () => {
    const tenant = anyOf(tenants);
    const contact = anyOf(tenant.contacts);
    const text = `message ${++serial}`;
    return { text, tenantId: tenant.tenantId, webhook: direction === 'in' ? contactWebhook(subject.ingestUrl, tenant, contact, text) : agentWebhook(tenant, contact, text) };
  };
}

async function measure(subject: Subject, direction: Direction, kind: Row['kind'], send: (next: NextWebhook) => Promise<{ sent: Sent[]; perSecond: number }>): Promise<Row> {
  const [loadAverage = 0] = loadavg();
  const before = cpuSecondsOf(subject.pids);
  const { sent, perSecond } = await send(nextOf(subject, direction, subject.tenants));
  const texts = sent.flatMap(({ text, status }) => (status === 200 ? [text] : []));
  const arrivals = await collectArrivals(subject.providers, subject.tenants, direction, texts, patienceMs);
  // Until here, so that what a message causes after its arrival (outcomes, statuses, receipts) is counted too.
  const after = cpuSecondsOf(subject.pids);
  return {
    name: subject.name,
    direction,
    kind,
    perSecond,
    sent: sent.length,
    refused: sent.length - texts.length,
    lost: texts.filter((text) => !arrivals.has(text)).length,
    doubled: texts.filter((text) => (arrivals.get(text)?.length ?? 0) > 1).length,
    latency: latencyOf(delaysOf(sent, arrivals)),
    answer: latencyOf(sent.map(({ answeredMs }) => answeredMs)),
    cpuMs: Object.fromEntries(Object.keys(subject.pids).map((name) => [name, (((after[name] ?? 0) - (before[name] ?? 0)) * 1000) / sent.length])),
    loadAverage,
  };
}

export function delaysOf(sent: readonly Sent[], arrivals: Awaited<ReturnType<typeof collectArrivals>>): number[] {
  return sent.flatMap(({ text, sentAt }) => {
    const [arrivedAt] = arrivals.get(text) ?? [];
    // The sandbox's clock counts whole milliseconds.
    return arrivedAt === undefined ? [] : [Math.max(0, arrivedAt + 0.5 - sentAt)];
  });
}

export function latencyOf(values: readonly number[]): Latency {
  const ascending = values.toSorted((a, b) => a - b);
  const at = (share: number) => ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: ascending.at(-1) ?? Number.NaN };
}

function anyOf<T>(values: readonly T[]): T {
  const value = values[Math.floor(Math.random() * values.length)];
  if (value === undefined) throw new Error('there is nothing to choose from');
  return value;
}
