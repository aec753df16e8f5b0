import type { ChatbotConfig, KnowledgeEntry } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import { createHash } from 'node:crypto';
import type { BotpressDatabase } from './client.ts';
import type { Prisma } from './generated/client.ts';

/** A chatbot as one of its versions has it. */
export type ChatbotContent = { readonly config: ChatbotConfig; readonly knowledgeBase: readonly KnowledgeEntry[] };
export type StoredChatbot = ChatbotContent & { readonly version: number; readonly updatedAt: Date };
export type StoredVersion = { readonly version: number; readonly entries: number; readonly changedBy: string; readonly createdAt: Date };

/** Rows of `chatbots`, `chatbot_versions` and `chatbot_knowledge`, of the current tenant. */
export function createChatbotStore(db: BotpressDatabase) {
  const knowledge = async (hash: string): Promise<readonly KnowledgeEntry[]> => {
    const { entries } = await db.prisma.chatbotKnowledge.findUniqueOrThrow({ where: { tenantId_hash: { tenantId: currentTenant(), hash } } });
    return entries as KnowledgeEntry[]; // written by `save` alone
  };

  return {
    find: (): Promise<StoredChatbot | undefined> =>
      db.transaction(async () => {
        const row = await db.prisma.chatbot.findUnique({ where: { tenantId: currentTenant() } });
        if (row === null) return undefined;
        // The cast is safe: configs are written from a ChatbotConfig, and from nowhere else.
        return { version: row.version, config: row.config as ChatbotConfig, knowledgeBase: await knowledge(row.knowledgeHash), updatedAt: row.updatedAt };
      }),

    /** Undefined where there is none. */
    findCurrentVersion: (): Promise<number | undefined> =>
      db.transaction(async () => (await db.prisma.chatbot.findUnique({ where: { tenantId: currentTenant() }, select: { version: true } }))?.version),

    /** Inside a transaction: until it ends nobody else changes the tenant's chatbot, also where there is none yet. */
    async lock(): Promise<void> {
      await db.sql.query("select pg_advisory_xact_lock(hashtextextended('chatbot ' || $1, 0))", [currentTenant()]);
    },

    findVersion: (version: number): Promise<ChatbotContent | undefined> =>
      db.transaction(async () => {
        const row = await db.prisma.chatbotVersion.findUnique({ where: { tenantId_version: { tenantId: currentTenant(), version } } });
        // The cast is safe: see `find`.
        return row === null ? undefined : { config: row.config as ChatbotConfig, knowledgeBase: await knowledge(row.knowledgeHash) };
      }),

    /** The newest first, those before `before`. */
    listVersions: ({ limit, before }: { readonly limit: number; readonly before?: number }): Promise<StoredVersion[]> =>
      db.transaction(() =>
        db.prisma.chatbotVersion.findMany({
          where: { tenantId: currentTenant(), ...(before === undefined ? {} : { version: { lt: before } }) },
          orderBy: { version: 'desc' },
          take: limit,
          select: { version: true, entries: true, changedBy: true, createdAt: true },
        }),
      ),

    /** Inside a transaction, after `lock`. Keeps the last `keep` versions. */
    async save({ version, config, knowledgeBase, changedBy, at, keep }: ChatbotContent & { readonly version: number; readonly changedBy: string; readonly at: Date; readonly keep: number }): Promise<void> {
      const tenantId = currentTenant();
      const entries = JSON.stringify(knowledgeBase);
      const knowledgeHash = createHash('sha256').update(entries).digest('hex');
      await db.sql.query('insert into chatbot_knowledge (tenant_id, hash, entries) values ($1, $2, $3::jsonb) on conflict do nothing', [tenantId, knowledgeHash, entries]);
      // The cast is safe: a config is JSON.
      const state = { version, config: config as Prisma.InputJsonObject, knowledgeHash };
      await db.prisma.chatbot.upsert({ where: { tenantId }, create: { tenantId, ...state, updatedAt: at }, update: { ...state, updatedAt: at } });
      await db.prisma.chatbotVersion.create({ data: { tenantId, ...state, entries: knowledgeBase.length, changedBy, createdAt: at } });
      await db.prisma.chatbotVersion.deleteMany({ where: { tenantId, version: { lte: version - keep } } });
      await db.sql.query('delete from chatbot_knowledge where tenant_id = $1 and not exists (select from chatbot_versions where chatbot_versions.tenant_id = $1 and knowledge_hash = hash)', [tenantId]);
    },
  };
}
export type ChatbotStore = ReturnType<typeof createChatbotStore>;
