import { afterAll, describe, expect, it } from '@jest/globals';
import { newId, tenantIdSchema } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { testRedis } from '@switchboard/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredChatbot } from '../store/chatbots.ts';
import { createChatbots, type Chatbots } from './create-chatbots.ts';

const redis = testRedis();
const opened: Chatbots[] = [];
afterAll(() => Promise.all(opened.map((chatbots) => chatbots.close())));

const chatbot = (botName: string, version: number): StoredChatbot => ({ version, updatedAt: new Date(), knowledgeBase: [{ question: 'Wo?', answer: 'Hier.', tags: [] }], config: { botName, language: 'de', enableHumanHandoff: true, allowedActions: [] } });

/** A process of the service: what it loads from the database is counted. */
function processOf(current: () => StoredChatbot) {
  const loads = { count: 0 };
  const store = { find: async () => (loads.count++, current()), findCurrentVersion: async () => current().version };
  const chatbots = createChatbots({ store, bytesMax: 1_000_000, redisUrl: redis?.url });
  opened.push(chatbots);
  return { chatbots, loads };
}

(redis === undefined ? describe.skip : describe)('chatbots of several processes', () => {
  it('are loaded from the database by one, and are forgotten by all, each tenant for itself', async () => {
    let now = chatbot('Anna', 1);
    const [first, second] = [processOf(() => now), processOf(() => now)];
    const nameAt = async ({ chatbots }: typeof first, tenant: string) => (await runAsTenant(tenantIdSchema.parse(tenant), () => chatbots.current()))?.config.botName;
    // Connected as soon as the second has what the first has loaded; each try is another tenant's.
    let tenant = newId('req');
    for (const end = Date.now() + 10_000; Date.now() < end; tenant = newId('req'), await sleep(50)) {
      await nameAt(first, tenant);
      const before = second.loads.count;
      expect(await nameAt(second, tenant)).toBe('Anna');
      if (second.loads.count === before) break;
    }
    const loaded = second.loads.count;
    now = chatbot('Berta', 2);
    expect(await nameAt(second, tenant)).toBe('Anna');
    for (const { chatbots } of [first, second]) await runAsTenant(tenantIdSchema.parse(tenant), () => chatbots.drop());
    expect([await nameAt(first, tenant), await nameAt(second, tenant)]).toEqual(['Berta', 'Berta']);
    expect(second.loads.count).toBe(loaded);
  });

  it('are answered all the same while Redis is away', async () => {
    const chatbots = createChatbots({ store: { find: async () => chatbot('Anna', 1), findCurrentVersion: async () => 1 }, bytesMax: 1_000_000, redisUrl: 'redis://127.0.0.1:1' });
    opened.push(chatbots);
    expect((await runAsTenant(tenantIdSchema.parse('acme'), () => chatbots.current()))?.config.botName).toBe('Anna');
  });
});
