import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TenantId } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import * as fc from 'fast-check';
import { createAwsKmsKeyProvider } from './aws-kms-key-provider.ts';
import { combineKeyProviders } from './combine-key-providers.ts';
import { createSecretBox } from './create-secret-box.ts';
import { createEnvKeyProvider } from './key-provider.ts';
import type { DataKeyStore, KeyProvider, WrappedDataKey } from './port.ts';
import { rewrapDataKeys } from './rewrap-data-keys.ts';
import { standInKmsCredentials, startStandInKms, startStandInVault, type StandIn, type StandInKms, type StandInVault } from './testing/index.ts';
import { createVaultKeyProvider } from './vault-key-provider.ts';

const acme = 'acme' as TenantId;
const place = { table: 'connections', column: 'credentials', row: 'con_1' };

let vault: StandInVault;
let derivedVault: StandInVault;
let plainVault: StandInVault;
let kms: StandInKms;
const vaultProvider = (server: StandInVault, more: { token?: string } = {}) => createVaultKeyProvider({ address: `${server.url}/`, token: server.token, key: 'switchboard', answerMsMax: 300, ...more });
const kmsProvider = (more: { keyId?: string; secretAccessKey?: string } = {}) => createAwsKmsKeyProvider({ keyId: 'alias/switchboard', ...standInKmsCredentials, endpoint: kms.url, answerMsMax: 300, ...more });

beforeAll(async () => {
  vault = await startStandInVault();
  derivedVault = await startStandInVault({ derived: true });
  plainVault = Object.assign(await startStandInVault(), { ignoresAssociatedData: true });
  kms = await startStandInKms();
});
afterAll(async () => {
  await Promise.all([vault, derivedVault, plainVault, kms].map((server) => server?.close()));
});
beforeEach(() => {
  for (const server of [vault, derivedVault, plainVault, kms]) Object.assign(server, { fault: undefined, faults: Infinity });
});

const cases: readonly [string, () => { provider: KeyProvider; server: StandIn; refused: KeyProvider }][] = [
  ['vault-transit', () => ({ provider: vaultProvider(vault), server: vault, refused: vaultProvider(vault, { token: 'hvs.revoked' }) })],
  ['vault-transit with a derived key', () => ({ provider: vaultProvider(derivedVault), server: derivedVault, refused: vaultProvider(derivedVault, { token: 'hvs.revoked' }) })],
  ['vault-transit with a key that authenticates no associated data', () => ({ provider: vaultProvider(plainVault), server: plainVault, refused: vaultProvider(plainVault, { token: 'hvs.revoked' }) })],
  ['aws-kms', () => ({ provider: kmsProvider(), server: kms, refused: kmsProvider({ secretAccessKey: 'another secret' }) })],
];

describe.each(cases)('%s', (_name, open) => {
  it('unwraps what it wrapped, and names the key it wraps with now', async () => {
    const { provider } = open();
    const dataKey = randomBytes(32);
    const wrapped = await provider.wrap(dataKey, acme);
    expect(wrapped.wrapped.includes(dataKey)).toBe(false);
    expect(await provider.currentKeyId()).toBe(wrapped.keyId);
    expect(provider.owns(wrapped.keyId)).toBe(true);
    expect(await provider.unwrap(wrapped, acme)).toEqual(dataKey);
  });

  it('unwraps no data key for another tenant', async () => {
    const { provider } = open();
    const wrapped = await provider.wrap(randomBytes(32), acme);
    await expect(provider.unwrap(wrapped, 'globex')).rejects.toMatchObject({ code: 'secret.unreadable' });
  });

  it('unwraps nothing that one bit was changed of, and no key id of somebody else', async () => {
    const { provider } = open();
    const dataKey = randomBytes(32);
    const good = await provider.wrap(dataKey, acme);
    await fc.assert(
      fc.asyncProperty(fc.nat(good.wrapped.length * 8 - 1), async (bit) => {
        const wrapped = Buffer.from(good.wrapped);
        wrapped[bit >> 3]! ^= 1 << (bit & 7);
        const opened = await provider.unwrap({ ...good, wrapped }, acme).then((key) => key.toString('hex'), (error: { code?: string }) => error.code);
        // Base64 has spare bits: a change there is none of the bytes.
        expect(['secret.unreadable', dataKey.toString('hex')]).toContain(opened);
      }),
      { numRuns: 60 },
    );
    await expect(provider.unwrap({ ...good, keyId: 'ffffffffffffffff' }, acme)).rejects.toMatchObject({ code: 'secret.unreadable' });
  });

  it.each([
    ['is silent', 'hang'],
    ['breaks off', 'break off'],
    ['answers 500', { status: 500, json: { __type: 'KMSInternalException', errors: ['internal error'] } }],
    ['answers 503', { status: 503, json: { errors: ['Vault is sealed'] } }],
    ['answers a web page', { status: 200, text: '<html>' }],
    ['answers something else', { status: 200, json: { hello: 'world' } }],
  ] as const)('is worth trying later when it %s', async (_what, fault) => {
    const { provider, server } = open();
    const wrapped = await provider.wrap(randomBytes(32), acme);
    server.fault = fault;
    for (const attempt of [() => provider.unwrap(wrapped, acme), () => provider.wrap(randomBytes(32), acme), () => provider.currentKeyId()]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'secret.provider_unavailable', retry: 'later', status: 503 });
    }
  });

  it('says that it refuses us without saying with what we came', async () => {
    const { provider, refused } = open();
    const wrapped = await provider.wrap(randomBytes(32), acme);
    const error: unknown = await refused.unwrap(wrapped, acme).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'secret.provider_unavailable' });
    const said = JSON.stringify(error, Object.getOwnPropertyNames(error as object));
    expect(said).not.toMatch(/hvs\.|another secret|AKIA/);
  });

  it('is asked again at once when a connection it had let go of is used', async () => {
    const { provider, server } = open();
    const wrapped = await provider.wrap(randomBytes(32), acme);
    server.fault = 'break off';
    server.faults = 1;
    await provider.unwrap(wrapped, acme);
  });

  it('being away leaves opened data keys in use, and stops new ones', async () => {
    const { provider, server } = open();
    const { store } = createMemoryStore();
    const box = createSecretBox({ keyProvider: provider, dataKeys: store });
    const sealed = await runAsTenant(acme, () => box.seal('app-secret', place));
    server.fault = 'break off';
    expect(await runAsTenant(acme, () => box.open(sealed, place))).toBe('app-secret');
    const other = createSecretBox({ keyProvider: provider, dataKeys: store });
    await expect(runAsTenant(acme, () => other.open(sealed, place))).rejects.toMatchObject({ code: 'secret.provider_unavailable' });
    server.fault = undefined;
    expect(await runAsTenant(acme, () => other.open(sealed, place))).toBe('app-secret');
  });

  it('takes over from keys of the environment, which unwrap until everything is wrapped again', async () => {
    const local = createEnvKeyProvider(randomBytes(32).toString('hex'));
    const { store } = createMemoryStore();
    const sealed = await runAsTenant(acme, () => createSecretBox({ keyProvider: local, dataKeys: store }).seal('app-secret', place));
    const { provider } = open();
    const both = combineKeyProviders(provider, [local]);
    expect(await runAsTenant(acme, () => createSecretBox({ keyProvider: both, dataKeys: store }).open(sealed, place))).toBe('app-secret');
    await expect(runAsTenant(acme, () => createSecretBox({ keyProvider: provider, dataKeys: store }).open(sealed, place))).rejects.toMatchObject({ code: 'secret.unreadable' });
    expect(await runAsTenant(acme, () => rewrapDataKeys(store, both))).toBe(1);
    expect(await runAsTenant(acme, () => rewrapDataKeys(store, both))).toBe(0);
    expect(await runAsTenant(acme, () => createSecretBox({ keyProvider: provider, dataKeys: store }).open(sealed, place))).toBe('app-secret');
  });
});

