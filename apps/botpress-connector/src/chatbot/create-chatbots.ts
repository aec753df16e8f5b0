import { createMemoryStore, createRedisStore, createTenantCache, type CacheStore } from '@switchboard/cache';
import { bytesOfKnowledge, type ChatbotConfig, type KnowledgeEntry } from '@switchboard/contracts';
import type { ChatbotStore } from '../store/chatbots.ts';
import { prepareKnowledge } from './select-knowledge.ts';

/** A tenant's chatbot as a turn needs it. */
export type Chatbot = { readonly version: number; readonly config: ChatbotConfig; readonly knowledgeBase: readonly KnowledgeEntry[] };

/** Chatbots of tenants, each that of the tenant whose work this is. */
export interface Chatbots {
  /** Undefined where the tenant has set none up. The same object as long as it is kept. */
  current(): Promise<Chatbot | undefined>;
  /** Forgets what is kept of the tenant's. */
  drop(): Promise<void>;
  close(): Promise<void>;
}

export type ChatbotsOptions = {
  readonly store: Pick<ChatbotStore, 'find' | 'findCurrentVersion'>;
  /** Where several processes have one memory in common, besides their own. */
  readonly redisUrl?: string | undefined;
  /** Bytes of chatbots that this process keeps; those that are not asked for make room. */
  readonly bytesMax: number;
  readonly onCacheFailure?: (code: string) => void;
  readonly now?: () => number;
};

/** A tenant that has none is remembered too: it is asked for with each message of every tenant. */
type Kept = { readonly chatbot: Chatbot | null };
type OwnKept = Kept & { /** Milliseconds; when it was known last to be the current one. */ checkedAt: number };

/** Milliseconds after which the version is asked for again: what a missed event costs at the most. */
const checkedForMs = 60_000;
/** Milliseconds. Long: chatbots change once a week, are asked for all day, and the index of a large one takes a tenth of a second. */
const keptForMs = 3_600_000;
/** Objects around a text, and what a tenant without a chatbot takes. */
const overheadBytes = 1_000;
const entriesMax = 100_000;

/**
 * The current chatbot, from this process's memory, from Redis where there is one, from the database. Memory is bounded by bytes: of ten thousand
 * tenants with 20 KB each those that are talked to are kept, and the others are loaded when they are.
 */
export function createChatbots({ store, redisUrl, bytesMax, onCacheFailure, now = Date.now }: ChatbotsOptions): Chatbots {
  const memory = createMemoryStore({ entriesMax, weight: { bytesMax, bytesOf: (value) => bytesOfKept(value as Kept) }, now }); // put below alone
  const own = createTenantCache<OwnKept>({ store: memory, name: 'chatbot', parse: (value) => value as OwnKept }); // by reference: what was put
  const together: CacheStore | undefined = redisUrl === undefined ? undefined : createRedisStore({ url: redisUrl, ...(onCacheFailure === undefined ? {} : { onFailure: onCacheFailure }) });
  const common = together === undefined ? undefined : createTenantCache<Kept>({ store: together, name: 'chatbot', parse: parseKept });

  const read = async (): Promise<Kept> => {
    const found = await store.find();
    return { chatbot: found === undefined ? null : { version: found.version, config: found.config, knowledgeBase: found.knowledgeBase } };
  };
  const load = () => (common === undefined ? read() : common.remember('current', async () => ({ value: await read(), keptForMs })));

  const remember = () => own.remember('current', async () => ({ value: { ...(await load()), checkedAt: now() }, keptForMs }));

  async function drop(): Promise<void> {
    // First what the other one would be filled from.
    await common?.forget('current');
    await own.forget('current');
  }

  async function isCurrent(kept: OwnKept): Promise<boolean> {
    if (now() - kept.checkedAt < checkedForMs) return true;
    // Before the answer: one question is enough for all who ask now.
    kept.checkedAt = now();
    return (await store.findCurrentVersion()) === kept.chatbot?.version;
  }

  return {
    async current() {
      let kept = await remember();
      if (!(await isCurrent(kept))) {
        await drop();
        kept = await remember();
      }
      return kept.chatbot ?? undefined;
    },
    drop,
    async close() {
      await Promise.all([memory.close(), together?.close()]);
    },
  };
}

function bytesOfKept({ chatbot }: Kept): number {
  if (chatbot === null) return overheadBytes;
  // Texts that are not Latin take two bytes a letter in memory; the index is made now instead of in the first turn.
  return overheadBytes + 2 * (bytesOfKnowledge(chatbot.knowledgeBase) + JSON.stringify(chatbot.config).length) + prepareKnowledge(chatbot.knowledgeBase);
}

/** Redis is asked by versions of this service alone, and each of them under its own form's name. */
function parseKept(value: unknown): Kept | undefined {
  return typeof value === 'object' && value !== null && 'chatbot' in value ? (value as Kept) : undefined;
}
