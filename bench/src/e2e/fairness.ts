import { collectArrivals } from './arrivals.ts';
import { delaysOf, latencyOf, nextOf, type Latency, type Subject } from './measure.ts';
import { sendAtRate } from './send-load.ts';

export type Fairness = { readonly name: string; readonly others: number; readonly alone: Latency; readonly beside: Latency; readonly lost: number; readonly p99Ratio: number };

/** Messages a second of an ordinary tenant, and how many times that one tenant sends. */
const perSecondEach = 1;
const times = 100;

/**
 * The latency of all tenants but one, without and with that one sending a hundred times as much as each. Its calls at Genesys go at the pace
 * the connector allows a connection, so that its own backlog outlives the measurement: to be run last.
 */
export async function measureFairness(subject: Subject, seconds: number): Promise<Fairness> {
  const [flooding, ...others] = subject.tenants;
  if (flooding === undefined) throw new Error('there are no tenants');
  const measureOthers = async () => {
    const sent = await sendAtRate(nextOf(subject, 'in', others), others.length * perSecondEach, seconds);
    return { sent, arrivals: await collectArrivals(subject.providers, others, 'in', sent.map(({ text }) => text), 10_000) };
  };
  const alone = await measureOthers();
  const [beside] = await Promise.all([measureOthers(), sendAtRate(nextOf(subject, 'in', [flooding]), perSecondEach * times, seconds)]);
  const latencies = [alone, beside].map(({ sent, arrivals }) => latencyOf(delaysOf(sent, arrivals)));
  const [first, second] = latencies;
  if (first === undefined || second === undefined) throw new Error('nothing was measured');
  return { name: subject.name, others: others.length, alone: first, beside: second, lost: beside.sent.filter(({ text }) => !beside.arrivals.has(text)).length, p99Ratio: second.p99 / first.p99 };
}
