import { hubError } from '@switchboard/contracts';
import { providers } from '@switchboard/providers';
import type { EgressRequest } from '@switchboard/service-kit';
import { z } from 'zod';
import { askBot, jsonOf } from './ask-bot.ts';
import { documentsOf, keyPrefixOf, type KnowledgeDocument } from './knowledge-documents.ts';
import type { PushKnowledge } from './knowledge-target.ts';

/** Of the Files API: botpress.com/docs/api-reference/files-api, only what is used. */
const fileSchema = z.object({ id: z.string(), key: z.string(), status: z.string().default('indexing_completed'), tags: z.record(z.string(), z.string()).default({}), failedStatusReason: z.string().nullish(), uploadUrl: z.string().optional() });
type File = z.output<typeof fileSchema>;
const filePage = z.object({ files: z.array(fileSchema), meta: z.object({ nextToken: z.string().nullish() }).optional() });
const oneFile = z.object({ file: fileSchema });
const oneKnowledgeBase = z.object({ knowledgeBase: z.object({ id: z.string() }) });

/** Milliseconds until the first look at how indexing goes, between two later ones, and for which it is waited for. */
const firstPollMs = 250;
const pollMsMax = 4_000;
const indexingMsMax = 10 * 60_000;
/** Pages of files that are read: ten times as many as a knowledge base has. */
const pagesMax = 200;

/**
 * Makes the tenant's files at the bot those of its chatbot: what is there and the same stays, what is new or other is put under its key, what
 * has vanished is deleted. Broken off anywhere, the next push goes on: the files themselves say what they are.
 */
export const pushToCloud: PushKnowledge = async ({ tenantId, chatbot, connection, egress, note, sleep }) => {
  const { settings, credentials, routingIdentifiers } = connection;
  const base = (settings['filesBaseUrl'] ?? providers.botpress.hosts({ kind: 'cloud' })['files'] ?? '').replace(/\/+$/, '');
  const headers = { authorization: `Bearer ${credentials['accessToken'] ?? ''}`, 'x-bot-id': settings['botId'] ?? routingIdentifiers['botId'] ?? '' };
  const ask = async (method: EgressRequest['method'], path: string, body?: object) =>
    askBot(egress, { method, url: `${base}/v1/files${path}`, headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

  const documents = documentsOf(tenantId, chatbot);
  let [done, total] = [0, documents.length];

  async function list(): Promise<Map<string, File>> {
    const found = new Map<string, File>();
    let token: string | undefined;
    for (let page = 0; page < pagesMax; page++) {
      const query = new URLSearchParams({ 'tags[tenant]': tenantId, ...(token === undefined ? {} : { nextToken: token }) });
      const { files, meta } = filePage.parse(jsonOf(await ask('GET', `?${query.toString()}`)));
      // Never another's, whatever a filter lets through.
      for (const file of files) if (file.key.startsWith(keyPrefixOf(tenantId))) found.set(file.key, file);
      token = meta?.nextToken ?? undefined;
      // There may be fifty pages: the work is still ours after each.
      await note({ done, total });
      if (token === undefined) return found;
    }
    throw hubError('provider.rejected', { publicMessage: 'The bot has more files of this tenant than can be looked through.' });
  }

  /** The one that the files there are in, else a new one: what is in none, the bot's Studio does not show. */
  async function findKnowledgeBase(present: ReadonlyMap<string, File>): Promise<string> {
    for (const { tags } of present.values()) if (tags['kbId'] !== undefined) return tags['kbId'];
    return oneKnowledgeBase.parse(jsonOf(await ask('POST', '/knowledge-bases', { name: `${chatbot.config.botName} (Switchboard)`, tags: { tenant: tenantId } }))).knowledgeBase.id;
  }

  async function put(document: KnowledgeDocument, kbId: string): Promise<void> {
    const tags = { ...(document.isIndexed ? { source: 'knowledge-base', kbId } : { source: 'switchboard' }), tenant: tenantId, sha256: document.sha256, title: document.title, version: String(chatbot.version) };
    const size = Buffer.byteLength(document.body);
    const { file } = oneFile.parse(jsonOf(await ask('PUT', '', { key: document.key, size, index: document.isIndexed, contentType: document.contentType, tags })));
    // An address that the provider made for this file; it carries its own right, and no credentials of ours go there.
    if (file.uploadUrl !== undefined) await askBot(egress, { method: 'PUT', url: file.uploadUrl, headers: { 'content-type': document.contentType }, body: Buffer.from(document.body) });
  }

  const present = await list();
  const vanished = [...present.values()].filter(({ key }) => !documents.some((document) => document.key === key));
  total += vanished.length;
  const kbId = documents.some(({ isIndexed }) => isIndexed) ? await findKnowledgeBase(present) : '';
  await note({ done, total });
  for (const document of documents) {
    if (!isThere(document, present.get(document.key))) await put(document, kbId);
    await note({ done: ++done, total });
  }
  for (const { id } of vanished) {
    await ask('DELETE', `/${encodeURIComponent(id)}`).catch((error: unknown) => {
      // Gone already.
      if ((error as { code?: unknown }).code !== 'provider.not_found') throw error;
    });
    await note({ done: ++done, total });
  }
  for (let waitedMs = 0, pollMs = firstPollMs; ; waitedMs += pollMs, pollMs = Math.min(pollMs * 2, pollMsMax)) {
    const open = unfinished(documents, await list());
    if (open === 0) return;
    if (waitedMs >= indexingMsMax) throw hubError('provider.unavailable', { publicMessage: `The bot is still indexing ${open} of ${documents.length} documents.` });
    await sleep(pollMs);
  }
};

/** One whose upload broke off is none. */
function isThere({ sha256 }: KnowledgeDocument, file: File | undefined): boolean {
  return file !== undefined && file.tags['sha256'] === sha256 && file.status !== 'upload_pending' && file.status !== 'upload_failed' && file.status !== 'indexing_failed';
}

/** Documents that are not indexed yet. Throws when one cannot be. */
function unfinished(documents: readonly KnowledgeDocument[], files: ReadonlyMap<string, File>): number {
  let open = 0;
  for (const { key, isIndexed, title } of documents) {
    const file = files.get(key);
    if (file?.status === 'indexing_failed') throw hubError('provider.rejected', { publicMessage: `The bot cannot index "${title}": ${file.failedStatusReason ?? 'no reason given'}` });
    if (file === undefined || (isIndexed && file.status !== 'indexing_completed')) open++;
  }
  return open;
}
