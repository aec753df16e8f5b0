import { describe, expect, it } from '@jest/globals';
import { hubError, tenantIdSchema, type TenantId } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import * as fc from 'fast-check';
import { createFileRoom, type FileRoom } from './create-file-room.ts';
import { loadWithRoom, mediaBytesMax } from './load-with-room.ts';

const acme = tenantIdSchema.parse('acme');
const globex = tenantIdSchema.parse('globex');
const take = (room: FileRoom, tenant: TenantId, bytes: number) => runAsTenant(tenant, () => room.take(bytes));

/** Whether it is inside once everything that can go on has gone on. */
async function isInside(taken: Promise<unknown>): Promise<boolean> {
  const waits = Symbol('waits');
  return (await Promise.race([taken, new Promise((resolve) => setImmediate(() => resolve(waits)))])) !== waits;
}

describe('the room for files', () => {
  it('never holds more than fits, of all and of one tenant, and lets everybody in at last', async () => {
    const visit = fc.record({ tenant: fc.constantFrom(acme, globex, tenantIdSchema.parse('initech')), bytes: fc.integer({ min: 1, max: 50 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(visit, { maxLength: 40 }), async (visits) => {
        const room = createFileRoom({ bytesMax: 100, tenantBytesMax: 50, waitMaxMs: 10_000 });
        const inside = new Map<TenantId, number>();
        const add = (tenant: TenantId, bytes: number) => inside.set(tenant, (inside.get(tenant) ?? 0) + bytes);
        await Promise.all(
          visits.map(async ({ tenant, bytes }) => {
            const release = await take(room, tenant, bytes);
            add(tenant, bytes);
            expect(Math.max(...inside.values())).toBeLessThanOrEqual(50);
            expect([...inside.values()].reduce((sum, own) => sum + own, 0)).toBeLessThanOrEqual(100);
            await new Promise((resolve) => setImmediate(resolve));
            add(tenant, -bytes);
            release();
            release();
          }),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('has place for a tenant while another waits for its own share', async () => {
    const room = createFileRoom({ bytesMax: 100, tenantBytesMax: 50, waitMaxMs: 10_000 });
    const release = await take(room, acme, 50);
    const second = take(room, acme, 50);
    expect(await isInside(second)).toBe(false);
    expect(await isInside(take(room, globex, 50))).toBe(true);
    release();
    expect(await isInside(second)).toBe(true);
  });

  it('is asked for again later when there is none for long, without an attempt', async () => {
    const room = createFileRoom({ bytesMax: 10, tenantBytesMax: 10, waitMaxMs: 5 });
    await take(room, acme, 10);
    await expect(take(room, globex, 1)).rejects.toMatchObject({ code: 'storage.unavailable', retry: { counted: false } });
  });
});

describe('loading with room', () => {
  it('takes room for the largest file only for one that is large, and gives back what it does not use', async () => {
    const room = createFileRoom({ bytesMax: mediaBytesMax, tenantBytesMax: mediaBytesMax, waitMaxMs: 5 });
    const asked: number[] = [];
    const load = (size: number) => async (bytesMax: number) => {
      asked.push(bytesMax);
      if (size > bytesMax) throw hubError('media.too_large');
      return size;
    };
    await runAsTenant(acme, async () => {
      // Six small ones fit at the same time.
      const small = await Promise.all(Array.from({ length: 6 }, () => loadWithRoom(room, undefined, load(1_000))));
      for (const { release } of small) release();
      asked.length = 0;
      const large = await loadWithRoom(room, undefined, load(mediaBytesMax));
      expect(asked).toEqual([16 * 1024 * 1024, mediaBytesMax]);
      await expect(loadWithRoom(room, undefined, load(1))).rejects.toMatchObject({ code: 'storage.unavailable' });
      large.release();
      await expect(loadWithRoom(room, undefined, load(mediaBytesMax + 1))).rejects.toMatchObject({ code: 'media.too_large' });
      (await loadWithRoom(room, mediaBytesMax, load(1))).release();
    });
  });
});
