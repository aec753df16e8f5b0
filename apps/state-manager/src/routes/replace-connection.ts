import { hubError, replaceConnectionInternal } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Parts } from '../flow/parts.ts';
import { copyMappings, countConversations, moveConversations, recordReplacement } from '../store/replace-connection.ts';

/** Conversations of one transaction: their messages wait for it, a few milliseconds. */
const batchSize = 200;
/** Of one call, which answers within its caller's patience. */
const batchesMax = 50;

export function replaceConnectionRoute({ db, routings, now, log }: Parts): Route {
  return defineRoute(replaceConnectionInternal, async ({ body: { from, to } }) => {
    if (from === to) throw hubError('request.invalid', { issues: [{ path: 'body.to', message: 'is the connection to be replaced' }] });
    const { connections } = await routings.current(to);
    const provider = connections.find(({ connectionId }) => connectionId === to)?.provider;
    // `from` may be gone by now; another tenant's has nothing that this one could see.
    const replaced = connections.find(({ connectionId }) => connectionId === from);
    if (provider === undefined || (replaced !== undefined && replaced.provider !== provider)) throw hubError('connection.not_found');

    await db.transaction(() => recordReplacement(db.sql, { from, to }, now()));
    const conversations = await inBatches((limit) => db.transaction(() => moveConversations(db.sql, { from, to }, limit)));
    const mappings = await inBatches((limit) => db.transaction(() => copyMappings(db.sql, { from, to }, limit)));
    const kept = await db.transaction(() => countConversations(db.sql, from));
    const isDone = conversations.isDone && mappings.isDone;
    log.info({ from, to, conversations: conversations.total, mappings: mappings.total, kept, isDone }, 'a connection was replaced');
    return { conversations: conversations.total, mappings: mappings.total, kept, isDone };
  });
}

async function inBatches(take: (limit: number) => Promise<number>): Promise<{ total: number; isDone: boolean }> {
  let total = 0;
  for (let batch = 0; batch < batchesMax; batch++) {
    const taken = await take(batchSize);
    total += taken;
    if (taken < batchSize) return { total, isDone: true };
  }
  return { total, isDone: false };
}
