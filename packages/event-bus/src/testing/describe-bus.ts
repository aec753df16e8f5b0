import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { hubError, newId, type Envelope, type TenantId } from '@switchboard/contracts';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadEffects, noteOf, openBus, publishNote, storeEffect, type BusUnderTest, type OpenBus } from './bus-under-test.ts';
import { describeBusProcesses } from './describe-bus-processes.ts';
import { describeDeadLetters } from './describe-dead-letters.ts';
import { describeErasedTenants } from './describe-erased-tenants.ts';
import { describeFairness } from './describe-fairness.ts';
import { describeWaking } from './describe-waking.ts';
import { eventually, listen, sequences, upTo, type SuiteTools } from './suite-tools.ts';

/** The promises of the bus (docs/adr/0003): every driver keeps every one of them, always shown with two tenants. */
export function describeBus(name: string, makeBus: () => Promise<BusUnderTest>, tenants: readonly [TenantId, TenantId]): void {
  describe(`bus: ${name}`, () => {
    let subject: BusUnderTest;
    const opened: OpenBus[] = [];
    const tools: SuiteTools = {
      subject: () => subject,
      tenants,
      open: (options) => {
        const bus = openBus(subject.place, options);
        opened.push(bus);
        return bus;
      },
      newRun: () => newId('req'),
    };

    beforeAll(async () => {
      subject = await makeBus();
    }, 120_000);
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((bus) => bus.close()));
    }, 60_000);
    afterAll(async () => {
      await subject.close();
    }, 60_000);

    describeOrder(tools);
    describeEffects(tools);
    describeDeadLetters(tools);
    describeErasedTenants(tools);
    describePublishing(tools);
    describeFairness(tools);
    describeBusProcesses(tools);
    describeWaking(tools);
  });
}

function describeOrder({ tenants, open, newRun, subject }: SuiteTools): void {
  it('keeps the order of each key while keys run side by side, and tells tenants with equal keys apart', async () => {
    const run = newRun();
    const consumer = open();
    let running = 0;
    let runningMost = 0;
    listen(consumer, run, 'transaction', async (event) => {
      runningMost = Math.max(runningMost, ++running);
      await sleep(Math.random() * 5);
      await storeEffect(consumer.unitOfWork, event, 'one');
      running--;
    });
    await consumer.bus.start();
    const keys = upTo(15).map((key) => `key-${key}`);
    await Promise.all(
      tenants.flatMap((tenant) =>
        keys.map(async (key) => {
          for (const n of upTo(20)) await publishNote(consumer.bus, tenant, { run, key, n });
        }),
      ),
    );
    const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length >= 600);
    const bySequence = sequences(effects);
    expect(Object.keys(bySequence)).toHaveLength(30);
    for (const numbers of Object.values(bySequence)) expect(numbers).toEqual(upTo(20));
    expect(runningMost).toBeGreaterThan(1);
  }, 60_000);

  it('keeps the order of a key across retries, and holds no other key back', async () => {
    const run = newRun();
    const [acme, globex] = tenants;
    const consumer = open({ retry: { attemptsMax: 4, delayMs: () => 700 } });
    const attempts: number[] = [];
    listen(consumer, run, 'transaction', async (event, { attempt }) => {
      const { key, n } = noteOf(event);
      if (event.tenantId === acme && key === 'failing' && n === 2) {
        attempts.push(attempt);
        if (attempt < 3) throw hubError('provider.unavailable');
      }
      await storeEffect(consumer.unitOfWork, event, 'one');
    });
    await consumer.bus.start();
    for (const n of upTo(6)) await Promise.all(tenants.flatMap((tenant) => ['failing', 'other'].map((key) => publishNote(consumer.bus, tenant, { run, key, n }))));

    const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length >= 24);
    for (const numbers of Object.values(sequences(effects))) expect(numbers).toEqual(upTo(6));
    expect(attempts).toEqual([1, 2, 3]);
    // The failing key was held for about 1.4 s; all others were through before its second event.
    const failedAt = effects.findIndex((effect) => effect.tenant_id === acme && effect.key === 'failing' && effect.n === 2);
    expect(effects.slice(0, failedAt)).toHaveLength(24 - 5);
    expect(effects.slice(0, failedAt).filter(({ tenant_id }) => tenant_id === globex)).toHaveLength(12);
  }, 60_000);

  it('does not count the tries that a provider throttled, and keeps the lane waiting for its head', async () => {
    const run = newRun();
    const consumer = open({ retry: { attemptsMax: 2, delayMs: () => 5 } });
    let throttled = 0;
    listen(consumer, run, 'transaction', async (event, { attempt }) => {
      if (noteOf(event).n === 1 && throttled++ < 5) throw hubError('provider.throttled', { retry: { afterMs: 20 } });
      await storeEffect(consumer.unitOfWork, event, `attempt ${attempt}`);
    });
    await consumer.bus.start();
    for (const n of upTo(2)) await publishNote(consumer.bus, tenants[0], { run, key: 'k', n });
    const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length === 2);
    expect(effects.map(({ n, by }) => `${n} at ${by}`)).toEqual(['1 at attempt 1', '2 at attempt 1']);
  }, 30_000);

  it('waits at least as long as the failure asks for', async () => {
    const run = newRun();
    const consumer = open({ retry: { attemptsMax: 3, delayMs: () => 1 } });
    const times: number[] = [];
    listen(consumer, run, 'idempotent', async () => {
      times.push(Date.now());
      if (times.length === 1) throw hubError('provider.throttled', { retry: { afterMs: 800 } });
    });
    await consumer.bus.start();
    await publishNote(consumer.bus, tenants[0], { run, key: 'k', n: 1 });
    await eventually(() => times.length, (length) => length === 2);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(795);
  }, 30_000);
}

