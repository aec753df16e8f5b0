import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TenantId } from '@switchboard/contracts';
import type { Database } from '@switchboard/db';
import { combineKeyProviders, createDataKeyStore, createPlatformBox, createPlatformSeal, createEnvKeyProvider, createSecretBox, createVaultKeyProvider, type KeyProvider, type SecretBox } from '@switchboard/secrets';
import { startStandInVault, type StandInVault } from '@switchboard/secrets/testing';
import { service as authService } from '@switchboard/auth-service';
import { prepareServices, type ServiceDefinition } from '@switchboard/service-kit';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, type TestDatabase } from '@switchboard/testing';
import { service as tenantService } from '@switchboard/tenant-service';
import { service as webhookIngest } from '@switchboard/webhook-ingest';
import { Client } from 'pg';
import { rotateDataKeys } from './rotate-data-keys.ts';
import { openServiceDatabase } from './service-databases.ts';

const services: readonly ServiceDefinition[] = [tenantService, webhookIngest, authService];
const sealing = [tenantService, webhookIngest].map((service): ServiceDefinition => service);
const tenants = Array.from({ length: 250 }, (_, index) => `tenant-${String(index).padStart(3, '0')}` as TenantId);
const place = { table: 'connections', column: 'credentials', row: 'con_1' };
const keks = Array.from({ length: 4 }, () => randomBytes(32).toString('hex'));
const kek = (...indexes: number[]) => indexes.map((index) => keks[index]).join(',');

let database: TestDatabase;
let admin: Client;
let databases: Database<unknown>[];
let vault: StandInVault;
const databaseUrlOf = (service: ServiceDefinition) => database.url(`switchboard_${service.database?.schema}`);
/** A service that has just started: no data key in its memory. */
const boxes = (keyProvider: KeyProvider): SecretBox[] => databases.map((db) => createSecretBox({ keyProvider, dataKeys: createDataKeyStore(db) }));
const signingKey = randomBytes(32);
const signingPlace = { table: 'signing_keys', column: 'wrapped', row: 'kid_1' };
/** Of the platform, as auth-service seals them. */
const ofPlatform = [
  { table: 'platform_issuers', id: 'issuer_id', place: { table: 'issuers', column: 'sealed_secret', row: 'iss_1' } },
  { table: 'staff_second_factors', id: 'member_id', place: { table: 'second_factors', column: 'sealed_secret', row: 'mbr_1' } },
];
const sealed = new Map<string, Buffer[]>();

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices(services, { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  admin = new Client({ connectionString: database.adminUrl });
  await admin.connect();
  databases = sealing.map((service) => openServiceDatabase(service, databaseUrlOf));
  vault = await startStandInVault();
  await admin.query(`insert into tenant.tenants (tenant_id, name, plan, rate_limit, metadata) select id, id, 'starter', 100, '{}' from unnest($1::text[]) id`, [tenants]);
  const { keyId, wrapped } = await createPlatformSeal(createEnvKeyProvider(kek(0))).seal(signingKey, signingPlace);
  await admin.query(`insert into auth.signing_keys (kid, public_jwk, wrapped_by, wrapped, created_at, signs_from) values ('kid_1', '{}', $1, $2, now(), now())`, [keyId, wrapped]);
  await admin.query(`insert into auth.staff (member_id, email, status) values ('mbr_1', 'staff@hub.example', 'active')`);
  await admin.query(`insert into auth.platform_issuers (issuer_id, issuer, audience, kind, algorithm, max_role) values ('iss_1', 'https://issuer.example', 'hub', 'hs256', 'HS256', 'agent')`);
  await admin.query(`insert into auth.staff_second_factors (member_id, status, sealed_secret, wrapped_by, wrapped, last_step) values ('mbr_1', 'active', '', '', '', 0)`);
  for (const { table, id, place: at } of ofPlatform) {
    const secret = await createPlatformBox(createEnvKeyProvider(kek(0))).seal(`secret of ${at.row}`, at);
    await admin.query(`update auth.${table} set sealed_secret = $2, wrapped_by = $3, wrapped = $4 where ${id} = $1`, [at.row, secret.sealed, secret.keyId, secret.wrapped]);
  }
  const [first, second] = boxes(createEnvKeyProvider(kek(0)));
  for (const tenantId of tenants) sealed.set(tenantId, await runAsTenant(tenantId, async () => [await first!.seal(`tenant of ${tenantId}`, place), await second!.seal(`ingest of ${tenantId}`, place)]));
}, 120_000);

afterAll(async () => {
  await Promise.all((databases ?? []).map((db) => db.close()));
  await admin?.end();
  await vault?.close();
  await database?.drop();
});

async function keyIds(): Promise<Record<string, number>> {
  const { rows } = await admin.query<{ key: string; count: number }>('select key_id as key, count(*)::int as count from (select key_id from tenant.tenant_keys union all select key_id from ingest.tenant_keys) k group by 1');
  return Object.fromEntries(rows.map(({ key, count }) => [key, count]));
}

async function expectAllOpen(keyProvider: KeyProvider): Promise<void> {
  const { rows } = await admin.query<{ keyId: string; wrapped: Buffer }>('select wrapped_by as "keyId", wrapped from auth.signing_keys');
  expect(await createPlatformSeal(keyProvider).open(rows[0]!, signingPlace)).toEqual(signingKey);
  for (const { table, place: at } of ofPlatform) {
    const secrets = await admin.query<{ sealed: Buffer; keyId: string; wrapped: Buffer }>(`select sealed_secret as sealed, wrapped_by as "keyId", wrapped from auth.${table}`);
    expect(await createPlatformBox(keyProvider).open(secrets.rows[0]!, at)).toBe(`secret of ${at.row}`);
  }
  const [first, second] = boxes(keyProvider);
  for (const [tenantId, [one, two]] of sealed) {
    await runAsTenant(tenantId as TenantId, async () => {
      expect([await first!.open(one!, place), await second!.open(two!, place)]).toEqual([`tenant of ${tenantId}`, `ingest of ${tenantId}`]);
    });
  }
}

