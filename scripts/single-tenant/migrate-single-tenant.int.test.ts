import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { service as stateManager } from '../../apps/state-manager/src/service.ts';
import { service as tenantService } from '../../apps/tenant-service/src/service.ts';
import { secretsFoundIn } from '../../apps/tenant-service/src/testing/secrets-found-in.ts';
import { prepareServices, startService, type RunningService } from '../../packages/service-kit/src/index.ts';
import { internalTokenHeaders, testEnvironment } from '../../packages/service-kit/src/testing/index.ts';
import { startTestDatabase, testRolePassword } from '../../packages/testing/src/index.ts';
import { brokenRows, dividedRows, dividedTables, undividedTables } from './testing/old-deployments.ts';

const services = [tenantService, stateManager];
const pepper = 'pepper of the tests, 32 characters and more';
const secrets = {
  acmeKey: 'acme-plain-key-of-the-old-days', globexKey: 'globex_plain_key/of+the=old.days', retiredKey: 'acme-plain-key-out-of-use',
  accessToken: 'EAAG-access-token-of-acme', otherToken: 'EAAG-access-token-of-globex', appSecret: 'app-secret-of-acme', verifyToken: 'verify-token-of-acme', clientSecret: 'client-secret-of-acme', otherSecret: 'client-secret-of-globex', webhookSecret: 'webhook-secret-of-acme',
};

type Run = { readonly code: number | null; readonly output: string };

/** An old database and an installation to move into, each fresh. */
async function startWorld(tables: string) {
  const [from, to] = [await startTestDatabase(), await startTestDatabase()];
  await prepareServices(services, { adminUrl: to.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  const [old, hub] = [new Client({ connectionString: from.adminUrl }), new Client({ connectionString: to.adminUrl })];
  await Promise.all([old.connect(), hub.connect()]);
  await old.query(tables);
  const environment = {
    ...process.env, ...testEnvironment({ API_KEY_PEPPER: pepper, BUS_DRIVER: 'embedded', DATABASE_ADMIN_URL: to.adminUrl }),
    ...Object.fromEntries(['switchboard_tenant', 'switchboard_state', 'switchboard_bus'].map((role) => [`${role.toUpperCase()}_PASSWORD`, testRolePassword(role)])),
  };
  const start = (...args: string[]) => spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '..', 'migrate-single-tenant.ts'), '--from', from.adminUrl, ...args], { env: environment });
  return {
    old, hub, to, start,
    run: (...args: string[]): Promise<Run> => {
      const child = start(...args);
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
    },
    /** One value of the hub's database. */
    value: async (text: string): Promise<unknown> => Object.values<unknown>((await hub.query<Record<string, unknown>>(text)).rows[0] ?? {})[0],
    rows: async (text: string): Promise<unknown[]> => (await hub.query({ text, rowMode: 'array' })).rows,
    stop: async () => {
      await Promise.all([old.end(), hub.end()]);
      await Promise.all([from.drop(), to.drop()]);
    },
  };
}
type World = Awaited<ReturnType<typeof startWorld>>;

/** The report's line of a subject as numbers: read, imported, already there, merged, skipped. */
function line({ output }: Run, subject: string): number[] {
  return (new RegExp(`^${subject} +([\\d ]+)$`, 'm').exec(output)?.[1] ?? '').trim().split(/ +/).map(Number);
}

const everything = `select (select count(*) from tenant.tenants) + (select count(*) from tenant.connections) + (select count(*) from tenant.connection_drafts) + (select count(*) from tenant.api_keys) + (select count(*) from tenant.audit_entries)
  + (select count(*) from tenant.tenant_keys) + (select count(*) from state.contacts) + (select count(*) from state.conversations) + (select count(*) from state.mappings) + (select count(*) from state.messages)`;

