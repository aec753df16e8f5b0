import type { KnowledgeEntry, TenantId } from '@switchboard/contracts';
import { createHash } from 'node:crypto';
import type { Chatbot } from '../create-chatbots.ts';

/** One file at the bot. `key` names it for good; `sha256` says whether what is there is what is to be there. */
export type KnowledgeDocument = { readonly key: string; readonly title: string; readonly contentType: string; readonly isIndexed: boolean; readonly body: string; readonly sha256: string };

/** Everything of a tenant at its bot begins with this. Tenant ids hold no slash. */
export function keyPrefixOf(tenantId: TenantId): string {
  return `hub/${tenantId}/`;
}

/** Pure: the chatbot as files, one for each entry and one for the config, which the bot's own code reads. */
export function documentsOf(tenantId: TenantId, { config, knowledgeBase }: Chatbot): KnowledgeDocument[] {
  const { botName, systemPrompt, language, allowedActions, fallbackMessage } = config;
  const settings = document({ key: `${keyPrefixOf(tenantId)}config.json`, title: botName, contentType: 'application/json', isIndexed: false, body: JSON.stringify({ botName, systemPrompt, language, allowedActions, fallbackMessage }) });
  return [settings, ...namedEntries(knowledgeBase).map(({ name, entry }) => document({ key: `${keyPrefixOf(tenantId)}knowledge/${name}.md`, title: entry.question, contentType: 'text/markdown', isIndexed: true, body: textOf(entry) }))];
}

/** Each entry with a name that follows from its question: a changed answer is the same document, and the order makes no difference. */
export function namedEntries(knowledgeBase: readonly KnowledgeEntry[]): { readonly name: string; readonly entry: KnowledgeEntry }[] {
  const times = new Map<string, number>();
  return knowledgeBase.map((entry) => {
    const hash = sha256(entry.question).slice(0, 32);
    const time = times.get(hash) ?? 0;
    times.set(hash, time + 1);
    // The same question twice is two documents.
    return { name: time === 0 ? hash : `${hash}-${time}`, entry };
  });
}

function textOf({ question, answer, tags }: KnowledgeEntry): string {
  return `# ${question}\n\n${answer}\n${tags.length === 0 ? '' : `\nTags: ${tags.join(', ')}\n`}`;
}

function document(file: Omit<KnowledgeDocument, 'sha256'>): KnowledgeDocument {
  return { ...file, title: [...file.title].slice(0, 200).join(''), sha256: sha256(`${file.contentType}\n${file.body}`) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
