import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { TenantId } from '@switchboard/contracts';
import { createDatabase, migrate, provision } from '@switchboard/db';
import { runAsTenant, runWithActor } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, type TestDatabase } from '@switchboard/testing';
import { createAuditReader, exportLengthMax, type AuditVerdict } from './audit-reader.ts';
import { createAudit, type AuditEntry } from './audit.ts';
import type { TenantDatabase } from './client.ts';
import { PrismaClient } from './generated/client.ts';

const schema = { service: 'tenant-service', schema: 'tenant', prismaDirectory: new URL('../../prisma/', import.meta.url) };
const oldId = (tenant: number, row: number) => `aud_0000000000000000000000${tenant}${row}00`;

let database: TestDatabase;
let db: TenantDatabase;
let admin: TenantDatabase['sql'];
let closeAdmin: () => Promise<void>;
let acme: TenantId;
let globex: TenantId;
let count = 0;

beforeAll(async () => {
  database = await startTestDatabase();
  await provision({ adminUrl: database.adminUrl, services: [schema], rolePassword: testRolePassword });
  await migrateFromBeforeTheChain();
  db = createDatabase({ url: database.url('switchboard_tenant'), schema: 'tenant', connectionsMax: 12, createClient: (adapter) => new PrismaClient({ adapter }) });
}, 60_000);
afterAll(async () => {
  await db?.close();
  await closeAdmin?.();
  await database?.drop();
});
beforeEach(async () => {
  count += 1;
  acme = `acme-${count}` as TenantId;
  globex = `globex-${count}` as TenantId;
  for (const tenantId of [acme, globex]) await admin.query(`insert into tenant.tenants (tenant_id, name, plan, rate_limit, metadata) values ($1, $1, 'starter', 100, '{}')`, [tenantId]);
});

/** As an installation that is older than the chain: its migrations, then rows, then this version's. */
async function migrateFromBeforeTheChain(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-old-'));
  try {
    cpSync(fileURLToPath(schema.prismaDirectory), folder, { recursive: true });
    for (const name of readdirSync(join(folder, 'migrations'))) if (/^\d{14}_/.test(name) && name >= '20261121212000') rmSync(join(folder, 'migrations', name), { recursive: true });
    await migrate({ adminUrl: database.adminUrl, service: { ...schema, prismaDirectory: pathToFileURL(`${folder}/`) } });
  } finally {
    rmSync(folder, { recursive: true });
  }
  // A superuser's session, for looking and for tampering.
  const superuser = createDatabase({ url: database.adminUrl, schema: 'tenant', systemRole: 'postgres', connectionsMax: 2, createClient: (adapter) => new PrismaClient({ adapter }) });
  closeAdmin = () => superuser.close();
  admin = { query: (text, values) => runAsTenant('superuser' as TenantId, () => superuser.transaction(() => superuser.sql.query(text, values))), enqueue: () => undefined };
  for (const tenant of [1, 2]) {
    await admin.query(`insert into tenant.tenants (tenant_id, name, plan, rate_limit, metadata) values ($1, $1, 'starter', 100, '{}')`, [`old-${tenant}`]);
    for (const row of [3, 1, 2]) {
      await admin.query(`insert into tenant.audit_entries (tenant_id, audit_id, actor, action, subject, facts) values ($1, $2, $3, 'routes.changed', 'Zürich', '{"routes": 1, "b": [1.50, null], "a": "ü\\u0001"}')`, [`old-${tenant}`, oldId(tenant, row), row === 2 ? 'hub' : 'admin']);
    }
  }
  await migrate({ adminUrl: database.adminUrl, service: schema });
}

function append(tenantId: TenantId, ...entries: readonly Partial<AuditEntry>[]): Promise<void> {
  return runAsTenant(tenantId, () =>
    db.transaction(async () => {
      for (const entry of entries) await createAudit(db).append({ action: 'plan.changed', subject: 'ten_1', ...entry });
    }),
  );
}
const verify = (tenantId: TenantId, expected?: AuditVerdict['head']) => runAsTenant(tenantId, () => createAuditReader(db).verify(expected));
const list = (tenantId: TenantId) => runAsTenant(tenantId, () => createAuditReader(db).list({}, 100, undefined));
const seven = async (tenantId: TenantId) => {
  for (let index = 1; index <= 7; index++) await append(tenantId, { facts: { index } });
};

