import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TenantId } from '@switchboard/contracts';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import * as fc from 'fast-check';
import { createSecretBox } from './create-secret-box.ts';
import { createEnvKeyProvider } from './key-provider.ts';
import type { DataKeyStore, SecretPlace, WrappedDataKey } from './port.ts';
import { rewrapDataKeys } from './rewrap-data-keys.ts';

const acme = 'acme' as TenantId;
const bolt = 'bolt' as TenantId;
const place: SecretPlace = { table: 'connections', column: 'credentials', row: 'con_1' };
const kek = randomBytes(32).toString('hex');

/** `tenant_keys` in memory, with what row-level security does: each tenant sees its own row. */
function createMemoryStore(options: { unsettled?: boolean } = {}) {
  const rows = new Map<string, WrappedDataKey>();
  let reads = 0;
  const store: DataKeyStore = {
    async find() {
      reads++;
      const row = rows.get(currentTenant());
      return row === undefined ? [] : [{ ...row, unsettled: options.unsettled ?? false }];
    },
    async insert(key) {
      if (!rows.has(currentTenant())) rows.set(currentTenant(), key);
      return { ...rows.get(currentTenant())!, unsettled: options.unsettled ?? false };
    },
    async replace(key, fromKeyId) {
      const isThere = rows.get(currentTenant())?.keyId === fromKeyId;
      if (isThere) rows.set(currentTenant(), key);
      return isThere;
    },
    async destroy() {
      rows.delete(currentTenant());
    },
  };
  return { store, rows, reads: () => reads };
}