describe('a deployment of two tenants and 100 000 rows', () => {
  let world: World;
  let service: RunningService | undefined;

  beforeAll(async () => {
    world = await startWorld(dividedTables);
    await world.old.query(`insert into tenants (tenant_id, name, subdomain, plan, rate_limit, genesys_region) values ('acme', 'Acme', 'acme-chat', 'standard', 240, null), ('globex', 'Globex', null, 'professional', 100, 'eu-central-1')`);
    await world.old.query(dividedRows);
    await world.old.query(brokenRows);
    await world.old.query(`insert into tenant_credentials (tenant_id, credential_type, credentials) values ('acme', 'meta', $1), ('acme', 'genesys', $2), ('globex', 'genesys', $3), ('globex', 'stripe', '{}')`, [
      { access_token: secrets.accessToken, phone_number_id: '1000000001', waba_id: '2000000001', app_secret: secrets.appSecret, verify_token: secrets.verifyToken },
      { clientId: 'client-of-acme', clientSecret: secrets.clientSecret, region: 'mypurecloud.de', integrationId: 'integration-of-acme', webhookSecret: secrets.webhookSecret },
      { clientId: 'client-of-globex', clientSecret: secrets.otherSecret, integrationId: 'integration-of-globex' },
    ]);
    await world.old.query(`insert into tenant_whatsapp_config (tenant_id, waba_id, phone_number_id, access_token) values ('globex', '2000000002', '1000000002', $1)`, [secrets.otherToken]);
    await world.old.query(`insert into tenant_api_keys (api_key, tenant_id, name, is_active) values ($1, 'acme', 'web', true), ($2, 'globex', 'crm', true), ($3, 'acme', 'old', false), ('short', 'acme', 'short', true)`, [secrets.acmeKey, secrets.globexKey, secrets.retiredKey]);
  }, 120_000);
  afterAll(async () => {
    await service?.stop();
    await world?.stop();
  });

  it('is only looked at by a dry run, which says what there is to import', async () => {
    const before = await world.value(everything);
    const run = await world.run('--dry-run');
    expect(run).toEqual({ code: 0, output: expect.stringContaining('dry run: nothing was written') });
    expect(line(run, 'tenants')).toEqual([2, 2, 0, 0, 0]);
    expect(line(run, 'mappings')).toEqual([20_002, 20_000, 0, 1, 1]);
    expect(line(run, 'messages')).toEqual([80_004, 80_000, 0, 0, 4]);
    expect(line(run, 'API keys')).toEqual([4, 2, 0, 0, 2]);
    expect(await world.value(everything)).toBe(before);
  }, 120_000);

  it('is taken over whole although the import was killed in the middle', async () => {
    const broken = world.start();
    const ended = new Promise((resolve) => broken.on('close', resolve));
    while (broken.exitCode === null && Number(await world.value('select count(*) from state.messages')) < 15_000) await sleep(20);
    broken.kill('SIGKILL');
    await ended;
    const half = Number(await world.value('select count(*) from state.messages'));
    expect(half).toBeGreaterThanOrEqual(15_000);
    expect(half).toBeLessThan(80_000);

    const run = await world.run();
    expect(run).toEqual({ code: 0, output: expect.stringContaining('done') });
    // It was killed within the first tenant.
    expect(line(run, 'tenants')).toEqual([2, 1, 1, 0, 0]);
    expect(line(run, 'mappings').slice(3)).toEqual([1, 1]);
    expect(line(run, 'messages')).toEqual([80_004, 80_000 - half, half, 0, 4]);
    expect(await world.rows('select tenant_id, count(*)::int, count(distinct contact_id)::int from state.conversations group by 1 order by 1')).toEqual([['acme', 10_000, 10_000], ['globex', 10_000, 10_000]]);
    expect(await world.rows('select tenant_id, count(*)::int from state.mappings group by 1 order by 1')).toEqual([['acme', 10_000], ['globex', 10_000]]);
    expect(await world.rows('select tenant_id, direction, count(*)::int from state.messages group by 1, 2 order by 1, 2')).toEqual([['acme', 'inbound', 20_000], ['acme', 'outbound', 20_000], ['globex', 'inbound', 20_000], ['globex', 'outbound', 20_000]]);
  }, 180_000);

  it('imports nothing a second time', async () => {
    const before = await world.value(everything);
    const run = await world.run();
    expect([line(run, 'tenants'), line(run, 'connections'), line(run, 'API keys'), line(run, 'mappings'), line(run, 'messages')].map(([, imported]) => imported)).toEqual([0, 0, 0, 0, 0]);
    expect(await world.value(everything)).toBe(before);
  }, 120_000);

  it('keeps each message with its tenant, its contact and its place in the conversation', async () => {
    expect(await world.value(`select count(*)::int from state.messages where content->'raw'->'metadata'->>'owner' is distinct from tenant_id`)).toBe(0);
    const misplaced = `select count(*)::int from state.messages m join state.conversations v using (tenant_id, conversation_id) join state.contact_aliases a using (tenant_id, contact_id)
      where a.value <> '4915' || lpad((((m.content->'raw'->'metadata'->>'n')::int % 20000) / 2)::text, 8, '0')`;
    expect(await world.value(misplaced)).toBe(0);
    // Positions are 1, 2, 3, 4 in the order of time, in each of them.
    expect(await world.value(`select count(*)::int from (select tenant_id, conversation_id from state.messages group by 1, 2 having string_agg(position::text, ',' order by sent_at) <> '1,2,3,4') wrong`)).toBe(0);
    expect(await world.value('select count(*)::int from state.conversations where message_count <> 4 or last_inbound_at is null or last_inbound_provider_message_id is null')).toBe(0);
    expect(await world.rows('select status, handler, count(*)::int from state.conversations group by 1, 2 order by 1')).toEqual([['closed', 'none', 4_000], ['open', 'desk', 16_000]]);
    expect(await world.rows('select status, count(*)::int from state.deliveries group by 1 order by 1')).toEqual([['delivered', 40_000], ['sent', 40_000]]);
    const [contact] = await world.rows(`select m.provider_conversation_id, m.contact_address, v.last_activity_at from state.mappings m join state.conversations v using (tenant_id, conversation_id) where m.tenant_id = 'acme' and m.contact_address = '491500000000'`);
    expect(contact).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), '491500000000', new Date('2026-02-01T00:00:00Z')]);
  });

  it('has accounts that were complete in use at once, the others waiting with the reason', async () => {
    expect(await world.rows('select tenant_id, provider, status from tenant.connections order by 1, 2')).toEqual([['acme', 'genesys', 'active'], ['acme', 'whatsapp', 'active'], ['globex', 'genesys', 'pending'], ['globex', 'whatsapp', 'pending']]);
    expect(await world.rows(`select routing_identifiers->>'integrationId', settings->>'region', next_check_at from tenant.connection_drafts where reason like '%--connect%'`)).toEqual([['integration-of-globex', 'mypurecloud.de', null]]);
    expect(await world.rows(`select tenant_id, count(*)::int from tenant.routes group by 1`)).toEqual([['acme', 1]]);
    expect(await world.value(`select reason from tenant.connection_drafts where reason like '%appSecret is missing; verifyToken is missing%'`)).toEqual(expect.any(String));
    expect(await world.rows('select tenant_id, plan, rate_limit, subdomain from tenant.tenants order by 1')).toEqual([['acme', 'enterprise', 240, 'acme-chat'], ['globex', 'professional', 100, null]]);
  }, 60_000);

  it('asks about what waits when it is told to, and says no secret while it does', async () => {
    const run = await world.run('--connect');
    expect(await world.rows('select tenant_id, provider, next_check_at is not null from tenant.connection_drafts join tenant.connections using (tenant_id, connection_id) order by 2')).toEqual([['globex', 'genesys', true], ['globex', 'whatsapp', false]]);
    expect(Object.values(secrets).filter((secret) => run.output.includes(secret))).toEqual([]);
  }, 60_000);

  it('goes on to be opened by its old plain keys, each its own tenant, and by nothing that is no key', async () => {
    service = await startService(tenantService, testEnvironment({ DATABASE_URL: world.to.url('switchboard_tenant'), BUS_DATABASE_URL: world.to.url('switchboard_bus'), API_KEY_PEPPER: pepper }));
    const ask = (path: string, init: RequestInit) => fetch(`${service?.url}${path}`, { ...init, headers: { ...internalTokenHeaders('tenant-service', undefined, 'api-gateway'), 'content-type': 'application/json' } });
    const resolve = async (apiKey: string) => {
      const response = await ask('/internal/api-keys/resolve', { method: 'POST', body: JSON.stringify({ apiKey }) });
      return { status: response.status, tenantId: ((await response.json()) as { tenant?: { tenantId: string } }).tenant?.tenantId };
    };
    expect(await resolve(secrets.acmeKey)).toEqual({ status: 200, tenantId: 'acme' });
    expect(await resolve(secrets.globexKey)).toEqual({ status: 200, tenantId: 'globex' });
    for (const wrong of [secrets.retiredKey, `${secrets.acmeKey}x`, secrets.acmeKey.toUpperCase(), 'short']) expect(await resolve(wrong)).toMatchObject({ status: 401 });
    expect(await (await ask('/internal/api-keys/legacy', { method: 'GET' })).json()).toEqual({ any: true });
  });
});

