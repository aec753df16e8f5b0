import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TenantId } from '@switchboard/contracts';
import { runtimeUrl } from '@switchboard/db';
import { holdExclusively, startPostgres, type EmbeddedPostgres } from '@switchboard/db/embedded';
import { createDataKeyStore, createEnvKeyProvider, createSecretBox } from '@switchboard/secrets';
import { prepareServices } from '@switchboard/service-kit';
import { runAsTenant } from '@switchboard/tenant-context';
import { service as tenantService } from '@switchboard/tenant-service';
import { Client } from 'pg';
import { openInstallation } from './installation.ts';
import { openServiceDatabase } from './service-databases.ts';
import { services } from './services.ts';

const acme = 'acme' as TenantId;
const place = { table: 'connections', column: 'credentials', row: 'con_1' };
let home: string;
let postgres: EmbeddedPostgres;
let release: () => Promise<void>;
let sealed: Buffer;

/** An installation that runs, as far as the commands can tell: its Postgres, and the lock that says whose it is. */
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'switchboard-home-'));
  const password = openInstallation(home, undefined).secrets.databasePassword;
  postgres = await startPostgres({ directory: join(home, 'postgres'), durable: false });
  const held = await holdExclusively(postgres.adminUrl);
  if (held === false) throw new Error('a fresh server is held by somebody');
  release = held;
  await prepareServices(services, { adminUrl: postgres.adminUrl, driver: 'embedded', rolePassword: () => password });
  await asAdmin(`insert into tenant.tenants (tenant_id, name, plan, rate_limit, metadata) values ('acme', 'Acme', 'starter', 100, '{}')`);
  await asAdmin(`begin; set local app.tenant_id = 'acme'; insert into tenant.audit_entries (tenant_id, audit_id, actor, action, subject, facts) values ('acme', 'aud_1', 'admin', 'a.b', 'c', '{}'), ('acme', 'aud_2', 'admin', 'a.b', 'd', '{}'); commit`);
  sealed = await withBox((box) => box.seal('app-secret', place));
}, 180_000);
afterAll(async () => {
  await release?.();
  await postgres?.stop();
  rmSync(home, { recursive: true, force: true });
}, 60_000);

/** A service that has just started with the key that lies in the installation's folder. */
async function withBox<T>(work: (box: ReturnType<typeof createSecretBox>) => Promise<T>): Promise<T> {
  const { databasePassword, keyEncryptionKey } = openInstallation(home, undefined).secrets;
  const db = openServiceDatabase(tenantService, () => runtimeUrl(postgres.adminUrl, 'switchboard_tenant', databasePassword));
  try {
    return await runAsTenant(acme, () => work(createSecretBox({ keyProvider: createEnvKeyProvider(keyEncryptionKey), dataKeys: createDataKeyStore(db) })));
  } finally {
    await db.close();
  }
}

async function asAdmin(statement: string): Promise<void> {
  const client = new Client({ connectionString: postgres.adminUrl });
  await client.connect();
  await client.query(statement);
  await client.end();
}

async function run(script: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const { DATABASE_ADMIN_URL: _adminUrl, ...environment } = process.env;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', `scripts/${script}.ts`, ...args], { cwd: new URL('../../../', import.meta.url).pathname, env: { ...environment, SWITCHBOARD_HOME: home }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number]; // the event's first argument
  return { code, output };
}

describe('the commands of an installation', () => {
  it('rotate its key-encryption key while it runs, as the runbook says', async () => {
    const file = join(home, 'key-encryption-key');
    const old = readFileSync(file, 'utf8');
    const fresh = randomBytes(32).toString('base64');
    writeFileSync(file, `${fresh}\n${old}`);
    const { code, output } = await run('secrets-rotate');
    expect([code, output]).toEqual([0, expect.stringContaining('tenant: 1 wrapped anew, 0 not readable')]);
    expect(output).not.toContain(fresh);
    expect((await run('secrets-rotate')).output).toContain('tenant: 0 wrapped anew, 0 not readable');

    writeFileSync(file, `${fresh}\n`);
    expect(await withBox((box) => box.open(sealed, place))).toBe('app-secret');
    writeFileSync(file, old);
    expect(await run('secrets-rotate')).toEqual({ code: 1, output: expect.stringContaining('the key of acme cannot be unwrapped: unknown key-encryption key') });
    writeFileSync(file, `${fresh}\n`);
  }, 180_000);

  it('verify its audit, print its heads, and name the entry that was changed', async () => {
    const { code, output } = await run('audit-verify', '--tenant', 'acme');
    expect([code, output]).toEqual([0, expect.stringContaining('1 tenants, 2 good entries, 0 broken chains')]);
    const head = /^acme (2:[0-9a-f]{64})$/m.exec(output)?.[1];
    expect(await run('audit-verify', '--tenant', 'acme', '--expect', head ?? '')).toMatchObject({ code: 0 });
    await asAdmin(`update tenant.audit_entries set subject = 'x' where sequence = 2`);
    expect(await run('audit-verify')).toEqual({ code: 1, output: expect.stringContaining('acme: entry 2 (aud_2) was changed; 1 entries before it are good') });
    expect(await run('audit-verify', '--expect', 'nonsense')).toEqual({ code: 1, output: expect.stringContaining('--expect wants') });
  }, 180_000);

  it('start its database when it does not run, and stop it again', async () => {
    await release();
    await postgres.stop();
    expect((await run('secrets-rotate')).output).toContain('tenant: 0 wrapped anew, 0 not readable');
    await expect(asAdmin('select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  }, 180_000);

  it('say where they looked when there is none, and make none', async () => {
    const before = home;
    home = join(home, 'nowhere');
    expect(await run('secrets-rotate')).toEqual({ code: 1, output: expect.stringContaining('There is no installation in') });
    expect(existsSync(home)).toBe(false);
    home = before;
  }, 60_000);
});