const rotate = (keyProvider: KeyProvider) => rotateDataKeys({ services, databaseUrlOf, keyProvider, batch: 60, report: () => undefined });

describe('rotating the key-encryption key', () => {
  it('wraps every data key of every service and every secret of the platform anew while services seal and open, and changes nothing when run again', async () => {
    const both = createEnvKeyProvider(kek(1, 0));
    let isOver = false;
    const traffic = (async () => {
      for (let round = 0; !isOver; round++) {
        const tenantId = tenants[(round * 37) % tenants.length]!;
        const [box] = boxes(both);
        const [old] = sealed.get(tenantId) ?? [];
        await runAsTenant(tenantId, async () => {
          expect(await box!.open(old!, place)).toBe(`tenant of ${tenantId}`);
          expect(await box!.open(await box!.seal('fresh', place), place)).toBe('fresh');
        });
      }
    })();
    expect(await rotate(both)).toEqual([{ schema: 'tenant', rewrapped: 250, failed: [] }, { schema: 'ingest', rewrapped: 250, failed: [] }, { schema: 'auth', rewrapped: 3, failed: [] }]);
    isOver = true;
    await traffic;
    expect(await rotate(both)).toEqual([{ schema: 'tenant', rewrapped: 0, failed: [] }, { schema: 'ingest', rewrapped: 0, failed: [] }, { schema: 'auth', rewrapped: 0, failed: [] }]);
    await expectAllOpen(createEnvKeyProvider(kek(1)));
  }, 120_000);

  it('killed in the middle, goes on where it was when it is started again', async () => {
    const environment = { ...process.env, DATABASE_ADMIN_URL: database.adminUrl, KEY_ENCRYPTION_KEY: kek(2, 1), ...Object.fromEntries(sealing.map(({ database: own }) => [`SWITCHBOARD_${own?.schema.toUpperCase()}_DATABASE_URL`, database.url(`switchboard_${own?.schema}`)])) };
    const script = () => spawn(process.execPath, ['--disable-warning=ExperimentalWarning', new URL('../test/rotate-two-services.ts', import.meta.url).pathname], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const killed = script();
    let lines = '';
    killed.stdout.on('data', (chunk: Buffer) => {
      lines += chunk.toString();
      if (lines.includes('tenant: 60 tenants')) killed.kill('SIGKILL');
    });
    const [, signal] = await once(killed, 'exit');
    expect(signal).toBe('SIGKILL');
    const between = Object.values(await keyIds()).toSorted((a, b) => a - b);
    expect(between).toHaveLength(2);
    await expectAllOpen(createEnvKeyProvider(kek(2, 1)));

    const [tenant, ingest] = await rotate(createEnvKeyProvider(kek(2, 1)));
    expect(tenant!.rewrapped).toBeLessThanOrEqual(190);
    expect(tenant!.rewrapped + ingest!.rewrapped).toBe(500 - between[0]!);
    expect(Object.values(await keyIds())).toEqual([500]);
    await expectAllOpen(createEnvKeyProvider(kek(2)));
  }, 120_000);

  it('is refused where it does not know what a table has wrapped', async () => {
    await admin.query('create table auth.newer_secrets (id text primary key, wrapped_by text, wrapped bytea)');
    await expect(rotate(createEnvKeyProvider(kek(2)))).rejects.toThrow('newer_secrets');
    await admin.query('drop table auth.newer_secrets');
  }, 60_000);

  it('done by two at once wraps each key once', async () => {
    const both = createEnvKeyProvider(kek(3, 2));
    const results = await Promise.all([rotate(both), rotate(both)]);
    expect(results.flat().reduce((sum, { rewrapped }) => sum + rewrapped, 0)).toBe(503);
    await expectAllOpen(createEnvKeyProvider(kek(3)));
  }, 120_000);

  it('moves from the environment to Vault, stops when Vault goes away, and says which data key it cannot unwrap', async () => {
    const remote = createVaultKeyProvider({ address: vault.url, token: vault.token, key: 'switchboard', answerMsMax: 500 });
    const both = combineKeyProviders(remote, [createEnvKeyProvider(kek(3))]);
    let wraps = 0;
    const sealsAfterHundred: KeyProvider = {
      ...both,
      wrap: (dataKey, tenantId) => {
        wraps += 1;
        if (wraps === 100) vault.fault = { status: 503, json: { errors: ['Vault is sealed'] } };
        return both.wrap(dataKey, tenantId);
      },
    };
    await expect(rotate(sealsAfterHundred)).rejects.toMatchObject({ code: 'secret.provider_unavailable' });
    vault.fault = undefined;
    await expectAllOpen(both);

    // Its key is lost, and another tenant's is put in its place.
    await admin.query(`update tenant.tenant_keys set wrapped = (select wrapped from tenant.tenant_keys where tenant_id = $2), key_id = (select key_id from tenant.tenant_keys where tenant_id = $2) where tenant_id = $1`, [tenants[249], tenants[248]]);
    const results = await rotate(both);
    expect(results[0]!.failed.map(({ of }) => of)).toEqual(['tenant-249']);
    expect(results[1]!.failed).toEqual([]);
    sealed.delete(tenants[249]!);
    await expectAllOpen(remote);
    expect(Object.keys(await keyIds())).toContain('vault:transit/switchboard:v1');
  }, 120_000);
});
