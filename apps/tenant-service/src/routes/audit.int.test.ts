import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportAudit, listAudit, verifyAudit, type AuditRecord, type TenantId } from '@switchboard/contracts';
import { createDatabase } from '@switchboard/db';
import { createEventBus, type EventBus } from '@switchboard/event-bus';
import { prepareServices, startService, type RunningService, type ServiceDefinition } from '@switchboard/service-kit';
import { adminHeaders, describeRoute, keyHeaders, memberHeaders, platformHeaders, testEnvironment } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { Client } from 'pg';
import { service } from '../service.ts';

const [acme, globex] = testTenants;
const definition: ServiceDefinition = service;
let database: TestDatabase;
let running: RunningService;

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([definition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  const environment = { DATABASE_URL: database.url('switchboard_tenant'), BUS_DATABASE_URL: database.url('switchboard_bus'), API_KEY_PEPPER: randomBytes(32).toString('hex'), PUBLIC_WEBHOOK_URL: 'https://hub.example.net/' };
  running = await startService(definition, testEnvironment(environment));
  for (const tenantId of testTenants) {
    await call('POST', '/tenants', adminHeaders(), { tenantId, name: tenantId, metadata: { password: 'metadata-secret' } });
  }
}, 60_000);
afterAll(async () => {
  await running?.stop();
  await database?.drop();
});

