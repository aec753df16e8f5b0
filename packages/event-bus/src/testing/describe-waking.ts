import { expect, it } from '@jest/globals';
import { newId } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { Client } from 'pg';
import { loadEffects, publishNote, storeEffect } from './bus-under-test.ts';
import type { ChildTask } from './consume-in-child.ts';
import { startChild } from './start-child.ts';
import { eventually, listen, sequences, upTo, type SuiteTools } from './suite-tools.ts';

/** What holds though a process that reads what it publishes is woken by itself, and by no notification that is part of the commit. */
export function describeWaking({ tenants, open, newRun, subject }: SuiteTools): void {
  const taskOf = (run: string, name: string, more: Partial<ChildTask> = {}): ChildTask => ({ place: subject().place, group: `group-${run}`, run, name, workMs: 1, effect: 'transaction', ...more });

  it.each(tenants)('takes effect of an event whose publisher was killed between the commit and the waking of the reader (%s)', async (tenantId) => {
    const run = newRun();
    const first = await startChild(taskOf(run, 'first', { diesPublishing: { tenantId, key: 'k' } }));
    await first.until((lines) => lines.includes('ready'));
    expect(await first.exit()).toBe('SIGKILL');
    const second = await startChild(taskOf(run, 'second'));
    try {
      const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length > 0);
      expect(effects).toEqual([{ tenant_id: tenantId, key: 'k', n: 1, by: 'second' }]);
    } finally {
      await second.end('SIGTERM');
    }
  }, 60_000);

  it('hands on at once what was published while this process led, and committed when another one did', async () => {
    const run = newRun();
    const publisher = open();
    await publisher.bus.start();
    const consumer = await startChild(taskOf(run, 'consumer'));
    const admin = new Client({ connectionString: subject().adminUrl });
    await admin.connect();
    try {
      const before = await eventually(() => leadersOf(admin), ({ length }) => length > 0);
      const [another, anotherLeads] = gate();
      let published = 0;
      const committed = tenants.map((tenantId) =>
        runAsTenant(tenantId, () =>
          publisher.unitOfWork.transaction(async () => {
            await publishNote(publisher.bus, tenantId, { run, key: 'k', n: 1 });
            published++;
            await another;
          }),
        ),
      );
      await eventually(() => published, (count) => count === tenants.length);
      await admin.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [before]);
      await eventually(() => leadersOf(admin), (pids) => pids.length === before.length && pids.every((pid) => !before.includes(pid)));
      anotherLeads();
      await Promise.all(committed);
      // Long before the table is looked through.
      const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length === tenants.length, 10_000);
      expect(new Set(effects.map(({ tenant_id: tenantId }) => tenantId))).toEqual(new Set(tenants));
    } finally {
      await admin.end();
      await consumer.end('SIGTERM');
    }
  }, 60_000);

  it('keeps the order of a key whose events are published in turn by the process that reads them and by another', async () => {
    const run = newRun();
    const [reader, other] = [open(), open()];
    listen(reader, run, 'transaction', (event) => storeEffect(reader.unitOfWork, event, 'reader'));
    await reader.bus.start();
    const count = 40;
    for (const n of upTo(count)) await Promise.all(tenants.map((tenantId) => publishNote((n % 2 === 0 ? reader : other).bus, tenantId, { run, key: 'k', n }, newId('evt'))));
    const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length >= count * tenants.length);
    expect(sequences(effects)).toEqual(Object.fromEntries(tenants.map((tenantId) => [`${tenantId}/k`, upTo(count)])));
  }, 60_000);
}

function gate(): [Promise<void>, () => void] {
  let open: () => void = () => undefined;
  return [new Promise<void>((resolve) => (open = resolve)), () => open()];
}

/** Processes that lead: the relay and the lane runner of Kafka's driver, the lane runner of the embedded one. */
async function leadersOf(admin: Client): Promise<number[]> {
  const { rows } = await admin.query<{ pid: number }>(
    `select pid from pg_locks where locktype = 'advisory' and granted and objsubid = 2 and objid = 1 and database = (select oid from pg_database where datname = current_database())`,
  );
  return rows.map(({ pid }) => pid);
}
