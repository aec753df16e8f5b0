import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as contracts from '@switchboard/contracts';
import { adminHeaders, describeRoute, internalTokenHeaders, keyHeaders, platformHeaders } from '@switchboard/service-kit/testing';
import { testTenants } from '@switchboard/testing';
import { Client } from 'pg';
import { startTenantService, type ServiceUnderTest } from '../testing/start-service.ts';

const [acme, globex] = testTenants;
let service: ServiceUnderTest;

beforeAll(async () => {
  service = await startTenantService();
  for (const tenantId of testTenants) await post('/tenants', { tenantId, name: `${tenantId} Ltd`, subdomain: `${tenantId}-chat` });
}, 60_000);
afterAll(() => service?.stop());

const post = (path: string, body: unknown, headers?: Record<string, string>) => service.call('POST', path, body, headers);
const patch = (tenantId: string, body: unknown, headers?: Record<string, string>) => service.call('PATCH', `/tenants/${tenantId}`, body, headers);
const get = (path: string) => service.call('GET', path);
const facts = async (by: object) => (await post('/internal/tenants/resolve', by, internalTokenHeaders('tenant-service', undefined, 'api-gateway'))).json;
const isAllowed = async (origin: string) => (await post('/internal/cors-origins/find', { origin }, internalTokenHeaders('tenant-service', undefined, 'api-gateway'))).json;

const suite = { service: 'tenant-service', url: () => service.url, tenants: testTenants } as const;
let made = 0;
async function newTenant(): Promise<contracts.TenantId> {
  const tenantId = contracts.tenantIdSchema.parse(`life-${++made}`);
  await post('/tenants', { tenantId, name: 'A tenant' });
  return tenantId;
}

describeRoute(contracts.updateTenant, {
  ...suite,
  input: (tenantId) => ({ params: { tenantId }, body: { name: 'Another name' } }),
  badInputs: {
    'a name of blanks': (input) => ({ ...input, body: { name: '  ' } }),
    'a name with a zero character': (input) => ({ ...input, body: { name: 'a\u0000b' } }),
    'metadata with a zero character': (input) => ({ ...input, body: { metadata: { note: 'a\u0000b' } } }),
    'a reserved subdomain': (input) => ({ ...input, body: { subdomain: 'admin' } }),
    'a status that only deleting gives': (input) => ({ ...input, body: { status: 'deleted' } }),
    'a time zone that does not exist': (input) => ({ ...input, body: { timeZone: 'Mars/Olympus' } }),
    'an origin with a path': (input) => ({ ...input, body: { corsOrigins: ['https://shop.example/'] } }),
    'an origin that is not encrypted': (input) => ({ ...input, body: { corsOrigins: ['http://shop.example'] } }),
    'an origin of any host': (input) => ({ ...input, body: { corsOrigins: ['*'] } }),
  },
});
describeRoute(contracts.deleteTenant, { ...suite, input: async () => ({ params: { tenantId: await newTenant() } }), badInputs: { 'a negative grace time': (input) => ({ ...input, query: { graceHours: -1 } }) } });

describeRoute(contracts.getEraseReceipt, { ...suite, input: async () => ({ params: { tenantId: await erasedTenant() } }) });

/** Its erasing has begun; what becomes of it over all services is told in apps/standalone. */
async function erasedTenant(): Promise<contracts.TenantId> {
  const tenantId = await newTenant();
  await service.call('DELETE', `/tenants/${tenantId}?graceHours=0`);
  await asSuperuser("select bus_worker.add_job('tenant:erase-tenants')");
  for (let status = 404; status !== 200; ) ({ status } = await get(`/tenants/${tenantId}/erase-receipt`));
  return tenantId;
}

async function asSuperuser(statement: string): Promise<void> {
  const client = new Client({ connectionString: service.database.adminUrl });
  await client.connect();
  await client.query(statement);
  await client.end();
}