describe('the audit chain', () => {
  it('is whole after many changes at once, without a gap, each tenant\'s its own', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, index) => append(index % 4 === 0 ? globex : acme, { facts: { index } }, { facts: { again: index } })));
    expect(await verify(acme)).toMatchObject({ entries: 60, head: { sequence: 60 }, fault: undefined });
    expect(await verify(globex)).toMatchObject({ entries: 20, fault: undefined });
    expect((await list(acme)).map(({ sequence }) => sequence)).toEqual(Array.from({ length: 60 }, (_, index) => 60 - index));
  });

  it('loses nothing of a change that was rolled back, and has nothing of it', async () => {
    await append(acme, {});
    await expect(
      runAsTenant(acme, () =>
        db.transaction(async () => {
          await createAudit(db).append({ action: 'plan.changed', subject: 'never' });
          await db.sql.query('select 1');
          throw new Error('not after all');
        }),
      ),
    ).rejects.toThrow('not after all');
    await append(acme, {});
    expect(await verify(acme)).toMatchObject({ entries: 2, fault: undefined });
  });

  it('makes changes of one tenant wait for each other, and of another tenant not', async () => {
    let isReleased = false;
    const slow = runAsTenant(acme, () =>
      db.transaction(async () => {
        await createAudit(db).append({ action: 'plan.changed', subject: 'slow' });
        await db.sql.query('select 1');
        await sleep(400);
        isReleased = true;
      }),
    );
    await sleep(100);
    await append(globex, {});
    expect(isReleased).toBe(false);
    await append(acme, { subject: 'quick' });
    expect(isReleased).toBe(true);
    await slow;
    expect((await list(acme)).map(({ subject }) => subject)).toEqual(['quick', 'slow']);
  });

  it('goes on while it is verified', async () => {
    await seven(acme);
    const writing = Promise.all(Array.from({ length: 20 }, () => append(acme, {})));
    for (let round = 0; round < 10; round++) expect((await verify(acme)).fault).toBeUndefined();
    await writing;
    expect(await verify(acme)).toMatchObject({ entries: 27, fault: undefined });
  });

  it('is exported in pieces of a few megabytes, however large its entries and the piece that is asked for', async () => {
    const large = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`field ${index}`, 'x'.repeat(2_000)]));
    await append(acme, ...Array.from({ length: 120 }, () => ({ before: large, after: large, facts: large })));
    const piece = (after: number, limit = 10_000) => runAsTenant(acme, () => createAuditReader(db).exportAfter(after, limit));
    const sequences: number[] = [];
    for (let text = await piece(0); text !== ''; text = await piece(sequences.at(-1) ?? 0)) {
      expect(text.length).toBeLessThan(exportLengthMax + 100_000);
      sequences.push(...text.trimEnd().split('\n').map((line) => (JSON.parse(line) as { sequence: number }).sequence));
    }
    expect(sequences).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
    expect((await piece(3, 2)).trimEnd().split('\n')).toHaveLength(2);
    expect(await verify(acme)).toMatchObject({ entries: 120, fault: undefined });
  });

  it('was made of the entries of older installations too, in their order', async () => {
    const old = 'old-1' as TenantId;
    expect(await verify(old)).toMatchObject({ entries: 3, fault: undefined });
    expect((await list(old)).map(({ id, sequence, actor }) => [id, sequence, actor])).toEqual([
      [oldId(1, 3), 3, { kind: 'admin', subject: 'admin-key' }],
      [oldId(1, 2), 2, { kind: 'hub', subject: 'hub' }],
      [oldId(1, 1), 1, { kind: 'admin', subject: 'admin-key' }],
    ]);
    await append(old, {});
    expect(await verify(old)).toMatchObject({ entries: 4, fault: undefined });
    expect(await verify('old-2' as TenantId)).toMatchObject({ entries: 3, fault: undefined });
  });
});

describe('an entry that a superuser', () => {
  const tampering: readonly [string, string, object][] = [
    ['changed', `update tenant.audit_entries set action = 'nothing.happened' where tenant_id = $1 and sequence = 4`, { sequence: 4, fault: 'changed' }],
    ['changed by a microsecond', `update tenant.audit_entries set at = at + interval '1 microsecond' where tenant_id = $1 and sequence = 4`, { sequence: 4, fault: 'changed' }],
    ['changed in its facts', `update tenant.audit_entries set facts = '{"index": 40}' where tenant_id = $1 and sequence = 4`, { sequence: 4, fault: 'changed' }],
    ['changed, hash and all', `update tenant.audit_entries e set action = 'x.y', hash = tenant.audit_hash((select r from (select e.tenant_id, e.audit_id, e.at, e.actor, 'x.y'::text, e.subject, e.facts, e.actor_subject, e.after, e.before, e.from_address, e.hash, e.previous_hash, e.sequence) v, lateral (select (v.*)::tenant.audit_entries as r) l)) where tenant_id = $1 and sequence = 4`, { sequence: 5, fault: 'unlinked' }],
    ['deleted', 'delete from tenant.audit_entries where tenant_id = $1 and sequence = 4', { sequence: 4, fault: 'missing' }],
    ['cut off the end', 'delete from tenant.audit_entries where tenant_id = $1 and sequence > 5', { sequence: 6, fault: 'missing' }],
    ['deleted with all others', 'delete from tenant.audit_entries where tenant_id = $1', { sequence: 1, fault: 'missing' }],
    ['moved', `update tenant.audit_entries set sequence = case sequence when 3 then 104 else 103 end where tenant_id = $1 and sequence in (3, 4)`, { sequence: 3, fault: 'missing' }],
    ['gave to another tenant', `update tenant.audit_entries set tenant_id = 'someone-else' where tenant_id = $1 and sequence = 2`, { sequence: 2, fault: 'missing' }],
    ['freed of its head', 'delete from tenant.audit_heads where tenant_id = $1', { sequence: 1, fault: 'surplus' }],
    ['put behind the head', `update tenant.audit_heads set sequence = 5, hash = (select hash from tenant.audit_entries e where e.tenant_id = $1 and e.sequence = 5) where tenant_id = $1`, { sequence: 6, fault: 'surplus' }],
  ];
  it.each(tampering)('%s is found', async (_what, statement, fault) => {
    await seven(acme);
    await seven(globex);
    await admin.query(statement, [acme]);
    expect((await verify(acme)).fault).toMatchObject(fault);
    expect((await verify(globex)).fault).toBeUndefined();
  });

  it('cut off the end together with the head is found by who kept the head elsewhere', async () => {
    await seven(acme);
    const { head } = await verify(acme);
    await admin.query('delete from tenant.audit_entries where tenant_id = $1 and sequence > 5', [acme]);
    await admin.query('update tenant.audit_heads set sequence = 5, hash = (select hash from tenant.audit_entries e where e.tenant_id = $1 and e.sequence = 5) where tenant_id = $1', [acme]);
    expect((await verify(acme)).fault).toBeUndefined();
    expect((await verify(acme, head)).fault).toEqual({ sequence: 6, auditId: null, fault: 'missing' });
    await append(acme, { subject: 'another' }, { subject: 'history' });
    expect((await verify(acme, head)).fault).toMatchObject({ sequence: 7, fault: 'changed' });
  });
});