describe('a deployment of two tenants that does not say whose everything is', () => {
  let world: World;

  beforeAll(async () => {
    world = await startWorld(dividedTables);
    await world.old.query(`insert into tenants (tenant_id, name) values ('acme', 'Acme'), ('globex', 'Globex')`);
    await world.old.query(`insert into conversation_mappings (tenant_id, wa_id, conversation_id, phone_number_id, last_activity_at) values ('acme', '5511987654321', 'g-1', '1000000001', now()), ('globex', '4915112345678', 'g-2', '1000000002', now())`);
    await world.old.query(`insert into tenant_credentials (tenant_id, credential_type, credentials) values ('acme', 'genesys', $1)`, [{ clientId: 'client-of-acme', clientSecret: secrets.clientSecret, region: 'mypurecloud.de', integrationId: 'integration-of-acme', webhookSecret: secrets.webhookSecret }]);
  }, 60_000);
  afterAll(() => world?.stop());

  it('gives no tenant the account of the .env file, which may be the other one\'s', async () => {
    const before = await world.value(everything);
    const file = join(await mkdtemp(join(tmpdir(), 'switchboard-old-')), '.env');
    writeFileSync(file, `META_PHONE_NUMBER_ID=1000000001\nMETA_ACCESS_TOKEN=${secrets.accessToken}\nMETA_APP_SECRET=${secrets.appSecret}\nGENESYS_CLIENT_ID=client-of-acme\nGENESYS_CLIENT_SECRET=${secrets.clientSecret}\nGENESYS_INTEGRATION_ID=integration-of-acme\nGENESYS_REGION=eu-central-1\n`);
    expect(await world.run('--old-env', file)).toEqual({ code: 1, output: expect.stringContaining('globex: no Genesys account is known') });
    expect(await world.run('--integration-id', 'integration-of-acme')).toEqual({ code: 1, output: expect.stringContaining('say with --tenant whose it is') });
    expect(await world.value(everything)).toBe(before);
  }, 60_000);

  it('is refused while its API keys name no tenant: each tenant would be opened by all of them', async () => {
    await world.old.query('alter table tenant_api_keys drop column tenant_id');
    expect(await world.run()).toEqual({ code: 1, output: 'switchboard: tenant_api_keys has no tenant_id, and there are the tenants acme, globex: say with --tenant whose its rows are.\n' });
  }, 60_000);
});

