import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { chatbotVersionsMax, createChatbot, getChatbot, getChatbotSync, listBookings, listChatbotVersions, postChatbot, putChatbot, replaceKnowledgeBase, restoreChatbotVersion, startChatbotSync, tenantIdSchema, type TenantId } from '@switchboard/contracts';
import { adminHeaders, describeRoute, keyHeaders } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { startChatbotService, type ChatbotService } from '../../test/start-chatbot-service.ts';
import { createBookingStore } from '../store/bookings.ts';

const [acme, globex] = testTenants;
const nobody = tenantIdSchema.parse('no-such-tenant');
let house: ChatbotService;
beforeAll(async () => {
  house = await startChatbotService();
}, 60_000);
afterAll(() => house?.stop());

const config = {
  botName: 'Anna',
  systemPrompt: 'You help with parcels.\nBe brief.',
  welcomeMessage: 'Hello!',
  language: 'de',
  businessHours: { timezone: 'Europe/Berlin', hours: [{ day: 'mon-fri', from: '09:00', to: '18:00' }], exceptions: [{ date: '2026-12-25', closed: true as const }], closedMessage: 'We are closed.' },
  fallbackMessage: 'Somebody will answer.',
  enableHumanHandoff: true,
  allowedActions: ['lead_capture' as const, 'booking' as const, 'handoff' as const],
  escalationRules: { agentId: 7, keywords: ['Mensch', 'Agent'], labels: ['bot'] },
  botpressBotId: 'bot_1',
  chatwootInboxId: 12,
};
const knowledgeBase = [{ question: 'Wo ist mein Paket?', answer: 'Im Depot.', tags: ['paket'] }];
const textIds = { escalationRules: { ...config.escalationRules, agentId: '7' }, chatwootInboxId: '12' };

