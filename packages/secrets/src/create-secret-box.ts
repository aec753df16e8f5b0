import { randomBytes } from 'node:crypto';
import { hubError } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import { associate, decrypt, encrypt, keyLength } from './aead.ts';
import type { DataKeyStore, KeyProvider, SecretBox, SecretPlace, WrappedDataKey } from './port.ts';

const version = 1;
const dataKeyIdLength = 8;
const headerLength = 1 + dataKeyIdLength;

type DataKey = { readonly dataKeyId: string; readonly key: Buffer };

/**
 * A secret box over the service's own `tenant_keys`. `keepMs` is how long an opened data key stays in memory, and so how long a destroyed
 * tenant's secrets stay readable in a running process; `keptMax` bounds how many tenants' keys are held.
 */
export function createSecretBox(options: {
  readonly keyProvider: KeyProvider;
  readonly dataKeys: DataKeyStore;
  readonly keepMs?: number;
  readonly keptMax?: number;
  readonly now?: () => number;
}): SecretBox {
  const opened = createKeyCache(options.keepMs ?? 300_000, options.keptMax ?? 2_000, options.now ?? Date.now);

  async function unwrap(tenantId: string, stored: WrappedDataKey): Promise<DataKey> {
    const dataKey = { dataKeyId: stored.dataKeyId, key: await options.keyProvider.unwrap(stored, tenantId) };
    if (stored.unsettled !== true) opened.put(tenantId, dataKey);
    return dataKey;
  }

  async function loadToSeal(tenantId: string): Promise<DataKey> {
    // Asked each time: a tenant that was erased and made anew has another key, and what is sealed under the one in memory would soon open nowhere.
    const [stored] = await options.dataKeys.find();
    const kept = opened.find(tenantId);
    if (stored !== undefined) return kept?.dataKeyId === stored.dataKeyId ? kept : await unwrap(tenantId, stored);
    const wrapped = await options.keyProvider.wrap(randomBytes(keyLength), tenantId);
    // The one that is there now, not the one just made: another process may have been first.
    return await unwrap(tenantId, await options.dataKeys.insert({ dataKeyId: randomBytes(dataKeyIdLength).toString('hex'), ...wrapped }));
  }

  async function loadToOpen(tenantId: string, dataKeyId: string): Promise<DataKey> {
    const kept = opened.find(tenantId);
    if (kept?.dataKeyId === dataKeyId) return kept;
    const stored = (await options.dataKeys.find()).find((key) => key.dataKeyId === dataKeyId);
    if (stored === undefined) throw hubError('secret.unreadable', { detail: { reason: 'unknown data key' } });
    return await unwrap(tenantId, stored);
  }

  return {
    async seal(plaintext, place) {
      const tenantId = currentTenant();
      const { dataKeyId, key } = await loadToSeal(tenantId);
      const header = Buffer.concat([Buffer.of(version), Buffer.from(dataKeyId, 'hex')]);
      return Buffer.concat([header, encrypt(key, Buffer.from(plaintext, 'utf8'), associateWith(header, tenantId, place))]);
    },
    async open(sealed, place) {
      const tenantId = currentTenant();
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      if (bytes.length < headerLength || bytes[0] !== version) throw hubError('secret.unreadable', { detail: { reason: 'unknown form' } });
      const header = bytes.subarray(0, headerLength);
      const { key } = await loadToOpen(tenantId, header.subarray(1).toString('hex'));
      return decrypt(key, bytes.subarray(headerLength), associateWith(header, tenantId, place)).toString('utf8');
    },
  };
}

function associateWith(header: Buffer, tenantId: string, place: SecretPlace): Buffer {
  return associate('switchboard secret', header.toString('hex'), tenantId, place.table, place.column, place.row);
}

/** Bounded in time and number; the longest unused tenant goes first. */
function createKeyCache(keepMs: number, keptMax: number, now: () => number) {
  const kept = new Map<string, { readonly dataKey: DataKey; readonly until: number }>();
  return {
    find(tenantId: string): DataKey | undefined {
      const entry = kept.get(tenantId);
      if (entry === undefined) return undefined;
      kept.delete(tenantId);
      if (entry.until <= now()) return undefined;
      kept.set(tenantId, entry);
      return entry.dataKey;
    },
    put(tenantId: string, dataKey: DataKey): void {
      kept.delete(tenantId);
      kept.set(tenantId, { dataKey, until: now() + keepMs });
      if (kept.size <= keptMax) return;
      const [oldest] = kept.keys();
      if (oldest !== undefined) kept.delete(oldest);
    },
  };
}
