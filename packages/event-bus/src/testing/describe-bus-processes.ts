import { expect, it } from '@jest/globals';
import { newId, type TenantId } from '@switchboard/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadEffects, publishNote, storeEffect, type NoteType, type TestNote } from './bus-under-test.ts';
import type { EventBus } from '../port.ts';
import type { ChildTask } from './consume-in-child.ts';
import { eventually, listen, sequences, upTo, type SuiteTools } from './suite-tools.ts';
import { startChild } from './start-child.ts';

const began = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith('began ')).map((line) => line.slice(6));
const ended = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith('ended ')).map((line) => line.slice(6));

/** What holds when processes end: by SIGKILL, by SIGTERM, or with the broker. */
export function describeBusProcesses({ tenants, open, newRun, subject }: SuiteTools): void {
  const taskOf = (run: string, name: string, more: Partial<ChildTask> = {}): ChildTask => ({ place: subject().place, group: `group-${run}`, run, name, workMs: 20, effect: 'transaction', ...more });
  /** A bus that only publishes: its group is the children's. */
  async function publishAll(run: string, keys: readonly string[], count: number, from = 1, type?: NoteType): Promise<void> {
    const { bus } = open();
    for (const n of upTo(count).slice(from - 1)) await Promise.all(tenants.flatMap((tenant) => keys.map((key) => publishStubbornly(bus, tenant, { run, key, n }, type))));
  }
  const keys = upTo(6).map((key) => `key-${key}`);

  it.each(['transaction', 'external'] as const)('takes effect once of every event when a consumer is killed in the middle (%s)', async (effect) => {
    const run = newRun();
    const first = await startChild(taskOf(run, 'first', { effect }));
    await publishAll(run, keys, 10);
    await first.until((lines) => ended(lines).length >= 20);
    await first.end('SIGKILL');
    const second = await startChild(taskOf(run, 'second', { effect }));
    try {
      const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length >= 120, 60_000);
      await sleep(300);
      expect(await loadEffects(subject().adminUrl, run)).toHaveLength(120);
      for (const numbers of Object.values(sequences(effects))) expect(numbers).toEqual(upTo(10));
      expect(new Set(effects.map(({ by }) => by))).toEqual(new Set(['first', 'second']));
    } finally {
      await second.end('SIGTERM');
    }
  }, 120_000);

  it('hands out again an unfinished event, though later ones of other keys were finished', async () => {
    const run = newRun();
    const first = await startChild(taskOf(run, 'first', { stuckKey: 'stuck' }));
    await publishAll(run, ['stuck'], 1);
    await first.until((lines) => began(lines).length === 2);
    await publishAll(run, keys, 5);
    await first.until((lines) => ended(lines).length >= 60);
    // Whatever may be committed has been: only the stuck ones, and what is behind them, would come again.
    await eventually(() => subject().countUncommitted(`group-${run}`), (count) => count <= tenants.length);
    await first.end('SIGKILL');
    const second = await startChild(taskOf(run, 'second'));
    try {
      const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length >= 62, 60_000);
      expect(effects.filter(({ key }) => key === 'stuck').map(({ by, tenant_id }) => `${tenant_id} by ${by}`).toSorted()).toEqual(tenants.map((tenant) => `${tenant} by second`).toSorted());
      expect(effects).toHaveLength(62);
    } finally {
      await second.end('SIGTERM');
    }
  }, 120_000);

  it('keeps order and single effect when a second consumer comes and the first goes while handlers are slow', async () => {
    const run = newRun();
    const type = 'webhook.received.whatsapp';
    const first = await startChild(taskOf(run, 'first', { workMs: 150, type }));
    await publishAll(run, keys, 5, 1, type);
    await first.until((lines) => began(lines).length >= 12);
    const second = await startChild(taskOf(run, 'second', { workMs: 150, type }));
    try {
      let count = 5;
      const publishMore = async () => await publishAll(run, keys, ++count, count, type);
      // Embedded: one process leads, and the second waits for its end.
      const { worksSideBySide } = subject();
      for (; worksSideBySide && began(second.lines).length === 0; await sleep(100)) await publishMore();
      const since = count;
      for (let more = 0; more < 5; more++) await publishMore();
      // Both have partitions: each begins what is published only now, while the other is alive.
      const beginsNew = (lines: readonly string[]) => began(lines).some((line) => Number(line.split(' ')[1]) > since);
      await Promise.all((worksSideBySide ? [first, second] : [first]).map((child) => child.until(beginsNew)));
      expect(began(second.lines).length > 0).toBe(worksSideBySide);
      expect(await first.end('SIGTERM')).toBe(0);
      const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length >= count * 12, 60_000);
      for (const numbers of Object.values(sequences(effects))) expect(numbers).toEqual(upTo(count));
      expect(new Set(effects.map(({ by }) => by))).toEqual(new Set(['first', 'second']));
    } finally {
      await second.end('SIGTERM');
    }
  }, 120_000);

  it('drains on SIGTERM: what has begun ends, nothing is lost, nothing begins twice', async () => {
    const run = newRun();
    const first = await startChild(taskOf(run, 'first', { workMs: 400 }));
    await publishAll(run, keys, 4);
    await first.until((lines) => began(lines).length >= 8);
    expect(await first.end('SIGTERM')).toBe(0);
    expect(ended(first.lines).toSorted()).toEqual(began(first.lines).toSorted());
    expect(first.lines.at(-1)).toBe('stopped');
    const second = await startChild(taskOf(run, 'second', { workMs: 1 }));
    try {
      const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length >= 48, 60_000);
      for (const numbers of Object.values(sequences(effects))) expect(numbers).toEqual(upTo(4));
      expect(began(first.lines).length + began(second.lines).length).toBe(48);
    } finally {
      await second.end('SIGTERM');
    }
  }, 120_000);

  it('goes on where it was when the broker goes away in the middle', async () => {
    const run = newRun();
    const consumer = open();
    listen(consumer, run, 'transaction', async (event) => {
      await sleep(10);
      await storeEffect(consumer.unitOfWork, event, 'one');
    });
    await consumer.bus.start();
    const publishing = publishAll(run, keys, 20);
    await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length >= 30);
    await subject().restartBroker();
    await publishing;
    const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length >= 240, 90_000);
    for (const numbers of Object.values(sequences(effects))) expect(numbers).toEqual(upTo(20));
  }, 180_000);
}

/** As a caller that got no answer does: the same event again, until it is taken. */
async function publishStubbornly(bus: EventBus, tenant: TenantId, note: TestNote, type?: NoteType): Promise<void> {
  const eventId = newId('evt');
  for (let attempt = 1; ; attempt++) {
    try {
      await publishNote(bus, tenant, note, eventId, type);
      return;
    } catch (error) {
      if (attempt === 20) throw error;
      await sleep(100);
    }
  }
}