describe('secret box', () => {
  let memory: ReturnType<typeof createMemoryStore>;
  let box: ReturnType<typeof createSecretBox>;
  beforeEach(() => {
    memory = createMemoryStore();
    box = createSecretBox({ keyProvider: createEnvKeyProvider(kek), dataKeys: memory.store });
  });
  const sealed = (text: string, at = place) => runAsTenant(acme, () => box.seal(text, at));

  it('opens what it sealed, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        const wellFormed = text.toWellFormed();
        expect(await runAsTenant(acme, async () => box.open(await box.seal(wellFormed, place), place))).toBe(wellFormed);
      }),
    );
  });

  it('does not open when any one bit was changed', async () => {
    const good = await sealed('app-secret');
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length * 8 - 1), async (bit) => {
        const bad = Buffer.from(good);
        bad[bit >> 3]! ^= 1 << (bit & 7);
        await expect(runAsTenant(acme, () => box.open(bad, place))).rejects.toMatchObject({ code: 'secret.unreadable' });
      }),
      { numRuns: good.length * 8 },
    );
  });

  it('does not open any shortened or arbitrary bytes', async () => {
    const good = await sealed('app-secret');
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.nat(good.length - 1).map((length) => good.subarray(0, length)), fc.uint8Array({ maxLength: 120 })), async (bad) => {
        await expect(runAsTenant(acme, () => box.open(bad, place))).rejects.toMatchObject({ code: 'secret.unreadable' });
      }),
    );
  });

  it('does not open at another place', async () => {
    const good = await sealed('app-secret');
    const name = fc.string({ maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.record({ table: name, column: name, row: name }), async (other) => {
        await expect(runAsTenant(acme, () => box.open(good, other))).rejects.toMatchObject({ code: 'secret.unreadable' });
      }),
    );
    await expect(runAsTenant(acme, () => box.open(good, { ...place, row: 'con_2' }))).rejects.toMatchObject({ code: 'secret.unreadable' });
  });

  it('does not open for another tenant, even with the first one\'s data key in its row', async () => {
    const good = await sealed('app-secret');
    await expect(runAsTenant(bolt, () => box.open(good, place))).rejects.toMatchObject({ code: 'secret.unreadable' });
    memory.rows.set(bolt, memory.rows.get(acme)!);
    await expect(runAsTenant(bolt, () => box.open(good, place))).rejects.toMatchObject({ code: 'secret.unreadable' });
  });

  it('refuses to work outside a tenant', async () => {
    await expect(box.seal('x', place)).rejects.toMatchObject({ code: 'tenant.context_missing' });
  });

  it('shows neither the secret nor the data key in the sealed bytes, and never the same bytes twice', async () => {
    const [first, second] = [await sealed('app-secret'), await sealed('app-secret')];
    expect(first.includes('app-secret')).toBe(false);
    expect(first.equals(second)).toBe(false);
  });

  it('cannot open after the key-encryption key is gone, and can with it as the previous one', async () => {
    const good = await sealed('app-secret');
    const fresh = randomBytes(32).toString('base64');
    const without = createSecretBox({ keyProvider: createEnvKeyProvider(fresh), dataKeys: memory.store });
    await expect(runAsTenant(acme, () => without.open(good, place))).rejects.toMatchObject({ code: 'secret.unreadable' });

    const both = createEnvKeyProvider(`${fresh},${kek}`);
    const rotating = createSecretBox({ keyProvider: both, dataKeys: memory.store });
    expect(await runAsTenant(acme, () => rotating.open(good, place))).toBe('app-secret');

    expect(await runAsTenant(acme, () => rewrapDataKeys(memory.store, both))).toBe(1);
    expect(await runAsTenant(acme, () => rewrapDataKeys(memory.store, both))).toBe(0);
    const rotated = createSecretBox({ keyProvider: createEnvKeyProvider(fresh), dataKeys: memory.store });
    expect(await runAsTenant(acme, () => rotated.open(good, place))).toBe('app-secret');
  });

  it('forgets a destroyed key when its time in memory is over', async () => {
    let now = 0;
    box = createSecretBox({ keyProvider: createEnvKeyProvider(kek), dataKeys: memory.store, keepMs: 1_000, now: () => now });
    const good = await sealed('app-secret');
    await runAsTenant(acme, () => memory.store.destroy());
    expect(await runAsTenant(acme, () => box.open(good, place))).toBe('app-secret');
    now = 1_000;
    await expect(runAsTenant(acme, () => box.open(good, place))).rejects.toMatchObject({ code: 'secret.unreadable' });
  });

  it('seals for a tenant that was made anew under the key it has now, though the destroyed one is still in memory', async () => {
    await sealed('of the tenant that was erased');
    await runAsTenant(acme, () => memory.store.destroy());
    const elsewhere = createSecretBox({ keyProvider: createEnvKeyProvider(kek), dataKeys: memory.store });
    for (const good of [await sealed('first'), await sealed('second')]) expect(await runAsTenant(acme, () => elsewhere.open(good, place))).toMatch(/first|second/);
  });

  it('keeps no key of a transaction that may roll back', async () => {
    memory = createMemoryStore({ unsettled: true });
    box = createSecretBox({ keyProvider: createEnvKeyProvider(kek), dataKeys: memory.store });
    await sealed('lost with the transaction');
    memory.rows.clear();
    const good = await sealed('app-secret');
    const elsewhere = createSecretBox({ keyProvider: createEnvKeyProvider(kek), dataKeys: memory.store });
    expect(await runAsTenant(acme, () => elsewhere.open(good, place))).toBe('app-secret');
  });

  it('holds the keys of a bounded number of tenants', async () => {
    box = createSecretBox({ keyProvider: createEnvKeyProvider(kek), dataKeys: memory.store, keptMax: 2 });
    const texts = await Promise.all(['t1', 't2', 't3'].map((id) => runAsTenant(id as TenantId, () => box.seal(id, place))));
    const before = memory.reads();
    await runAsTenant('t3' as TenantId, () => box.open(texts[2]!, place));
    expect(memory.reads()).toBe(before);
    await runAsTenant('t1' as TenantId, () => box.open(texts[0]!, place));
    expect(memory.reads()).toBe(before + 1);
  });
});