function describeEffects({ tenants, open, newRun, subject }: SuiteTools): void {
  it.each(['transaction', 'external'] as const)('takes effect once of an event that comes again (%s)', async (effect) => {
    const run = newRun();
    const consumer = open();
    listen(consumer, run, effect, (event, context) => context.commit(() => storeEffect(consumer.unitOfWork, event, 'one')));
    await consumer.bus.start();
    for (const tenant of tenants) {
      const eventId = newId('evt');
      await Promise.all(upTo(5).map(() => publishNote(consumer.bus, tenant, { run, key: 'same', n: 1 }, eventId)));
      await publishNote(consumer.bus, tenant, { run, key: 'same', n: 2 });
    }
    const effects = await eventually(() => loadEffects(subject().adminUrl, run), (all) => all.filter(({ n }) => n === 2).length === 2);
    expect(sequences(effects)).toEqual({ [`${tenants[0]}/same`]: [1, 2], [`${tenants[1]}/same`]: [1, 2] });
  }, 30_000);

  it('leaves no effect of a failed attempt', async () => {
    const run = newRun();
    const consumer = open();
    listen(consumer, run, 'transaction', async (event, { attempt }) => {
      await storeEffect(consumer.unitOfWork, event, `attempt ${attempt}`);
      if (attempt < 3) throw hubError('provider.unavailable');
    });
    await consumer.bus.start();
    await publishNote(consumer.bus, tenants[0], { run, key: 'k', n: 1 });
    const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length > 0);
    expect(effects.map(({ by }) => by)).toEqual(['attempt 3']);
  }, 30_000);

  it('runs a handler as the event\'s tenant', async () => {
    const run = newRun();
    const consumer = open();
    const seen: string[] = [];
    listen(consumer, run, 'transaction', async (event) => {
      const [row] = await consumer.unitOfWork.sql.query<{ tenant: string }>(`select current_setting('app.tenant_id') as tenant`);
      seen.push(`${event.tenantId} as ${row?.tenant}`);
    });
    await consumer.bus.start();
    for (const tenant of tenants) await publishNote(consumer.bus, tenant, { run, key: 'k', n: 1 });
    await eventually(() => seen.length, (length) => length === 2);
    expect(seen.toSorted()).toEqual(tenants.map((tenant) => `${tenant} as ${tenant}`).toSorted());
  }, 30_000);
}