describe('changing a tenant', () => {
  it('changes what is named and leaves the rest, and says in the audit what was there before', async () => {
    const tenantId = await newTenant();
    const { json: before } = await get(`/tenants/${tenantId}`);
    const changed = await patch(tenantId, { plan: 'professional', rateLimit: 500, timeZone: 'Europe/Berlin', corsOrigins: ['https://shop.example', 'http://localhost:5173'], metadata: { crm: 7 }, subdomain: 'life-shop' });
    expect(changed).toEqual({
      status: 200,
      json: { ...(before as object), plan: 'professional', rate_limit: 500, time_zone: 'Europe/Berlin', cors_origins: ['https://shop.example', 'http://localhost:5173'], metadata: { crm: 7 }, subdomain: 'life-shop' },
    });
    expect(await facts({ subdomain: 'life-shop' })).toEqual({ tenant: { tenantId, status: 'active', plan: 'professional', rateLimit: 500, subdomain: 'life-shop', corsOrigins: ['https://shop.example', 'http://localhost:5173'] } });
    await patch(tenantId, { subdomain: null });
    expect(await facts({ subdomain: 'life-shop' })).toEqual({ tenant: null });
  });

  it('is for the tenant itself too, but for what it pays for or is barred by', async () => {
    const own = keyHeaders('tenant-service', acme, ['tenant:write']);
    expect(await patch(acme, { name: 'Acme by itself' }, own)).toMatchObject({ status: 200, json: { name: 'Acme by itself' } });
    for (const [field, value] of Object.entries({ plan: 'enterprise', rateLimit: 9_999, status: 'active' })) {
      expect(await patch(acme, { [field]: value }, own)).toMatchObject({ status: 403, json: { code: 'auth.scope_missing', detail: `Only the platform changes ${field}.` } });
    }
    expect(await patch(globex, { name: 'Mine now' }, own)).toMatchObject({ status: 404, json: { code: 'tenant.not_found' } });
    expect(await patch(acme, { plan: 'professional' }, platformHeaders('tenant-service'))).toMatchObject({ status: 200, json: { plan: 'professional' } });
  });

  it('takes no subdomain that another tenant has, also when both ask at once', async () => {
    expect(await patch(acme, { subdomain: `${globex}-chat` })).toMatchObject({ status: 409, json: { code: 'tenant.subdomain_taken' } });
    expect(await get(`/tenants/${acme}`)).toMatchObject({ json: { subdomain: `${acme}-chat` } });
    const [one, two] = [await newTenant(), await newTenant()];
    const answers = await Promise.all([one, two].map((tenantId) => patch(tenantId, { subdomain: 'wanted-by-two' })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
  });

  it('happens one after the other: of many changes at once none is lost', async () => {
    const tenantId = await newTenant();
    await Promise.all([patch(tenantId, { name: 'Renamed' }), patch(tenantId, { rateLimit: 7 }), patch(tenantId, { metadata: { a: 1 } }), patch(tenantId, { timeZone: 'Asia/Tokyo' })]);
    expect(await get(`/tenants/${tenantId}`)).toMatchObject({ json: { name: 'Renamed', rate_limit: 7, metadata: { a: 1 }, time_zone: 'Asia/Tokyo' } });
  });

  it('lets in the browsers of active tenants alone', async () => {
    const tenantId = await newTenant();
    await patch(tenantId, { corsOrigins: ['https://only.example:8443'] });
    expect(await isAllowed('https://only.example:8443')).toEqual({ isAllowed: true });
    expect(await isAllowed('https://only.example')).toEqual({ isAllowed: false });
    await patch(tenantId, { status: 'suspended' });
    expect(await isAllowed('https://only.example:8443')).toEqual({ isAllowed: false });
  });
});

describe('the list of tenants', () => {
  it('is searched by status, plan and text in id, name or subdomain, page by page', async () => {
    for (const [tenantId, plan] of Object.entries({ 'find-a': 'enterprise', 'find-b': 'enterprise', 'find-c': 'starter' })) await post('/tenants', { tenantId, name: '100% Fïnders_Keepers', plan });
    await patch('find-b', { status: 'suspended' });
    const ids = async (query: string) => ((await get(`/tenants?${query}`)).json as { data: { tenant_id: string }[] }).data.map((tenant) => tenant.tenant_id);
    expect(await ids('text=finders')).toEqual([]);
    expect(await ids(`text=${encodeURIComponent('fïnders_k')}`)).toEqual(['find-a', 'find-b', 'find-c']);
    expect(await ids(`text=${encodeURIComponent('100%')}&plan=enterprise`)).toEqual(['find-a', 'find-b']);
    // Neither sign stands for anything but itself.
    expect(await ids(`text=${encodeURIComponent('%d_')}`)).toEqual([]);
    expect(await ids('text=FIND-&status=suspended')).toEqual(['find-b']);
    expect(await ids('text=ACME-CHAT')).toEqual([acme]);
    const { json } = await get('/tenants?text=find-&limit=2');
    expect(await ids(`text=find-&limit=2&cursor=${(json as { nextCursor: string }).nextCursor}`)).toEqual(['find-c']);
  });
});

describe('a deleted tenant', () => {
  it('is shut out at once, names when it will be erased, and comes back as it was until then', async () => {
    const tenantId = await newTenant();
    const { json: before } = await get(`/tenants/${tenantId}`);
    const deleted = await service.call('DELETE', `/tenants/${tenantId}?graceHours=48`);
    expect(deleted).toMatchObject({ status: 200, json: { status: 'deleted', delete_after: expect.any(String) } });
    const hours = (new Date((deleted.json as { delete_after: string }).delete_after).getTime() - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(47.9);
    expect(hours).toBeLessThanOrEqual(48);
    expect(await facts({ tenantId })).toMatchObject({ tenant: { status: 'deleted' } });
    expect(await service.call('DELETE', `/tenants/${tenantId}`)).toEqual(deleted);
    expect(await patch(tenantId, { name: 'Too late' })).toMatchObject({ status: 409, json: { code: 'tenant.deleted' } });
    expect(await patch(tenantId, { status: 'suspended' })).toMatchObject({ status: 409, json: { code: 'tenant.deleted' } });
    expect(await post('/tenants', { tenantId, name: 'Again' })).toMatchObject({ status: 409, json: { code: 'tenant.taken' } });
    expect(await patch(tenantId, { status: 'active' })).toEqual({ status: 200, json: before });
  });

  it('cannot come back once its erasing has begun, and says what is still missing', async () => {
    const tenantId = await erasedTenant();
    expect(await patch(tenantId, { status: 'active' })).toMatchObject({ status: 409, json: { code: 'tenant.deleted' } });
    expect(await service.call('DELETE', `/tenants/${tenantId}?graceHours=5`)).toMatchObject({ status: 409, json: { code: 'tenant.deleted' } });
    expect(await get(`/tenants/${tenantId}/erase-receipt`)).toMatchObject({ status: 200, json: { tenantId, completedAt: null, services: [], missing: [...contracts.servicesWithTenantRows], webhooks: [], audit: null } });
    expect(await get(`/tenants/${acme}/erase-receipt`)).toMatchObject({ status: 404, json: { code: 'tenant.not_found' } });
  });

  it('leaves its id to nobody for ten minutes after it was erased: copies of it may still be in memory', async () => {
    const erasedFor = (tenantId: string, time: string) =>
      asSuperuser(`insert into tenant.erasures (erasure_id, erased_tenant_id, services, begun_at, completed_at) values ('ers_${tenantId}', '${tenantId}', '{}', now() - interval '1 day', now() - interval '${time}')`);
    await erasedFor('gone-lately', '9 minutes');
    await erasedFor('gone-before', '11 minutes');
    expect(await post('/tenants', { tenantId: 'gone-lately', name: 'Again' })).toMatchObject({ status: 409, json: { code: 'tenant.taken' } });
    expect(await post('/tenants', { tenantId: 'gone-before', name: 'Again' })).toMatchObject({ status: 201 });
  });

  it('is the platform\'s to delete, and nobody else\'s', async () => {
    expect(await service.call('DELETE', `/tenants/${acme}`, undefined, keyHeaders('tenant-service', acme))).toMatchObject({ status: 401 });
    expect(await service.call('DELETE', '/tenants/nobody-here')).toMatchObject({ status: 404, json: { code: 'tenant.not_found' } });
  });
});

describe('an Idempotency-Key on creating a tenant', () => {
  const headers = (key: string) => ({ ...adminHeaders(), 'idempotency-key': key });

  it('makes a repetition answer the same, the first key included, and makes no second tenant', async () => {
    const body = { tenantId: 'repeated', name: 'Repeated', subdomain: 'repeated' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => post('/tenants', body, headers('create-repeated-1'))));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
    expect(new Set(answers.map(({ json }) => (json as { apiKey: string }).apiKey)).size).toBe(1);
    expect(await post('/tenants', { subdomain: 'repeated', name: 'Repeated', tenantId: 'repeated' }, headers('create-repeated-1'))).toEqual(answers[0]);
    const [first] = answers.map(({ json }) => (json as { apiKey: string }).apiKey);
    expect(await post('/internal/api-keys/resolve', { apiKey: first }, internalTokenHeaders('tenant-service', undefined, 'api-gateway'))).toMatchObject({ status: 200, json: { tenant: { tenantId: 'repeated' } } });
  });

  it('is refused for another request, and without it a taken id is taken', async () => {
    expect(await post('/tenants', { tenantId: 'repeated', name: 'Other' }, headers('create-repeated-1'))).toMatchObject({ status: 409, json: { code: 'request.idempotency_conflict' } });
    expect(await post('/tenants', { tenantId: 'repeated-elsewhere', name: 'Other' }, headers('create-repeated-1'))).toMatchObject({ status: 409, json: { code: 'request.idempotency_conflict' } });
    expect(await post('/tenants', { tenantId: 'repeated', name: 'Repeated', subdomain: 'repeated' })).toMatchObject({ status: 409, json: { code: 'tenant.taken' } });
    expect(await post('/tenants', { tenantId: 'repeated', name: 'Repeated', subdomain: 'repeated' }, headers('create-repeated-2'))).toMatchObject({ status: 409, json: { code: 'tenant.taken' } });
  });
});
