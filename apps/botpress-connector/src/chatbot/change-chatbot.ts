import { chatbotVersionsMax, hubError, type ChatbotConfig, type ChatbotRecord, type KnowledgeEntry } from '@switchboard/contracts';
import { currentActor, currentTenant } from '@switchboard/tenant-context';
import type { ChatbotContent } from '../store/chatbots.ts';
import type { ChatbotDependencies } from './dependencies.ts';

/** What is said of a change besides what was changed. */
type Deed = 'chatbot.created' | 'chatbot.changed' | 'chatbot.knowledge_replaced' | 'chatbot.restored';
/** What the chatbot is to be, by what it is. Throws the HubError that refuses the change. */
type Decide = (before: ChatbotContent | undefined) => ChatbotContent | Promise<ChatbotContent>;

/** Throws `chatbot.taken`. */
export function setUpChatbot(deps: ChatbotDependencies, content: { readonly config: ChatbotConfig; readonly knowledgeBase?: readonly KnowledgeEntry[] | undefined }): Promise<ChatbotRecord> {
  return change(deps, { deed: 'chatbot.created' }, (before) => {
    if (before !== undefined) throw hubError('chatbot.taken');
    return { config: content.config, knowledgeBase: content.knowledgeBase ?? [] };
  });
}

/** Replaces the config, and the knowledge base where one is given. */
export function replaceChatbot(deps: ChatbotDependencies, content: { readonly config: ChatbotConfig; readonly knowledgeBase?: readonly KnowledgeEntry[] | undefined }): Promise<ChatbotRecord> {
  return change(deps, { deed: 'chatbot.changed' }, (before) => ({ config: content.config, knowledgeBase: content.knowledgeBase ?? before?.knowledgeBase ?? [] }));
}

/** Throws `chatbot.not_found`. */
export function replaceKnowledge(deps: ChatbotDependencies, knowledgeBase: readonly KnowledgeEntry[]): Promise<ChatbotRecord> {
  return change(deps, { deed: 'chatbot.knowledge_replaced' }, (before) => {
    if (before === undefined) throw hubError('chatbot.not_found');
    return { config: before.config, knowledgeBase };
  });
}

/** Throws `chatbot.not_found`, `chatbot.version_not_found`. */
export function restoreVersion(deps: ChatbotDependencies, version: number): Promise<ChatbotRecord> {
  return change(deps, { deed: 'chatbot.restored', facts: { restored: version } }, async (before) => {
    if (before === undefined) throw hubError('chatbot.not_found');
    const kept = await deps.chatbotStore.findVersion(version);
    if (kept === undefined) throw hubError('chatbot.version_not_found');
    return kept;
  });
}

/** One transaction: the new version, the word of it, who did it, and the job that pushes it. */
async function change(deps: ChatbotDependencies, { deed, facts = {} }: { readonly deed: Deed; readonly facts?: Readonly<Record<string, unknown>> }, decide: Decide): Promise<ChatbotRecord> {
  const { db, bus, chatbotStore, syncJobs, now } = deps;
  return await db.transaction(async () => {
    await chatbotStore.lock();
    const before = await chatbotStore.find();
    const { config, knowledgeBase } = await decide(before);
    const version = (before?.version ?? 0) + 1;
    const at = now();
    const actor = currentActor();
    const tenantId = currentTenant();
    await chatbotStore.save({ version, config, knowledgeBase, changedBy: actor.subject, at, keep: chatbotVersionsMax });
    await bus.publish('chatbot.changed', { version }, { orderingKey: tenantId });
    await bus.publish(
      'audit.recorded',
      {
        at: at.toISOString(),
        actor,
        action: deed,
        subject: tenantId,
        ...(before === undefined ? {} : { before: { ...before.config } }),
        after: { ...config },
        facts: { version, entries: knowledgeBase.length, ...facts },
      },
      { orderingKey: tenantId },
    );
    await syncJobs.queue({ now: at, delayMs: syncDelayMs, putOffMsMax: syncPutOffMsMax });
    db.afterCommit(() => {
      void deps.chatbots.drop();
      deps.syncWorker.wake(syncDelayMs);
    });
    return { tenantId, version, config, knowledgeBase: [...knowledgeBase], updatedAt: at.toISOString() };
  });
}

/** Milliseconds after a change for which another one is waited for: people save several times in a row. */
const syncDelayMs = 5_000;
/** Milliseconds after the first of them at which it is pushed all the same. */
const syncPutOffMsMax = 60_000;