type Answer = { readonly status: number; readonly body: Record<string, unknown> };
async function ask(method: string, path: string, { body, as = adminHeaders() }: { readonly body?: unknown; readonly as?: Record<string, string> } = {}): Promise<Answer> {
  const response = await fetch(`${house.url()}/api/chatbot/tenants${path}`, { method, headers: { ...as, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const key = (tenantId: TenantId) => keyHeaders('botpress-connector', tenantId);

async function clear(tenantId: TenantId): Promise<void> {
  await runAsTenant(tenantId, () => house.db.transaction(async () => {
    for (const table of ['chatbots', 'chatbot_versions', 'chatbot_knowledge', 'chatbot_sync_jobs', 'bookings']) await house.db.sql.query(`delete from ${table}`);
  }));
}
async function setUp(tenantId: TenantId): Promise<void> {
  await clear(tenantId);
  expect(await ask('POST', '', { body: { tenantId, config, knowledgeBase } })).toMatchObject({ status: 201 });
}

const suite = { service: 'botpress-connector', url: () => house.url(), tenants: [acme, globex] } as const;
const given = async (tenantId: TenantId) => {
  await setUp(tenantId);
  return { params: { tenantId } };
};

describeRoute(createChatbot, {
  ...suite,
  input: async (tenantId) => {
    await clear(tenantId);
    return { body: { tenantId, config, knowledgeBase } };
  },
  badInputs: {
    'a day that is none': (input) => ({ ...input, body: { config: { ...config, businessHours: { timezone: 'Europe/Berlin', hours: [{ day: 'monday', from: '09:00', to: '18:00' }] } } } }),
    'a time zone that is none': (input) => ({ ...input, body: { config: { ...config, businessHours: { timezone: 'Europe/Atlantis', hours: [] } } } }),
    'an action that is none': (input) => ({ ...input, body: { config: { ...config, allowedActions: ['refund'] } } }),
    'half of a letter, which Postgres refuses': (input) => ({ ...input, body: { config: { ...config, botName: 'a\ud800' } } }),
    'no name': (input) => ({ ...input, body: { config: {} } }),
  },
});
describeRoute(getChatbot, { ...suite, input: given });
describeRoute(postChatbot, { ...suite, input: async (tenantId) => ({ ...(await given(tenantId)), body: { config } }) });
describeRoute(putChatbot, { ...suite, input: async (tenantId) => ({ ...(await given(tenantId)), body: { config, knowledgeBase } }) });
describeRoute(replaceKnowledgeBase, { ...suite, input: async (tenantId) => ({ ...(await given(tenantId)), body: { knowledgeBase } }), badInputs: { 'an entry without an answer': (input) => ({ ...input, body: { knowledgeBase: [{ question: 'x' }] } }) } });
describeRoute(startChatbotSync, { ...suite, input: given });
describeRoute(getChatbotSync, { ...suite, input: given });
describeRoute(listChatbotVersions, { ...suite, input: given });
describeRoute(restoreChatbotVersion, { ...suite, input: async (tenantId) => ({ params: { ...(await given(tenantId)).params, version: 1 } }) });
describeRoute(listBookings, { ...suite, input: given });

describe('a chatbot', () => {
  beforeEach(async () => {
    await clear(acme);
    await clear(globex);
  });

  it('is what was sent, for the platform and for its tenant, with ids as texts', async () => {
    await setUp(acme);
    for (const as of [adminHeaders(), key(acme)]) {
      const { body } = await ask('GET', `/${acme}/config`, { as });
      expect(body).toMatchObject({ tenantId: acme, version: 1, config: { ...config, ...textIds }, knowledgeBase });
    }
  });

  it('is set up by its tenant without naming it, once', async () => {
    expect(await ask('POST', '', { body: { config }, as: key(acme) })).toMatchObject({ status: 201, body: { tenantId: acme, version: 1, knowledgeBase: [] } });
    expect(await ask('POST', '', { body: { config }, as: key(acme) })).toMatchObject({ status: 409, body: { code: 'chatbot.taken' } });
    expect(await ask('GET', `/${globex}/config`)).toMatchObject({ status: 404, body: { code: 'chatbot.not_found' } });
  });

  it('is set up once however many do it at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask('POST', '', { body: { tenantId: acme, config } })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  it("is the platform's to set up for a tenant that it names and that there is", async () => {
    expect(await ask('POST', '', { body: { config } })).toMatchObject({ status: 400, body: { issues: [{ path: 'body.tenantId' }] } });
    for (const answer of [await ask('POST', '', { body: { tenantId: nobody, config } }), await ask('GET', `/${nobody}/config`), await ask('PUT', `/${nobody}/config`, { body: { config } }), await ask('GET', `/${nobody}/bookings`), await ask('POST', `/${nobody}/config/sync`)]) {
      expect(answer).toMatchObject({ status: 404, body: { code: 'tenant.not_found' } });
    }
  });

  it('of another tenant is one of a tenant that there is not', async () => {
    await setUp(globex);
    const withoutRequest = ({ status, body }: Answer) => ({ status, ...body, requestId: '' });
    for (const [method, path, body] of [['GET', '/config', undefined], ['PUT', '/config', { config }], ['POST', '/knowledge-base', { knowledgeBase }], ['POST', '/config/sync', undefined], ['POST', '/config/versions/1/restore', undefined], ['GET', '/bookings', undefined]] as const) {
      const [theirs, none] = [await ask(method, `/${globex}${path}`, { body, as: key(acme) }), await ask(method, `/${nobody}${path}`, { body, as: key(acme) })];
      expect(theirs).toMatchObject({ status: 404, body: { code: 'tenant.not_found' } });
      expect(withoutRequest(theirs)).toEqual(withoutRequest(none));
    }
    expect(await ask('GET', `/${globex}/config`, { as: key(globex) })).toMatchObject({ body: { version: 1 } });
  });

  it('keeps what it knows when only its config is replaced, by POST and by PUT', async () => {
    await setUp(acme);
    expect(await ask('POST', `/${acme}/config`, { body: { config: { ...config, botName: 'Berta' } } })).toMatchObject({ status: 200, body: { version: 2, config: { botName: 'Berta' }, knowledgeBase } });
    expect(await ask('PUT', `/${acme}/config`, { body: { config: { botName: 'Carla' }, knowledgeBase: [] }, as: key(acme) })).toMatchObject({ status: 200, body: { version: 3, config: { botName: 'Carla', language: 'en', allowedActions: [] }, knowledgeBase: [] } });
  });

  it('keeps its versions, which can be restored as a new one', async () => {
    await setUp(acme);
    await ask('POST', `/${acme}/knowledge-base`, { body: { knowledgeBase: [] } });
    await ask('PUT', `/${acme}/config`, { body: { config: { botName: 'Carla' } } });
    expect(await ask('POST', `/${acme}/config/versions/1/restore`)).toMatchObject({ status: 200, body: { version: 4, config: { botName: 'Anna' }, knowledgeBase } });
    expect(await ask('GET', `/${acme}/config/versions?limit=2`)).toMatchObject({ body: { data: [{ version: 4, isCurrent: true, entries: 1 }, { version: 3, isCurrent: false, entries: 0 }], nextCursor: expect.any(String) } });
    expect(await ask('POST', `/${acme}/config/versions/9/restore`)).toMatchObject({ status: 404, body: { code: 'chatbot.version_not_found' } });
    expect(await ask('POST', `/${globex}/config/versions/1/restore`)).toMatchObject({ status: 404, body: { code: 'chatbot.not_found' } });
  });

  it('keeps no more versions than are promised, and no knowledge that none of them has', async () => {
    await setUp(acme);
    for (let i = 0; i < chatbotVersionsMax + 2; i++) await ask('POST', `/${acme}/knowledge-base`, { body: { knowledgeBase: [{ question: `${i}`, answer: 'x' }] } });
    const [row] = await runAsTenant(acme, () => house.db.transaction(() => house.db.sql.query('select (select count(*)::int from chatbot_versions) as versions, (select count(*)::int from chatbot_knowledge) as knowledge')));
    expect(row).toEqual({ versions: chatbotVersionsMax, knowledge: chatbotVersionsMax });
  }, 30_000);

  it('says where an input is wrong, and why', async () => {
    const { body } = await ask('PUT', `/${acme}/config`, { body: { config: { ...config, colour: 'red', businessHours: { timezone: 'Europe/Berlin', hours: [{ day: 'mon-fri', from: '9:00', to: '18:00' }] } }, knowledgeBase: [{ question: '', answer: 'x', tags: [] }] } });
    const issues = body['issues'] as { readonly path: string; readonly message: string }[]; // a refusal has issues
    expect(issues.map(({ path }) => path).toSorted()).toEqual(['body.config.businessHours.hours[0].from', 'body.config.colour', 'body.knowledgeBase[0].question']);
    expect(issues.every(({ message }) => message.length > 5)).toBe(true);
  });

  it('takes fifty entries of 20 KB, and refuses more bytes than are promised', async () => {
    await setUp(acme);
    const entry = { question: 'long', answer: 'ä'.repeat(10_000), tags: [] };
    expect(await ask('POST', `/${acme}/knowledge-base`, { body: { knowledgeBase: Array.from({ length: 50 }, () => entry) } })).toMatchObject({ status: 200 });
    expect(await ask('POST', `/${acme}/knowledge-base`, { body: { knowledgeBase: Array.from({ length: 80 }, () => entry) } })).toMatchObject({ status: 400, body: { issues: [{ path: 'body.knowledgeBase', message: expect.stringContaining('1500000 bytes') }] } });
  });

  it('tells of each change, and who made it, in the transaction of the change', async () => {
    await setUp(acme);
    await ask('PUT', `/${acme}/config`, { body: { config: { botName: 'Berta' } }, as: key(acme) });
    const rows = await runAsTenant(acme, () => house.db.transaction(() => house.db.sql.query<{ changed_by: string }>('select changed_by from chatbot_versions order by version')));
    expect(rows.map(({ changed_by }) => changed_by)).toEqual(['admin-key', expect.stringMatching(/^key_/)]);
  });

  it('shows its own bookings alone, the newest first', async () => {
    const bookings = createBookingStore(house.db);
    for (const [tenantId, name] of [[acme, 'A'], [acme, 'B'], [globex, 'C']] as const) {
      await runAsTenant(tenantId, () => house.db.transaction(() => bookings.insert({ requestKey: name, contact: { name } }, new Date())));
    }
    expect(await ask('GET', `/${acme}/bookings`, { as: key(acme) })).toMatchObject({ body: { data: [{ contact: { name: 'B' } }, { contact: { name: 'A' } }], nextCursor: null } });
    expect(await ask('GET', `/${globex}/bookings`)).toMatchObject({ body: { data: [{ contact: { name: 'C' } }] } });
  });
});
