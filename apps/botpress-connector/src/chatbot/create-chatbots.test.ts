import { describe, expect, it } from '@jest/globals';
import { tenantIdSchema, type KnowledgeEntry, type TenantId } from '@switchboard/contracts';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import type { StoredChatbot } from '../store/chatbots.ts';
import { createChatbots } from './create-chatbots.ts';

const [acme, globex] = testTenants;

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** A store that is counted, and what it holds. */
function storeOf(chatbots: ReadonlyMap<TenantId, StoredChatbot> | ((tenantId: TenantId) => StoredChatbot)) {
  const loads = new Map<TenantId, number>();
  return {
    loads,
    findCurrentVersion: async () => (typeof chatbots === 'function' ? chatbots(currentTenant()) : chatbots.get(currentTenant()))?.version,
    async find() {
      const tenantId = currentTenant();
      loads.set(tenantId, (loads.get(tenantId) ?? 0) + 1);
      const found = typeof chatbots === 'function' ? chatbots(tenantId) : chatbots.get(tenantId);
      // What was read is on its way, whatever changes meanwhile.
      for (let turn = 0; turn < 3; turn++) await nextTurn();
      return found;
    },
  };
}
const chatbot = (botName: string, version = 1, knowledgeBase: readonly KnowledgeEntry[] = []): StoredChatbot => ({ version, updatedAt: new Date(), knowledgeBase, config: { botName, language: 'en', enableHumanHandoff: true, allowedActions: [] } });
const nameIn = (tenantId: TenantId, chatbots: ReturnType<typeof createChatbots>) => runAsTenant(tenantId, async () => (await chatbots.current())?.config.botName);

describe('kept chatbots', () => {
  it("are each their tenant's, loaded once however many turns ask at the same time", async () => {
    const store = storeOf(new Map([[acme, chatbot('Anna')], [globex, chatbot('Gus')]]));
    const chatbots = createChatbots({ store, bytesMax: 1_000_000 });
    const names = await Promise.all(Array.from({ length: 20 }, (_, index) => nameIn(index % 2 === 0 ? acme : globex, chatbots)));
    expect(new Set(names.filter((_, index) => index % 2 === 0))).toEqual(new Set(['Anna']));
    expect(new Set(names.filter((_, index) => index % 2 === 1))).toEqual(new Set(['Gus']));
    expect([...store.loads.values()]).toEqual([1, 1]);
  });

  it('are the same object as long as they are kept, and remember a tenant that has none', async () => {
    const store = storeOf(new Map([[acme, chatbot('Anna')]]));
    const chatbots = createChatbots({ store, bytesMax: 1_000_000 });
    await runAsTenant(acme, async () => expect(await chatbots.current()).toBe(await chatbots.current()));
    expect([await nameIn(globex, chatbots), await nameIn(globex, chatbots)]).toEqual([undefined, undefined]);
    expect([...store.loads.values()]).toEqual([1, 1]);
  });

  it('of one tenant are forgotten when they change, and no other is', async () => {
    const chatbotsOf = new Map([[acme, chatbot('Anna')], [globex, chatbot('Gus')]]);
    const store = storeOf(chatbotsOf);
    const chatbots = createChatbots({ store, bytesMax: 1_000_000 });
    await Promise.all([nameIn(acme, chatbots), nameIn(globex, chatbots)]);
    chatbotsOf.set(acme, chatbot('Berta', 2));
    expect(await nameIn(acme, chatbots)).toBe('Anna');
    await runAsTenant(acme, () => chatbots.drop());
    expect(await nameIn(acme, chatbots)).toBe('Berta');
    expect(await nameIn(globex, chatbots)).toBe('Gus');
    expect(store.loads.get(globex)).toBe(1);
  });

  it('are asked for their version after a minute, and are the same object where it is the same', async () => {
    let now = 0;
    const chatbotsOf = new Map([[acme, chatbot('Anna')]]);
    const store = storeOf(chatbotsOf);
    const chatbots = createChatbots({ store, bytesMax: 1_000_000, now: () => now });
    const first = await runAsTenant(acme, () => chatbots.current());
    now = 61_000;
    expect(await runAsTenant(acme, () => chatbots.current())).toBe(first);
    // Of this change no word came.
    chatbotsOf.set(acme, chatbot('Berta', 2));
    expect(await nameIn(acme, chatbots)).toBe('Anna');
    now = 122_000;
    expect(await nameIn(acme, chatbots)).toBe('Berta');
    expect(store.loads.get(acme)).toBe(2);
  });

  it('that were being loaded when they changed are not kept as they were', async () => {
    const chatbotsOf = new Map([[acme, chatbot('Anna')]]);
    const chatbots = createChatbots({ store: storeOf(chatbotsOf), bytesMax: 1_000_000 });
    const before = nameIn(acme, chatbots);
    await nextTurn();
    chatbotsOf.set(acme, chatbot('Berta', 2));
    await runAsTenant(acme, () => chatbots.drop());
    expect(await before).toBe('Anna');
    expect(await nameIn(acme, chatbots)).toBe('Berta');
  });

  it('take no more memory than they may, however many tenants there are', async () => {
    const knowledgeBase = [{ question: 'long', answer: 'some words '.repeat(1_000), tags: [] }];
    const store = storeOf(() => chatbot('Anna', 1, structuredClone(knowledgeBase)));
    const chatbots = createChatbots({ store, bytesMax: 300_000 });
    const tenants = Array.from({ length: 50 }, (_, index) => tenantIdSchema.parse(`tenant-${index}`));
    for (const tenantId of tenants) await nameIn(tenantId, chatbots);
    // The last ones are there, the first made room.
    for (const tenantId of tenants.slice(-5)) await nameIn(tenantId, chatbots);
    expect(tenants.slice(-5).map((tenantId) => store.loads.get(tenantId))).toEqual([1, 1, 1, 1, 1]);
    for (const tenantId of tenants.slice(0, 5)) await nameIn(tenantId, chatbots);
    expect(tenants.slice(0, 5).map((tenantId) => store.loads.get(tenantId))).toEqual([2, 2, 2, 2, 2]);
  });
});