function describePublishing({ tenants, open, newRun, subject }: SuiteTools): void {
  it('publishes nothing of a transaction that is rolled back', async () => {
    const run = newRun();
    const consumer = open();
    listen(consumer, run, 'transaction', (event) => storeEffect(consumer.unitOfWork, event, 'one'));
    await consumer.bus.start();
    const failed = runAsTenant(tenants[0], () =>
      consumer.unitOfWork.transaction(async () => {
        await publishNote(consumer.bus, tenants[0], { run, key: 'k', n: 1 });
        throw new Error('changed my mind');
      }),
    );
    await expect(failed).rejects.toThrow('changed my mind');
    await publishNote(consumer.bus, tenants[0], { run, key: 'k', n: 2 });
    const effects = await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length > 0);
    expect(effects.map(({ n }) => n)).toEqual([2]);
  }, 30_000);

  it('takes envelopes of several tenants in system scope, and in a tenant\'s scope none of another', async () => {
    const run = newRun();
    const consumer = open();
    const envelopes: Envelope[] = [];
    listen(consumer, run, 'idempotent', async (event) => {
      envelopes.push(event);
    });
    await consumer.bus.start();
    for (const tenant of tenants) await publishNote(consumer.bus, tenant, { run, key: 'k', n: 1 });
    await eventually(() => envelopes.length, (length) => length === 2);
    const copies = envelopes.map((envelope) => ({ ...envelope, eventId: newId('evt') }));
    await runAsSystem('a test publishes for two tenants', () => consumer.bus.publishMany(copies));
    await eventually(() => envelopes.length, (length) => length === 4);

    const foreign = copies.filter(({ tenantId }) => tenantId === tenants[1]);
    const schema = subject().place.driver === 'embedded' ? 'bus' : `${subject().place.service}_bus`;
    const attempt = runAsTenant(tenants[0], () => consumer.unitOfWork.transaction(() => consumer.unitOfWork.sql.query(`select ${schema}.publish($1::jsonb)`, [JSON.stringify(foreign)])));
    await expect(attempt).rejects.toThrow('another tenant');
  }, 30_000);

  it('hands a broadcast to every listener that runs', async () => {
    const run = newRun();
    const heard: string[] = [];
    let reason = run;
    const buses = [open(), open()];
    for (const [index, { bus }] of buses.entries()) {
      bus.subscribe({
        type: 'tenant.changed',
        group: `broadcast-${run}`,
        effect: 'idempotent',
        delivery: 'broadcast',
        handle: async (event) => {
          if ((event as Envelope<'tenant.changed'>).payload.reason === reason) heard.push(`${event.tenantId} at ${index}`);
        },
      });
    }
    await Promise.all(buses.map(({ bus }) => bus.start()));
    const everybody = tenants.flatMap((tenant) => [`${tenant} at 0`, `${tenant} at 1`]).toSorted();
    // At most once and from now on: a listener that joins its group anew at this very moment (a busy broker) misses what is published then,
    // and hears the next one. Nothing is heard twice, so each word is one of its own.
    for (let word = 0; word < 5 && heard.length < everybody.length; word++) {
      heard.length = 0;
      reason = `${run} ${word}`;
      for (const tenant of tenants) {
        await runAsTenant(tenant, () => buses[0]?.bus.publish('tenant.changed', { status: 'active', rateLimit: 1, timeZone: 'UTC', reason }, { orderingKey: tenant }));
      }
      await eventually(() => heard.length, (length) => length >= everybody.length, 8_000).catch(() => undefined);
    }
    expect(heard.toSorted()).toEqual(everybody);
  }, 60_000);

  it('counts what it does', async () => {
    const run = newRun();
    const consumer = open();
    listen(consumer, run, 'transaction', (event) => storeEffect(consumer.unitOfWork, event, 'one'));
    await consumer.bus.start();
    expect(await consumer.bus.unhealthy()).toBeUndefined();
    for (const tenant of tenants) await publishNote(consumer.bus, tenant, { run, key: 'k', n: 1 });
    await eventually(() => consumer.bus.metrics(), ({ handled, inFlight, outboxPending }) => handled >= 2 && inFlight === 0 && outboxPending === 0);
  }, 30_000);
}
