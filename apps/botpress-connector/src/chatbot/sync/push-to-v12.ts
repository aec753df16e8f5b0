import { hubError } from '@switchboard/contracts';
import type { EgressRequest } from '@switchboard/service-kit';
import { z } from 'zod';
import { apiBaseUrl } from '../../account.ts';
import { askBot, jsonOf } from './ask-bot.ts';
import { namedEntries } from './knowledge-documents.ts';
import type { PushKnowledge } from './knowledge-target.ts';

const loginReply = z.object({ payload: z.object({ jwt: z.string() }) });
const trainingReply = z.object({ status: z.string().optional() });

const pollMs = 2_000;
/** Milliseconds for the import, and for the training, which takes minutes for a thousand questions. */
const workMsMax = 15 * 60_000;

/**
 * Replaces the bot's questions and answers by the studio's import (the server itself cannot write them; contract, 1.6), then trains the bot.
 * Ids are ours, so that pushing again makes no second copy. While it imports the bot knows nothing: `clear_insert` is what there is.
 */
export const pushToV12: PushKnowledge = async ({ chatbot: { config, knowledgeBase }, connection, egress, note, sleep }) => {
  const base = apiBaseUrl(connection);
  const botId = encodeURIComponent(connection.settings['botId'] ?? '');
  const language = config.language.split('-')[0] ?? config.language;
  const total = knowledgeBase.length + 1;
  await note({ done: 0, total });

  const { email = '', password = '' } = { ...connection.settings, ...connection.credentials };
  const login = await askBot(egress, { method: 'POST', url: `${base}/api/v1/auth/login/basic/default`, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password }) });
  const headers = { authorization: `Bearer ${loginReply.parse(jsonOf(login)).payload.jwt}`, 'x-bp-workspace': 'default' };
  const ask = (method: EgressRequest['method'], path: string, body?: FormData) => askBot(egress, { method, url: `${base}/api/v1/${path}`, headers, ...(body === undefined ? {} : { body }) });

  const qnas = namedEntries(knowledgeBase).map(({ name, entry }) => ({
    id: `hub_${name}`,
    data: { action: 'text', contexts: ['global'], enabled: true, redirectFlow: '', redirectNode: '', questions: { [language]: [entry.question, ...entry.tags] }, answers: { [language]: [entry.answer] } },
  }));
  const form = new FormData();
  form.set('action', 'clear_insert');
  form.set('file', new Blob([JSON.stringify({ qnas, contentElements: [] })], { type: 'application/json' }), 'qna.json');
  const uploadId = (await ask('POST', `studio/${botId}/qna/import`, form)).body.toString('utf8').trim().replaceAll('"', '');

  await untilDone('import', async () => {
    const status = (await ask('GET', `studio/${botId}/qna/json-upload-status/${encodeURIComponent(uploadId)}`)).body.toString('utf8');
    if (/error/i.test(status)) throw hubError('provider.rejected', { publicMessage: `The bot refused the questions: ${status.slice(0, 200)}` });
    await note({ done: 0, total });
    return /completed/i.test(status);
  });
  await note({ done: knowledgeBase.length, total });

  await ask('POST', `bots/${botId}/mod/nlu/train/${language}`);
  await untilDone('training', async () => {
    const { status = 'done' } = trainingReply.parse(jsonOf(await ask('GET', `bots/${botId}/mod/nlu/training/${language}`)));
    if (status === 'errored') throw hubError('provider.rejected', { publicMessage: 'The bot could not be trained with these questions.' });
    await note({ done: knowledgeBase.length, total });
    return status === 'done' || status === 'idle';
  });
  await note({ done: total, total });

  async function untilDone(what: string, isDone: () => Promise<boolean>): Promise<void> {
    for (let waitedMs = 0; !(await isDone()); waitedMs += pollMs) {
      if (waitedMs >= workMsMax) throw hubError('provider.unavailable', { publicMessage: `The bot has not ended the ${what} in time.` });
      await sleep(pollMs);
    }
  }
};