describe('the service itself', () => {
  it.each([
    ['change an entry', "update audit_entries set actor = 'nobody'"],
    ['delete one', 'delete from audit_entries'],
    ['move the head', 'update audit_heads set sequence = 0'],
    ['make a head', "insert into audit_heads values (current_setting('app.tenant_id'), 0, 'x')"],
    ['erase the audit of a tenant that lives', 'select tenant.erase_audit()'],
  ])('cannot %s', async (_what, statement) => {
    await append(acme, {});
    await expect(runAsTenant(acme, () => db.transaction(() => db.sql.query(statement)))).rejects.toThrow(/permission denied|cannot be erased/);
  });

  it('cannot say itself which number or hash an entry has', async () => {
    await append(acme, {});
    await runAsTenant(acme, () =>
      db.transaction(() => db.sql.query(`insert into audit_entries (tenant_id, audit_id, actor, action, subject, facts, sequence, previous_hash, hash) values (current_setting('app.tenant_id'), 'aud_x', 'admin', 'a.b', 'c', '{}', 77, 'x', 'y')`)),
    );
    expect(await verify(acme)).toMatchObject({ entries: 2, fault: undefined });
  });

  it('erases the audit of a deleted tenant whole, says what there was, and leaves the others\'', async () => {
    await seven(acme);
    await seven(globex);
    const { head } = await verify(acme);
    await admin.query(`update tenant.tenants set status = 'deleted' where tenant_id = $1`, [acme]);
    expect(await runAsTenant(acme, () => createAudit(db).erase())).toEqual({ entries: 7, hash: head.hash });
    expect(await list(acme)).toEqual([]);
    expect(await verify(globex)).toMatchObject({ entries: 7, fault: undefined });
    expect(await runAsTenant(acme, () => createAudit(db).erase())).toEqual({ entries: 0, hash: null });
  });
});

describe('an entry', () => {
  it('says who, from where, and what it was before and after, without the secrets among it', async () => {
    const member = { kind: 'member', subject: 'mbr_1', from: '203.0.113.7' } as const;
    const credentials = { appSecret: 'app-secret-in-the-clear', accessToken: 'EAAG-in-the-clear', phoneNumberId: '7001' };
    await runWithActor(member, () => append(acme, { action: 'connection.updated', subject: 'con_1', before: { credentials, label: 'Old' }, after: { ...credentials, label: 'New' }, facts: { key: `sk_${'a1'.repeat(20)}` } }));
    const [entry] = await list(acme);
    expect(entry).toMatchObject({ actor: { kind: 'member', subject: 'mbr_1' }, from: '203.0.113.7', before: { label: 'Old' }, after: { label: 'New', phoneNumberId: '7001' }, facts: { key: '[secret]' } });
    const [row] = await admin.query<{ row: string }>('select e::text as row from tenant.audit_entries e where tenant_id = $1', [acme]);
    expect(row!.row).not.toMatch(/in-the-clear|sk_a1/);
  });

  it('is the hub\'s where nobody called, and where the hub acts by itself within somebody\'s call', async () => {
    await append(acme, {}, { actor: 'admin' });
    await runWithActor({ kind: 'key', subject: 'key_1', from: '203.0.113.8' }, () => append(acme, { actor: 'hub' }, { actor: 'admin' }, {}));
    expect((await list(acme)).map(({ actor, from }) => [actor.subject, from]).toReversed()).toEqual([['hub', null], ['admin-key', null], ['hub', null], ['key_1', '203.0.113.8'], ['key_1', '203.0.113.8']]);
  });
});
