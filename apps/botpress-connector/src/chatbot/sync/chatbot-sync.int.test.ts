import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, tenantIdSchema, type ConnectionWithSecrets, type SyncJob, type TenantId } from '@switchboard/contracts';
import { adminHeaders } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFakeBot, type FakeBot } from '../../../test/fake-bot.ts';
import { startChatbotService, type ChatbotService } from '../../../test/start-chatbot-service.ts';

const [acme, globex] = testTenants;
let house: ChatbotService;
let bot: FakeBot;
beforeAll(async () => {
  [house, bot] = await Promise.all([startChatbotService(), startFakeBot()]);
}, 60_000);
afterAll(async () => {
  await house?.stop();
  await bot?.close();
});

const headers = () => ({ ...adminHeaders(), 'content-type': 'application/json' });
const urlOf = (tenantId: TenantId, path: string) => `${house.url()}/api/chatbot/tenants/${tenantId}${path}`;
async function put(tenantId: TenantId, questions: readonly (readonly [string, string])[]): Promise<void> {
  const body = { config: { botName: 'Anna', language: 'de-AT' }, knowledgeBase: questions.map(([question, answer]) => ({ question, answer, tags: ['x'] })) };
  expect((await fetch(urlOf(tenantId, '/config'), { method: 'PUT', headers: headers(), body: JSON.stringify(body) })).status).toBe(200);
}
async function jobOf(tenantId: TenantId, method = 'GET'): Promise<SyncJob> {
  return (await (await fetch(urlOf(tenantId, '/config/sync'), { method, headers: headers() })).json()) as SyncJob;
}
async function until(tenantId: TenantId, isIt: (job: SyncJob) => boolean): Promise<SyncJob> {
  for (const end = Date.now() + 20_000; ; await sleep(50)) {
    const job = await jobOf(tenantId);
    if (isIt(job) || Date.now() > end) return job;
  }
}
/** Asks for a push and waits for its end. */
async function push(tenantId: TenantId): Promise<SyncJob> {
  await jobOf(tenantId, 'POST');
  return await until(tenantId, ({ state }) => state !== 'queued' && state !== 'running');
}
function connect(tenantId: TenantId, more: Partial<ConnectionWithSecrets> = {}): void {
  for (const [id, connection] of house.tenantService.connections) if (connection.tenantId === tenantId) house.tenantService.connections.delete(id);
  const connectionId = newId('con');
  house.tenantService.connections.set(connectionId, { tenantId, connectionId, provider: 'botpress', role: 'bot', status: 'active', version: 1, routingIdentifiers: {}, settings: { kind: 'cloud', botId: 'bot_1', filesBaseUrl: bot.url }, credentials: { accessToken: 'bak-1' }, ...more });
}
const sql = (tenantId: TenantId, text: string) => runAsTenant(tenantId, () => house.db.transaction(() => house.db.sql.query(text)));
const textsOf = (tenantId: TenantId) => [...bot.files.values()].filter(({ key }) => key.startsWith(`hub/${tenantId}/knowledge/`)).map(({ body }) => body).toSorted();

beforeEach(async () => {
  bot.files.clear();
  bot.refuse.length = bot.changes.length = 0;
  bot.slowness = 0;
  for (const tenantId of [acme, globex]) {
    connect(tenantId);
    await sql(tenantId, 'delete from chatbot_sync_jobs');
  }
});

