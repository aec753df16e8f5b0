import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { servicesWithTenantRows, tenantIdSchema, type EraseReceipt } from '@switchboard/contracts';
import { isTenantTable, readTables, sampleRow } from '@switchboard/db/testing';
import { prepareServices, startService, type RunningService } from '@switchboard/service-kit';
import { adminHeaders, keyHeaders, testEnvironment } from '@switchboard/service-kit/testing';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { variablePrefix } from '../src/service-environment.ts';
import { services } from '../src/services.ts';

const [stays] = testTenants;
const leaves = tenantIdSchema.parse('leaving-tenant');
/** More than a batch of deleting holds. */
const messages = 5_000;
const withRows = services.filter(({ database }) => database !== undefined);

let database: TestDatabase;
let admin: Client;
let mediaDir: string;
const running = new Map<string, RunningService>();

beforeAll(async () => {
  database = await startTestDatabase();
  mediaDir = await mkdtemp(join(tmpdir(), 'switchboard-erase-'));
  await prepareServices(withRows, { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  admin = new Client({ connectionString: database.adminUrl });
  await admin.connect();
  const urls: Record<string, string> = {};
  for (const definition of withRows) {
    const service = await startService(
      definition,
      testEnvironment({
        ...urls,
        DATABASE_URL: database.url(`switchboard_${definition.database?.schema}`),
        BUS_DATABASE_URL: database.url('switchboard_bus'),
        API_KEY_PEPPER: 'pepper of the tests, 32 characters and more',
        MEDIA_URL_SECRET: 'media secret of the tests, 32 characters and more',
        MEDIA_DIR: mediaDir,
      }),
    );
    running.set(definition.name, service);
    urls[`${variablePrefix(definition.name)}_URL`] = service.url;
  }
  for (const tenantId of [stays, leaves]) {
    await call('POST', '/tenants', { tenantId, name: 'A tenant' });
    await fillEverything(tenantId);
  }
}, 120_000);

afterAll(async () => {
  for (const service of [...running.values()].toReversed()) await service.stop();
  await admin?.end();
  await database?.drop();
  await rm(mediaDir, { recursive: true, force: true });
});

async function call(method: string, path: string, body?: unknown, service = 'tenant-service', headers = adminHeaders()): Promise<{ status: number; json: unknown }> {
  const response = await fetch(`${running.get(service)?.url}${path}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}

/** A row in every table of every service, thousands in one, events in every state on the bus, and a file. */
async function fillEverything(tenantId: string): Promise<void> {
  // Columns that are read as what they are while the tenant is erased.
  const words: Readonly<Record<string, string>> = { provider: "'whatsapp'", role: "'channel'", connection_id: `'con_' || md5('${tenantId}')` };
  // Rows that a foreign key or a trigger asks for are of no interest here.
  await admin.query('set session_replication_role = replica');
  for (const { database: own } of withRows) {
    if (own === undefined) continue;
    for (const table of (await readTables(admin, own.schema)).filter(isTenantTable)) {
      const ofType = (wanted: string) => table.columns.filter(({ type, isRequired }) => isRequired && type === wanted);
      const texts = ofType('text').map(({ name }) => [name, words[name] ?? `'x ${tenantId}'`]);
      // To come: what is past, the clock takes away by itself.
      const times = ofType('timestamp with time zone').map(({ name }) => [name, `now() + interval '1 day'`]);
      const unique: Record<string, string> = Object.fromEntries([...texts, ...times]);
      if (await isEmptyFor(`${own.schema}."${table.name}"`, tenantId)) await admin.query(sampleRow(own.schema, table, tenantId, unique));
    }
  }
  await admin.query(
    `insert into state.messages (tenant_id, message_id, conversation_id, position, direction, author, kind, content, sent_at)
     select $1, 'msg_' || n, 'cnv_1', n + 10, 'inbound', 'contact', 'text', '{}', now() from generate_series(1, ${messages}) n`,
    [tenantId],
  );
  await admin.query('set session_replication_role = origin');
  for (const { name } of withRows) {
    const envelope = JSON.stringify({ type: 'message.received', tenantId });
    await admin.query(`insert into bus.inbox (tenant_id, consumer_group, event_id) values ($1, $2, 'evt_handled')`, [tenantId, name]);
    await admin.query(`insert into bus.dead_letters (tenant_id, id, consumer_group, ordering_key, envelope, error_code, error_message, attempts) values ($1, 'dlq_' || $2, $2, 'k', $3, 'internal', 'x', 1)`, [tenantId, name, envelope]);
    await admin.query(`insert into bus.pending_events (tenant_id, consumer_group, ordering_key, envelope, retry_at) values ($1, $2, 'k', $3, now() + interval '1 day')`, [tenantId, name, envelope]);
  }
  await mkdir(join(mediaDir, tenantId, 'ab'), { recursive: true });
  await writeFile(join(mediaDir, tenantId, 'ab', 'abcd'), 'a picture');
}

async function isEmptyFor(table: string, tenantId: string): Promise<boolean> {
  return (await admin.query(`select from ${table} where tenant_id = $1 limit 1`, [tenantId])).rowCount === 0;
}

/** Rows that show an id anywhere, by table, over every schema there is; the receipts apart, which are there to name it. */
async function rowsNaming(tenantId: string): Promise<Record<string, number>> {
  const { rows: tables } = await admin.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema') and (table_schema, table_name) <> ('tenant', 'erasures')`,
  );
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const { rows } = await admin.query<{ count: number }>(`select count(*)::int as count from ${name} r where strpos(r::text, $1) > 0`, [tenantId]);
    if ((rows[0]?.count ?? 0) > 0) counts[name] = rows[0]?.count ?? 0;
  }
  return counts;
}

const receipt = async () => (await call('GET', `/tenants/${leaves}/erase-receipt`)).json as EraseReceipt;

/** The clock strikes now. */
const strike = () => admin.query("select bus_worker.add_job('tenant:erase-tenants')");

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; !(await isSo()); await sleep(50)) if (Date.now() > end) throw new Error('it did not come to pass within 30 s');
}