describe('a key that was rotated at its provider', () => {
  it('makes what Vault wrapped before outdated, and Vault opens both', async () => {
    const provider = vaultProvider(vault);
    const { store, row } = createMemoryStore();
    const sealed = await runAsTenant(acme, () => createSecretBox({ keyProvider: provider, dataKeys: store }).seal('app-secret', place));
    const before = row()?.keyId;
    vault.rotate();
    expect(await runAsTenant(acme, () => createSecretBox({ keyProvider: provider, dataKeys: store }).open(sealed, place))).toBe('app-secret');
    expect(await runAsTenant(acme, () => rewrapDataKeys(store, provider))).toBe(1);
    expect(row()?.keyId).not.toBe(before);
    vault.decryptsFrom = 2;
    expect(await runAsTenant(acme, () => createSecretBox({ keyProvider: provider, dataKeys: store }).open(sealed, place))).toBe('app-secret');
  });

  it('makes what AWS wrapped before outdated when the alias means another key, and AWS opens both', async () => {
    const { store, row } = createMemoryStore();
    await runAsTenant(acme, () => createSecretBox({ keyProvider: kmsProvider(), dataKeys: store }).seal('app-secret', place));
    kms.alias = 'second';
    expect(await runAsTenant(acme, () => rewrapDataKeys(store, kmsProvider()))).toBe(1);
    expect(row()?.keyId).toMatch(/key\/second$/);
  });

  it('that AWS has disabled is worth trying later: it can be enabled again', async () => {
    const wrapped = await kmsProvider().wrap(randomBytes(32), acme);
    kms.disabled.add(wrapped.keyId.replace('aws-kms:', ''));
    await expect(kmsProvider().unwrap(wrapped, acme)).rejects.toMatchObject({ code: 'secret.provider_unavailable', detail: { reason: 'DisabledException' } });
    kms.disabled.clear();
  });
});

describe('the address of a key server', () => {
  it.each(['http://vault.example:8200', 'ftp://vault.example', 'vault.example', 'https://user:password@vault.example', 'https://vault.example/?token=x'])('is refused as %s', (address) => {
    expect(() => createVaultKeyProvider({ address, token: 'x', key: 'switchboard' })).toThrow(/VAULT_ADDR must be an https address/);
  });
});

/** `tenant_keys` of one tenant in memory. */
function createMemoryStore(): { store: DataKeyStore; row: () => WrappedDataKey | undefined } {
  let row: WrappedDataKey | undefined;
  const store: DataKeyStore = {
    find: async () => (row === undefined ? [] : [row]),
    insert: async (key) => (row ??= key),
    async replace(key, fromKeyId) {
      if (row?.keyId !== fromKeyId) return false;
      row = key;
      return true;
    },
    async destroy() {
      row = undefined;
    },
  };
  return { store, row: () => row };
}