describe('a deployment of one company', () => {
  let world: World;

  beforeAll(async () => {
    world = await startWorld(undividedTables);
    await world.old.query('create table tenant_api_keys (api_key varchar(100) primary key, name varchar(255))');
    await world.old.query(`insert into tenant_api_keys values ($1, 'web')`, [secrets.acmeKey]);
    await world.old.query(`insert into conversation_mappings (wa_id, conversation_id, contact_name, status) values ('5511987654321', 'g-1', 'Ana', 'active'), ('4915112345678', 'g-2', null, 'closed')`);
    await world.old.query(`insert into message_tracking (conversation_id, meta_message_id, genesys_message_id, direction, status) values ('g-1', 'wamid.1', null, 'inbound', 'pending'), ('g-1', null, 'genesys-1', 'outbound', 'pending'), ('g-2', 'wamid.2', 'genesys-2', 'inbound', 'delivered')`);
  }, 60_000);
  afterAll(() => world?.stop());

  it('is refused with one sentence while it is not plain which tenant and which accounts it becomes', async () => {
    const before = await world.value(everything);
    expect(await world.run()).toEqual({ code: 1, output: 'switchboard: The old tables name no tenants: say with --tenant which one they become.\n' });
    expect(await world.run('--tenant', 'default')).toEqual({ code: 1, output: expect.stringContaining('--phone-number-id') });
    expect(await world.run('--tenant', 'Not An Id')).toEqual({ code: 1, output: expect.stringContaining('is not a tenant id') });
    expect(await world.value(everything)).toBe(before);
  }, 60_000);

  it('is refused under the id of a tenant that was erased a moment ago', async () => {
    await world.hub.query(`insert into tenant.erasures (erasure_id, erased_tenant_id, services, begun_at, completed_at) values ('ers_1', 'default', '{}', now(), now() - interval '1 minute')`);
    expect(await world.run('--tenant', 'default', '--phone-number-id', '1', '--integration-id', 'i-1')).toEqual({ code: 1, output: expect.stringContaining('A tenant default is being erased, or was some minutes ago') });
    await world.hub.query(`update tenant.erasures set completed_at = now() - interval '1 hour'`);
  }, 60_000);

  it('becomes one tenant with the accounts of its .env file, every secret sealed', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'switchboard-old-')), '.env');
    writeFileSync(file, `META_PHONE_NUMBER_ID=1000000009\nMETA_ACCESS_TOKEN=${secrets.accessToken}\nMETA_APP_SECRET=${secrets.appSecret}\nMETA_VERIFY_TOKEN=${secrets.verifyToken}\nGENESYS_CLIENT_ID=client\nGENESYS_CLIENT_SECRET=${secrets.clientSecret}\nGENESYS_REGION=eu-central-1\n`);
    const run = await world.run('--tenant', 'default', '--old-env', file);
    expect(run).toEqual({ code: 0, output: expect.stringContaining('done') });
    expect([line(run, 'mappings'), line(run, 'messages')]).toEqual([[2, 2, 0, 0, 0], [3, 3, 0, 0, 0]]);
    expect(line(run, 'API keys')).toEqual([1, 1, 0, 0, 0]);
    expect(await secretsFoundIn(world.to.adminUrl, Object.values(secrets))).toEqual([]);
    expect(await world.rows('select provider, status from tenant.connections order by 1')).toEqual([['genesys', 'pending'], ['whatsapp', 'active']]);
    expect(await world.rows(`select m.provider_conversation_id, v.status, a.match_key, a.kind from state.mappings m join state.conversations v using (tenant_id, conversation_id) join state.contact_aliases a using (tenant_id, contact_id) order by 1`)).toEqual([['g-1', 'open', '551187654321', 'waId'], ['g-2', 'closed', '4915112345678', 'waId']]);
    // What the old rows do not say of an outbound message is said to be unknown, and of an inbound one nothing.
    expect(await world.rows(`select m.provider_message_id, d.status, d.error->>'code' from state.messages m left join state.deliveries d using (tenant_id, message_id) order by 1`)).toEqual([['genesys-1', 'failed', 'delivery.outcome_unknown'], ['wamid.1', null, null], ['wamid.2', 'sent', null]]);
  }, 60_000);

  it('is refused when its tables lack what an import stands on', async () => {
    await world.old.query('alter table conversation_mappings drop column wa_id');
    expect(await world.run('--tenant', 'default')).toEqual({ code: 1, output: 'switchboard: conversation_mappings has no column wa_id; without it there is nothing to import.\n' });
  }, 60_000);
});