/** As it would come from a topic once more: an event of before the erasing. */
async function redeliver(type: string, payload: object, eventId = 'evt_00000000000000000000000001', occurredAt = '2026-01-01T00:00:00.000Z'): Promise<void> {
  await admin.query('select bus.publish($1)', [JSON.stringify([{ eventId, type, version: 1, tenantId: leaves, occurredAt, orderingKey: 'late', payload }])]);
}

describe('erasing a tenant', () => {
  it('is the business of every service that has a database', () => {
    expect(withRows.map(({ name }) => name).toSorted()).toEqual(servicesWithTenantRows.toSorted());
  });

  it('leaves no row with its id in any table of any schema, and every row of the other tenant', async () => {
    const before = await rowsNaming(stays);
    expect(Object.keys(before).length).toBeGreaterThan(30);
    expect(Object.keys(await rowsNaming(leaves)).toSorted()).toEqual(Object.keys(before).toSorted());

    await call('DELETE', `/tenants/${leaves}?graceHours=0`);
    // The credentials of a made-up connection cannot be opened: after some tries it goes nevertheless.
    await until(async () => {
      await strike();
      return (await admin.query('select from tenant.erasures where disconnected_at is not null')).rowCount === 1;
    });
    expect(await receipt()).toMatchObject({ completedAt: null, webhooks: [{ outcome: 'failed' }], missing: servicesWithTenantRows });
    await admin.query(`update tenant.erasures set disconnected_at = disconnected_at - interval '2 minutes'`);
    await strike();
    await until(async () => (await receipt()).missing?.join() === 'tenant-service');

    // Told again: each service says the same again, and no row is counted twice.
    const told = await receipt();
    await admin.query(`update tenant.erasures set told_at = told_at - interval '2 hours', receipts = receipts - 'state-manager'`);
    await strike();
    await until(async () => (await receipt()).missing.length === 1);
    expect(rowsOf(await receipt())).toEqual(rowsOf(told));

    await strike();
    await until(async () => (await receipt()).completedAt !== null);
    expect(await rowsNaming(leaves)).toEqual({});
    expect(await readdir(mediaDir)).toEqual([stays]);
    const after = await rowsNaming(stays);
    // What the clock does meanwhile is its own affair.
    expect({ ...after, 'bus.broadcasts': 0 }).toEqual({ ...before, 'bus.broadcasts': 0 });
  }, 120_000);

  it('says in its receipt what went where, also when it broke off and was repeated', async () => {
    const { services: said, missing, audit, completedAt } = await receipt();
    expect(missing).toEqual([]);
    expect(said.map(({ service }) => service).toSorted()).toEqual(servicesWithTenantRows.toSorted());
    const rows = rowsOf(await receipt());
    expect(rows['state-manager']).toMatchObject({ messages: messages + 1, contacts: 1, events: 3 });
    expect(rows['webhook-ingest']).toMatchObject({ tenant_keys: 1, webhooks: 1 });
    expect(rows['tenant-service']).toMatchObject({ tenants: 1, tenant_keys: 1, audit_entries: audit?.entries });
    // All connectors keep files in one store: whichever comes first takes them away.
    expect(Object.values(rows).reduce((files, of) => files + (of?.['files'] ?? 0), 0)).toBe(1);
    expect(audit).toEqual({ entries: expect.any(Number), headHash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(new Date(completedAt ?? 0).getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  it('is not undone by what arrives late', async () => {
    const connectionId = 'con_00000000000000000000000001';
    const contact = { address: '4915112345678' };
    await redeliver('message.received', { connectionId, provider: 'whatsapp', role: 'channel', providerMessageId: 'wamid.1', contact, author: 'contact', content: { kind: 'text', text: 'late' }, sentAt: '2026-01-01T00:00:00.000Z' });
    await redeliver('webhook.received.whatsapp', { webhookId: 'whk_00000000000000000000000001', connectionId, body: '{}', receivedAt: '2026-01-01T00:00:00.000Z' });
    await redeliver('message.status', { connectionId, provider: 'whatsapp', providerMessageId: 'wamid.1', status: 'read', at: '2026-01-01T00:00:00.000Z' });
    await redeliver('connection.changed', { connectionId, provider: 'whatsapp', role: 'channel', status: 'active', version: 9 });
    await redeliver('usage.recorded', { month: '2026-01', apiCalls: 4 });
    await redeliver('audit.recorded', { at: '2026-01-01T00:00:00.000Z', actor: { kind: 'admin', subject: 'admin-key', from: null }, action: 'member.invited', subject: 'mbr_1' });
    await until(async () => (await admin.query('select from bus.pending_events where tenant_id = $1', [leaves])).rowCount === 0);
    await admin.query('delete from bus.broadcasts where tenant_id = $1', [leaves]);
    expect(await rowsNaming(leaves)).toEqual({});
    expect(await call('GET', '/state/stats', undefined, 'state-manager', keyHeaders('state-manager', leaves))).toMatchObject({ status: 404, json: { code: 'tenant.not_found' } });
  }, 60_000);

  it('frees the id for another tenant, some time after', async () => {
    const again = { tenantId: leaves, name: 'Another company' };
    expect(await call('POST', '/tenants', again)).toMatchObject({ status: 409, json: { code: 'tenant.taken' } });
    await admin.query(`update tenant.erasures set completed_at = completed_at - interval '11 minutes'`);
    expect(await call('POST', '/tenants', again)).toMatchObject({ status: 201 });
    await until(async () => (await call('GET', '/state/stats', undefined, 'state-manager', keyHeaders('state-manager', leaves))).status === 200);
    // The order to erase the one before, delivered once more, is not about this one.
    await redeliver('tenant.changed', { status: 'deleted', plan: 'starter', rateLimit: 100, timeZone: 'UTC', reason: 'erase' }, 'evt_00000000000000000000000009');
    await until(async () => (await admin.query('select from bus.pending_events where tenant_id = $1', [leaves])).rowCount === 0);
    expect(await call('GET', `/tenants/${leaves}`)).toMatchObject({ status: 200, json: { name: 'Another company' } });
    expect((await call('GET', '/state/stats', undefined, 'state-manager', keyHeaders('state-manager', leaves))).status).toBe(200);
  }, 60_000);
});

function rowsOf({ services: said }: EraseReceipt): Record<string, Readonly<Record<string, number>>> {
  return Object.fromEntries(said.map(({ service, rows }) => [service, rows]));
}