describe('pushing a chatbot to a bot at Botpress Cloud', () => {
  it('makes the files of the tenant those of its knowledge base, and leaves those of others alone', async () => {
    await put(acme, [['Where?', 'Here.'], ['When?', 'Now.'], ['Why?', 'So.']]);
    await put(globex, [['Where?', 'There.']]);
    expect(await push(acme)).toMatchObject({ state: 'succeeded', progress: { done: 4, total: 4 }, attempts: 1, error: null, finishedAt: expect.any(String) });
    expect(await push(globex)).toMatchObject({ state: 'succeeded' });
    expect(textsOf(acme)).toEqual(['# When?\n\nNow.\n\nTags: x\n', '# Where?\n\nHere.\n\nTags: x\n', '# Why?\n\nSo.\n\nTags: x\n']);
    expect(textsOf(globex)).toEqual(['# Where?\n\nThere.\n\nTags: x\n']);
    expect([...bot.files.values()].every(({ key, tags }) => key.startsWith(`hub/${tags['tenant']}/`) && /^[0-9a-f]{64}$/.test(tags['sha256'] ?? ''))).toBe(true);

    const basesOf = (tenantId: TenantId) => new Set([...bot.files.values()].filter(({ key }) => key.startsWith(`hub/${tenantId}/knowledge/`)).map(({ tags }) => tags['kbId']));
    bot.changes.length = 0;
    const bases = basesOf(acme);
    // What somebody has put there by hand, under the same tag.
    bot.files.set('prices.pdf', { id: 'file_by_hand', key: 'prices.pdf', status: 'indexing_completed', tags: { tenant: acme }, body: '' });
    await put(acme, [['Where?', 'Here.'], ['When?', 'Later.']]);
    expect(await push(acme)).toMatchObject({ state: 'succeeded' });
    // One knowledge base of its own, the same each time.
    expect(basesOf(acme)).toEqual(bases);
    expect([bases.size, bases.has([...basesOf(globex)][0])]).toEqual([1, false]);
    expect(textsOf(acme)).toEqual(['# When?\n\nLater.\n\nTags: x\n', '# Where?\n\nHere.\n\nTags: x\n']);
    // What was there stayed.
    expect(bot.changes.map((change) => change.split(' ')[0])).toEqual(['PUT', 'DELETE']);
    expect([bot.files.has('prices.pdf'), textsOf(globex)]).toEqual([true, [expect.any(String)]]);
  }, 30_000);

  it('happens by itself after a change, once for several in a row', async () => {
    await put(acme, [['A?', 'a']]);
    await put(acme, [['B?', 'b']]);
    expect(await jobOf(acme)).toMatchObject({ state: 'queued', nextAttemptAt: expect.any(String) });
    expect(await until(acme, ({ state }) => state === 'succeeded')).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect(textsOf(acme)).toEqual(['# B?\n\nb\n\nTags: x\n']);
    expect(bot.changes).toHaveLength(2);
  }, 30_000);

  it.each([
    ['has no access key', { credentials: {} }, 'accessToken'],
    ['is shared', { settings: { mode: 'shared', kind: 'cloud', botId: 'bot_1' } }, 'shared'],
    ['is not connected', { status: 'disabled' as const }, 'No Botpress connection'],
  ])('is skipped, and says why, where the bot %s', async (_, more, why) => {
    await put(acme, [['A?', 'a']]);
    connect(acme, more);
    expect(await push(acme)).toMatchObject({ state: 'skipped', reason: expect.stringContaining(why), error: null });
    expect(bot.changes).toEqual([]);
  });

  it('is tried again later where the bot is away, and says since when and why', async () => {
    await put(acme, [['A?', 'a']]);
    bot.refuse.push(503);
    await jobOf(acme, 'POST');
    const job = await until(acme, ({ error }) => error !== null);
    expect(job).toMatchObject({ state: 'queued', attempts: 1, error: { code: 'provider.unavailable', message: expect.stringContaining('not now') } });
    expect(Date.parse(job.nextAttemptAt ?? '')).toBeGreaterThan(Date.now() + 10_000);
    // Asked for again it does not wait.
    expect(await push(acme)).toMatchObject({ state: 'succeeded', attempts: 2, error: null });
  }, 30_000);

  it('waits as long as the bot says where it was throttled', async () => {
    await put(acme, [['A?', 'a']]);
    bot.refuse.push(429);
    await jobOf(acme, 'POST');
    expect(await until(acme, ({ error }) => error !== null)).toMatchObject({ state: 'queued', error: { code: 'provider.throttled' } });
  });

  it('fails where the bot refuses the key, and does not say the key', async () => {
    await put(acme, [['A?', 'a']]);
    connect(acme, { credentials: { accessToken: 'wrong-key' } });
    const job = await push(acme);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'provider.unauthorized' } });
    expect(JSON.stringify(job)).not.toContain('wrong-key');
  });

  it('is one job however often it is asked for, and one at a time of a tenant', async () => {
    await put(acme, Array.from({ length: 6 }, (_, index) => [`${index}?`, 'x'] as const));
    bot.slowness = 30;
    const asked = await Promise.all(Array.from({ length: 5 }, () => jobOf(acme, 'POST')));
    const ids = new Set(asked.map(({ jobId }) => jobId));
    expect(ids.size).toBeLessThanOrEqual(2);
    const [row] = (await sql(acme, "select count(*) filter (where state = 'running')::int as running, count(*) filter (where state = 'queued')::int as queued from chatbot_sync_jobs")) as [{ running: number; queued: number }];
    expect(row.running).toBeLessThanOrEqual(1);
    expect(row.queued).toBeLessThanOrEqual(1);
    await expect(sql(acme, "insert into chatbot_sync_jobs (tenant_id, job_id, state, due_at, created_at) select 'acme', 'job_' || n, 'running', now(), now() from generate_series(1, 2) n")).rejects.toThrow(/unique/);
    expect(await until(acme, ({ state }) => state === 'succeeded')).toMatchObject({ state: 'succeeded' });
  }, 30_000);

  it('is taken up by another process where the one that had it is dead', async () => {
    await put(acme, [['A?', 'a']]);
    await sql(acme, `update chatbot_sync_jobs set state = 'running', claim = 'of the dead', attempts = 1, started_at = now(), claimed_until = now() - interval '1 second'`);
    await put(globex, [['B?', 'b']]);
    await push(globex);
    expect(await until(acme, ({ state }) => state === 'succeeded')).toMatchObject({ state: 'succeeded', attempts: 2 });
  }, 30_000);

  it('of many tenants takes two at a time of a process, each in its turn', async () => {
    const tenants = Array.from({ length: 8 }, (_, index) => tenantIdSchema.parse(`many-${index}`));
    for (const tenantId of tenants) {
      house.tenantService.tenants.add(tenantId);
      connect(tenantId);
      await put(tenantId, [['A?', tenantId]]);
    }
    bot.slowness = 20;
    await Promise.all(tenants.map((tenantId) => jobOf(tenantId, 'POST')));
    for (const tenantId of tenants) expect(await until(tenantId, ({ state }) => state === 'succeeded')).toMatchObject({ state: 'succeeded' });
    for (const tenantId of tenants) expect(textsOf(tenantId)).toEqual([`# A?\n\n${tenantId}\n\nTags: x\n`]);
    expect(bot.busiest()).toBeLessThanOrEqual(2);
  }, 60_000);
});

