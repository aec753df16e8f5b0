import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TenantId } from '@switchboard/contracts';
import { runtimeUrl } from '@switchboard/db';
import { startPostgres } from '@switchboard/db/embedded';
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
let sealed: Buffer;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'switchboard-home-'));
  sealed = await withPostgres(async (adminUrl, password) => {
    await prepareServices(services, { adminUrl, driver: 'embedded', rolePassword: () => password });
    await asAdmin(adminUrl, `insert into tenant.tenants (tenant_id, name, plan, rate_limit, metadata) values ('acme', 'Acme', 'starter', 100, '{}')`);
    await asAdmin(adminUrl, `begin; set local app.tenant_id = 'acme'; insert into tenant.audit_entries (tenant_id, audit_id, actor, action, subject, facts) values ('acme', 'aud_1', 'admin', 'a.b', 'c', '{}'), ('acme', 'aud_2', 'admin', 'a.b', 'd', '{}'); commit`);
    return await withBox(adminUrl, password, (box) => box.seal('app-secret', place));
  });
}, 120_000);
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The database of the installation, which is stopped before and after. */
async function withPostgres<T>(work: (adminUrl: string, password: string) => Promise<T>): Promise<T> {
  const { secrets } = openInstallation(home, undefined);
  const postgres = await startPostgres({ directory: join(home, 'postgres') });
  try {
    return await work(postgres.adminUrl, secrets.databasePassword);
  } finally {
    await postgres.stop();
  }
}

async function withBox<T>(adminUrl: string, password: string, work: (box: ReturnType<typeof createSecretBox>) => Promise<T>): Promise<T> {
  const db = openServiceDatabase(tenantService, () => runtimeUrl(adminUrl, 'switchboard_tenant', password));
  try {
    const keyProvider = createEnvKeyProvider(readFileSync(join(home, 'key-encryption-key'), 'utf8'));
    return await runAsTenant(acme, () => work(createSecretBox({ keyProvider, dataKeys: createDataKeyStore(db) })));
  } finally {
    await db.close();
  }
}

async function asAdmin(adminUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
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

describe('the commands of an installation that is not running', () => {
  it('rotate its key-encryption key, as the runbook says', async () => {
    const file = join(home, 'key-encryption-key');
    const old = readFileSync(file, 'utf8');
    const fresh = randomBytes(32).toString('base64');
    writeFileSync(file, `${fresh}\n${old}`);
    const { code, output } = await run('secrets-rotate');
    expect([code, output]).toEqual([0, expect.stringContaining('tenant: 1 wrapped anew, 0 not readable')]);
    expect(output).not.toContain(fresh);
    expect((await run('secrets-rotate')).output).toContain('tenant: 0 wrapped anew, 0 not readable');

    writeFileSync(file, `${fresh}\n`);
    expect(await withPostgres((adminUrl, password) => withBox(adminUrl, password, (box) => box.open(sealed, place)))).toBe('app-secret');

    writeFileSync(file, old);
    expect(await run('secrets-rotate')).toEqual({ code: 1, output: expect.stringContaining('the key of acme cannot be unwrapped: unknown key-encryption key') });
    writeFileSync(file, `${fresh}\n`);
  }, 120_000);

  it('verify its audit, print its heads, and name the entry that was changed', async () => {
    expect(await run('audit-verify')).toEqual({ code: 0, output: expect.stringContaining('1 tenants, 2 good entries, 0 broken chains') });
    const { output } = await run('audit-verify', '--tenant', 'acme');
    const head = /^acme (2:[0-9a-f]{64})$/m.exec(output)?.[1];
    expect(await run('audit-verify', '--tenant', 'acme', '--expect', head ?? '')).toMatchObject({ code: 0 });
    await withPostgres((adminUrl) => asAdmin(adminUrl, `update tenant.audit_entries set subject = 'x' where sequence = 2`));
    expect(await run('audit-verify')).toEqual({ code: 1, output: expect.stringContaining('acme: entry 2 (aud_2) was changed; 1 entries before it are good') });
    expect(await run('audit-verify', '--expect', 'nonsense')).toEqual({ code: 1, output: expect.stringContaining('--expect wants') });
  }, 120_000);
});
