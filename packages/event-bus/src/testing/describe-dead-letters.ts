import { expect, it } from '@jest/globals';
import { hubError } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { loadEffects, noteOf, publishNote, storeEffect } from './bus-under-test.ts';
import { eventually, listen, sequences, upTo, type SuiteTools } from './suite-tools.ts';

/** What becomes of an event that cannot be handled. */
export function describeDeadLetters({ tenants, open, newRun, subject }: SuiteTools): void {
  it('makes a dead letter after the last attempt, goes on, and redrives in order, each tenant for itself', async () => {
    const run = newRun();
    const [acme, globex] = tenants;
    const consumer = open({ retry: { attemptsMax: 3, delayMs: () => 10 } });
    let healed = false;
    const attempts: Record<string, number> = {};
    listen(consumer, run, 'transaction', async (event, { attempt }) => {
      const { key, n } = noteOf(event);
      attempts[`${event.tenantId}/${key}/${n}`] = attempt;
      if (!healed && key === 'failing' && n <= 3) throw hubError('provider.unavailable');
      await storeEffect(consumer.unitOfWork, event, 'one');
    });
    await consumer.bus.start();
    const { deadLetters } = consumer.bus;
    const group = `group-${run}`;
    for (const tenant of tenants) for (const n of upTo(4)) await publishNote(consumer.bus, tenant, { run, key: 'failing', n });

    await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length === 2);
    const letters = await runAsTenant(acme, () => deadLetters.list({ limit: 10, group }));
    expect(letters.data.map(({ event, attempts, error, tenantId }) => [noteOf(event).n, attempts, error.code, tenantId])).toEqual(upTo(3).map((n) => [n, 3, 'provider.unavailable', acme]));
    expect(attempts[`${globex}/failing/1`]).toBe(3);
    const first = letters.data[0];
    expect(first && (await runAsTenant(acme, () => deadLetters.find(first.deadLetterId)))).toEqual(first);
    expect(first && (await runAsTenant(globex, () => deadLetters.find(first.deadLetterId)))).toBeUndefined();

    const page = await runAsTenant(acme, () => deadLetters.list({ limit: 2, group }));
    const rest = await runAsTenant(acme, () => deadLetters.list({ limit: 2, group, cursor: page.nextCursor ?? undefined }));
    expect([...page.data, ...rest.data]).toEqual(letters.data);
    expect(rest.nextCursor).toBeNull();

    healed = true;
    expect(await runAsTenant(acme, () => deadLetters.redrive(letters.data.map(({ deadLetterId }) => deadLetterId)))).toBe(3);
    const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length === 5);
    expect(sequences(effects)).toEqual({ [`${acme}/failing`]: [4, 1, 2, 3], [`${globex}/failing`]: [4] });
    expect((await runAsTenant(acme, () => deadLetters.list({ limit: 10, group }))).data).toEqual([]);
    expect((await runAsTenant(globex, () => deadLetters.list({ limit: 10, group }))).data).toHaveLength(3);
  }, 60_000);

  it('does not try again what fails by a bug', async () => {
    const run = newRun();
    const consumer = open();
    let calls = 0;
    listen(consumer, run, 'external', async () => {
      calls++;
      throw new TypeError('undefined is not a function');
    });
    await consumer.bus.start();
    await publishNote(consumer.bus, tenants[1], { run, key: 'k', n: 1 });
    const letters = await eventually(() => runAsTenant(tenants[1], () => consumer.bus.deadLetters.list({ limit: 5, group: `group-${run}` })), ({ data }) => data.length === 1);
    expect(letters.data[0]?.error.code).toBe('internal');
    expect(calls).toBe(1);
  }, 30_000);

  it('tells the consumer before it gives an event up, as the event\'s tenant and with the reason; the dead letter follows', async () => {
    const run = newRun();
    const consumer = open({ retry: { attemptsMax: 3, delayMs: () => 10 } });
    let calls = 0;
    let refusals = 0;
    listen(
      consumer,
      run,
      'external',
      async () => {
        calls++;
        throw hubError('provider.unavailable');
      },
      async (event, { code }) => {
        // Its first try fails by the way: it is told again.
        if (refusals++ === 0) throw hubError('storage.unavailable');
        const [row] = await consumer.unitOfWork.sql.query<{ tenant: string }>(`select current_setting('app.tenant_id') as tenant`);
        await storeEffect(consumer.unitOfWork, event, `${code} of ${row?.tenant}`);
      },
    );
    await consumer.bus.start();
    for (const tenant of tenants) await publishNote(consumer.bus, tenant, { run, key: 'k', n: 1 });
    for (const tenant of tenants) {
      const letters = await eventually(() => runAsTenant(tenant, () => consumer.bus.deadLetters.list({ limit: 5, group: `group-${run}` })), ({ data }) => data.length === 1);
      expect(letters.data[0]?.error.code).toBe('provider.unavailable');
    }
    const effects = await loadEffects(subject().adminUrl, run);
    expect(effects.map(({ tenant_id, by }) => `${by} for ${tenant_id}`).toSorted()).toEqual(tenants.map((tenant) => `provider.unavailable of ${tenant} for ${tenant}`).toSorted());
    // Three tries each, and the handler once more where the telling failed.
    expect(calls).toBe(7);
  }, 30_000);

  it('gives up what was throttled for too long, and what is redriven begins anew', async () => {
    const run = newRun();
    const consumer = open({ retry: { attemptsMax: 2, delayMs: () => 5, ageMsMax: 600 } });
    let tries = 0;
    listen(consumer, run, 'idempotent', async () => {
      tries++;
      throw hubError('provider.throttled', { retry: { afterMs: 100 } });
    });
    await consumer.bus.start();
    const { deadLetters } = consumer.bus;
    const dead = () => runAsTenant(tenants[0], () => deadLetters.list({ limit: 5, group: `group-${run}` }));
    await publishNote(consumer.bus, tenants[0], { run, key: 'k', n: 1 });
    const [letter] = (await eventually(dead, ({ data }) => data.length === 1)).data;
    expect(letter?.error.code).toBe('provider.throttled');
    expect(tries).toBeGreaterThan(2);
    tries = 0;
    expect(await runAsTenant(tenants[0], () => deadLetters.redrive(letter && [letter.deadLetterId]))).toBe(1);
    await eventually(dead, ({ data }) => data.length === 1);
    expect(tries).toBeGreaterThan(2);
  }, 30_000);

  it('stores the dead letter although telling the consumer fails by a bug', async () => {
    const run = newRun();
    const consumer = open();
    const fail = async (): Promise<void> => {
      throw new TypeError('undefined is not a function');
    };
    listen(consumer, run, 'transaction', fail, fail);
    await consumer.bus.start();
    await publishNote(consumer.bus, tenants[0], { run, key: 'k', n: 1 });
    await eventually(() => runAsTenant(tenants[0], () => consumer.bus.deadLetters.list({ limit: 5, group: `group-${run}` })), ({ data }) => data.length === 1);
  }, 30_000);
}