async function call(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<{ status: number; text: string; type: string | null }> {
  const response = await fetch(`${running.url}${path}`, { method, headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) }, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return { status: response.status, text: await response.text(), type: response.headers.get('content-type') };
}
async function get(path: string, headers = adminHeaders()): Promise<unknown> {
  const { status, text } = await call('GET', path, headers);
  expect([path, status, text.slice(0, status === 200 ? 0 : 500)]).toEqual([path, 200, '']);
  return JSON.parse(text);
}
const page = async (path: string) => (await get(path)) as { data: AuditRecord[]; nextCursor: string | null };
const putRoutes = (tenantId: TenantId, headers: Record<string, string>) => call('PUT', `/tenants/${tenantId}/routes`, headers, { routes: [] });

const suite = { service: 'tenant-service', url: () => running.url, tenants: testTenants } as const;
const params = (tenantId: TenantId) => ({ params: { tenantId } });
const missing = () => ({ params: { tenantId: 'no-such-tenant' } });

describeRoute(listAudit, { ...suite, input: params, badInputs: { 'a cursor that is none': (input) => ({ ...input, query: { cursor: 'eA' } }), 'a moment that is none': (input) => ({ ...input, query: { from: 'yesterday' } }) } });
describeRoute(exportAudit, { ...suite, input: params, badInputs: { 'a number below zero': (input) => ({ ...input, query: { afterSequence: -1 } }) } });
describeRoute(verifyAudit, { ...suite, input: params });

describe('the audit of a tenant', () => {
  it('of one that does not exist is missing', async () => {
    for (const path of ['audit', 'audit/export', 'audit/verify']) {
      const { status, text } = await call('GET', `/tenants/${missing().params.tenantId}/${path}`, adminHeaders());
      expect([status, (JSON.parse(text) as { code: string }).code]).toEqual([404, 'tenant.not_found']);
    }
  });

  it('says who changed something: the platform\'s key or staff, as they call', async () => {
    const before = (await page(`/tenants/${acme}/audit`)).data[0]!.sequence;
    await putRoutes(acme, adminHeaders());
    await putRoutes(acme, platformHeaders('tenant-service', 'mbr_00000000000000000000000009'));
    const { data } = await page(`/tenants/${acme}/audit?limit=2`);
    expect(data.map(({ sequence, action, actor }) => [sequence, action, actor])).toEqual([
      [before + 2, 'routes.changed', { kind: 'admin', subject: 'mbr_00000000000000000000000009' }],
      [before + 1, 'routes.changed', { kind: 'admin', subject: 'admin-key' }],
    ]);
    expect(data[1]!.from).toMatch(/127\.0\.0\.1$/);
  });

  it('is read page by page and filtered by action, thing, actor and time', async () => {
    for (let index = 0; index < 5; index++) await putRoutes(acme, adminHeaders());
    const all: AuditRecord[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const next = await page(`/tenants/${acme}/audit?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      all.push(...next.data);
      cursor = next.nextCursor;
    }
    expect(all.map(({ sequence }) => sequence)).toEqual(Array.from({ length: all.length }, (_, index) => all.length - index));
    const [created] = (await page(`/tenants/${acme}/audit?action=tenant.created`)).data;
    expect(created).toMatchObject({ action: 'tenant.created', subject: acme });
    expect((await page(`/tenants/${acme}/audit?subject=${all[0]!.subject}&action=routes.changed&limit=200`)).data.every(({ action, subject }) => action === 'routes.changed' && subject === all[0]!.subject)).toBe(true);
    expect((await page(`/tenants/${acme}/audit?actor=nobody`)).data).toEqual([]);
    const { at } = all[2]!;
    expect((await page(`/tenants/${acme}/audit?from=${at}&limit=200`)).data.map(({ sequence }) => sequence)).toEqual(all.slice(0, 3).map(({ sequence }) => sequence));
    expect((await page(`/tenants/${acme}/audit?to=${at}&limit=200`)).data).toHaveLength(all.length - 3);
  });

  it('is exported whole as lines, in pieces that follow each other', async () => {
    const lines: AuditRecord[] = [];
    for (;;) {
      const { text, type } = await call('GET', `/tenants/${acme}/audit/export?limit=4&afterSequence=${lines.at(-1)?.sequence ?? 0}`, keyHeaders('tenant-service', acme, ['audit:read']));
      expect(type).toBe('application/x-ndjson; charset=utf-8');
      if (text === '') break;
      lines.push(...text.trimEnd().split('\n').map((line) => JSON.parse(line) as AuditRecord));
    }
    const { data } = await page(`/tenants/${acme}/audit?limit=200`);
    expect(lines).toEqual(data.toReversed());
    expect(lines.slice(1).map(({ previousHash }) => previousHash)).toEqual(lines.slice(0, -1).map(({ hash }) => hash));
    expect(JSON.stringify(lines)).not.toContain('metadata-secret');
  });

  it('is verified by the tenant\'s own people with the scope, and says which entry is broken', async () => {
    const { data } = await page(`/tenants/${globex}/audit?limit=200`);
    expect(await get(`/tenants/${globex}/audit/verify`, memberHeaders('tenant-service', globex, 'owner'))).toEqual({ ok: true, entries: data.length, head: { sequence: data.length, hash: data[0]!.hash }, firstBroken: null });
    const admin = new Client({ connectionString: database.adminUrl });
    await admin.connect();
    await admin.query(`update tenant.audit_entries set subject = 'somebody else' where tenant_id = $1 and sequence = 1`, [globex]);
    await admin.end();
    expect(await get(`/tenants/${globex}/audit/verify`)).toMatchObject({ ok: false, entries: 0, firstBroken: { sequence: 1, fault: 'changed' } });
    expect(await get(`/tenants/${acme}/audit/verify`)).toMatchObject({ ok: true });
    expect((await call('GET', `/tenants/${acme}/audit/verify`, memberHeaders('tenant-service', acme, 'agent'))).status).toBe(403);
  });

  it('takes in what other services say of their changes, each once, without secrets', async () => {
    const db = createDatabase({ url: database.url('switchboard_tenant'), schema: 'tenant', connectionsMax: 2, createClient: () => undefined });
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const bus: EventBus = createEventBus({ driver: 'embedded', service: 'auth', unitOfWork: db, busUrl: database.url('switchboard_bus'), log });
    await bus.start();
    try {
      await runAsTenant(acme, () =>
        db.transaction(() =>
          bus.publish(
            'audit.recorded',
            { at: '2026-11-21T10:00:00.000Z', actor: { kind: 'member', subject: 'mbr_7', from: '203.0.113.9' }, action: 'member.invited', subject: 'mbr_8', after: { role: 'agent', password: 'invited-secret' }, facts: { token: 'invited-secret', email: 'a@b.example' } },
            { orderingKey: acme },
          ),
        ),
      );
      let found: AuditRecord[] = [];
      for (const until = Date.now() + 10_000; found.length === 0 && Date.now() < until; ) found = (await page(`/tenants/${acme}/audit?subject=mbr_8`)).data;
      expect(found).toMatchObject([{ at: '2026-11-21T10:00:00.000000Z', actor: { kind: 'member', subject: 'mbr_7' }, from: '203.0.113.9', action: 'member.invited', before: null, after: { role: 'agent' }, facts: { email: 'a@b.example' } }]);
      expect(JSON.stringify(found)).not.toContain('invited-secret');
      expect(await get(`/tenants/${acme}/audit/verify`)).toMatchObject({ ok: true });
    } finally {
      await bus.stop();
      await db.close();
    }
  });
});
