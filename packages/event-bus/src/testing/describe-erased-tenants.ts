import { expect, it } from '@jest/globals';
import { newId, tenantIdSchema } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { loadEffects, publishNote, storeEffect } from './bus-under-test.ts';
import { eventually, listen, sequences, upTo, type SuiteTools } from './suite-tools.ts';

/** What becomes of the events of a tenant that is erased. */
export function describeErasedTenants({ tenants: [, globex], open, newRun, subject }: SuiteTools): void {
  it('passes over the events of an erased tenant and lets it do nothing, until one is created anew under its id', async () => {
    const run = newRun();
    const gone = tenantIdSchema.parse(`gone-${newId('evt').slice(-10)}`);
    const consumer = open();
    listen(consumer, run, 'transaction', (event) => storeEffect(consumer.unitOfWork, event, 'one'));
    await consumer.bus.start();
    const { erasedTenants } = consumer.bus;
    const isAdmitted = async () => erasedTenants.admit(gone);
    await publishNote(consumer.bus, gone, { run, key: 'k', n: 1 });
    await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length === 1);
    await isAdmitted();

    const order = { eventId: newId('evt'), occurredAt: new Date().toISOString() };
    let total: Readonly<Record<string, number>> = {};
    const erase = (counts: readonly number[], fails = false) =>
      runAsTenant(gone, () =>
        erasedTenants.erase(order, {
          async rows(note) {
            // The erasing itself is let in.
            await isAdmitted();
            for (const notes of counts) await consumer.unitOfWork.transaction(async () => note({ notes }));
            if (fails) throw new Error('broken off');
          },
          done: async (rows) => void (total = rows),
        }),
      );
    await expect(erase([2, 2], true)).rejects.toThrow('broken off');
    expect(await erase([3])).toBe(true);
    // One record of the inbox.
    expect(total).toEqual({ notes: 7, events: 1 });
    expect(await erase([])).toBe(true);
    expect(total).toEqual({ notes: 7, events: 1 });
    await expect(isAdmitted()).rejects.toMatchObject({ code: 'tenant.not_found' });
    await expect(Promise.resolve(erasedTenants.admit(globex))).resolves.toBeUndefined();

    const createdAt = new Date().toISOString();
    await publishNote(consumer.bus, gone, { run, key: 'k', n: 2 });
    for (const n of upTo(3)) await publishNote(consumer.bus, globex, { run, key: 'k', n });
    await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length >= 4);
    expect(sequences(await loadEffects(subject().adminUrl, run))).toEqual({ [`${gone}/k`]: [1], [`${globex}/k`]: upTo(3) });

    // What was said of the new tenant before anybody had heard of its creation has waited.
    await runAsTenant(gone, () => erasedTenants.revive(createdAt));
    await isAdmitted();
    await eventually(() => loadEffects(subject().adminUrl, run), ({ length }) => length === 5);
    expect(await erase([9])).toBe(false);
    await isAdmitted();
  }, 60_000);
}