describe('a bot that has just been connected', () => {
  const announce = (tenantId: TenantId, provider: string, status: string) => {
    const payload = { connectionId: newId('con'), provider, role: provider === 'botpress' ? 'bot' : 'channel', status, version: 1 };
    const envelope = { eventId: newId('evt'), type: 'connection.changed', version: 1, tenantId, occurredAt: new Date().toISOString(), orderingKey: payload.connectionId, payload };
    return runAsTenant(tenantId, () => house.db.transaction(() => house.db.sql.query('select bus.publish($1::jsonb)', [JSON.stringify([envelope])])));
  };

  it('is told what its tenant knows, and no other is', async () => {
    for (const tenantId of [acme, globex]) {
      await put(tenantId, [['A?', tenantId]]);
      await push(tenantId);
    }
    bot.files.clear();
    const last = (await jobOf(acme)).jobId;
    await announce(globex, 'whatsapp', 'active');
    await announce(globex, 'botpress', 'disabled');
    await announce(acme, 'botpress', 'active');
    expect(await until(acme, ({ jobId, state }) => jobId !== last && state === 'succeeded')).toMatchObject({ state: 'succeeded' });
    expect(textsOf(acme)).toEqual(['# A?\n\nacme\n\nTags: x\n']);
    expect(textsOf(globex)).toEqual([]);
  }, 30_000);
});

describe('pushing a chatbot to a v12 server', () => {
  it('replaces its questions under ids of ours, and trains it in the language of the chatbot', async () => {
    connect(acme, { settings: { kind: 'v12', apiBaseUrl: bot.url, botId: 'anna', email: 'hub@acme.example' }, credentials: { password: 'secret' } });
    await put(acme, [['Where?', 'Here.']]);
    expect(await push(acme)).toMatchObject({ state: 'succeeded', progress: { done: 2, total: 2 } });
    expect(bot.imported.questions).toMatchObject({ qnas: [{ id: expect.stringMatching(/^hub_[0-9a-f]{32}$/), data: { questions: { de: ['Where?', 'x'] }, answers: { de: ['Here.'] } } }] });
    expect(bot.imported.trained).toEqual(['de']);
  }, 30_000);
});
