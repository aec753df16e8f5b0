import type { Database } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';
import type { PrismaClient } from './generated/client.ts';
import type { Pair } from './moved-conversations.ts';

/** `claimed`: the call that writes the copy was begun; found again after a crash, its outcome is not known. `failed`: the other account refuses it. */
export type MovedMessageState = 'claimed' | 'copied' | 'failed';

export type MovedMessage = { readonly sourceMessageId: number; readonly state: MovedMessageState; readonly claimedMsAgo: number; readonly targetMessageId: number | undefined };

/** Messages and their copies, of the current tenant. */
export interface MovedMessages {
  /** Of these. */
  find(pair: Pair, sourceMessageIds: readonly number[]): Promise<Map<number, MovedMessage>>;
  /** False when it was claimed before, or when `owner` does not hold the conversation any more. */
  claim(pair: Pair, message: { readonly sourceConversationId: number; readonly sourceMessageId: number; readonly attachments: number }, owner: string): Promise<boolean>;
  /** Takes over a claim of which it is known that it wrote nothing. False when `owner` does not hold the conversation any more. */
  reclaim(pair: Pair, message: { readonly sourceConversationId: number; readonly sourceMessageId: number }, owner: string): Promise<boolean>;
  /** Certainly nothing was written. */
  release(pair: Pair, sourceMessageId: number): Promise<void>;
  settle(pair: Pair, sourceMessageId: number, outcome: { readonly state: 'copied' | 'failed'; readonly targetMessageId?: number; readonly attachmentsCopied?: number; readonly reason?: string }): Promise<void>;
  /** Id of the n-th newest settled message of the conversation: from there it is read again, because Chatwoot may show a lower id after a higher one. */
  overlapStart(pair: Pair, sourceConversationId: number, count: number): Promise<number>;
  /** Highest message that the copies of this conversation have at the target. */
  newestTarget(pair: Pair, sourceConversationId: number): Promise<number>;
}

export function createMovedMessages(db: Pick<Database<PrismaClient>, 'transaction' | 'sql'>): MovedMessages {
  const ofPair = 'tenant_id = $1 and source_connection_id = $2 and target_connection_id = $3';
  const keyOf = (pair: Pair) => [currentTenant(), pair.sourceConnectionId, pair.targetConnectionId];
  /** Whoever lost the conversation writes nothing any more. */
  const holds = (conversation: string, owner: string) => `exists (select from moved_conversations where ${ofPair} and source_conversation_id = ${conversation} and lease_owner = ${owner} and lease_until > now())`;
  const query = <Row extends object>(text: string, values: readonly unknown[]) => db.transaction(() => db.sql.query<Row>(text, values));

  return {
    async find(pair, ids) {
      const rows = await query<{ id: string; state: MovedMessageState; ago: number; target: string | null }>(
        `select source_message_id::text as id, state, (extract(epoch from now() - claimed_at) * 1000)::float8 as ago, target_message_id::text as target
         from moved_messages where ${ofPair} and source_message_id = any($4::bigint[])`,
        [...keyOf(pair), ids],
      );
      return new Map(rows.map(({ id, state, ago, target }) => [Number(id), { sourceMessageId: Number(id), state, claimedMsAgo: ago, targetMessageId: target === null ? undefined : Number(target) }]));
    },
    async claim(pair, message, owner) {
      const claimed = await query(
        `insert into moved_messages (tenant_id, source_connection_id, target_connection_id, source_conversation_id, source_message_id, attachments, state)
         select $1, $2, $3, $4::int, $5::bigint, $6::int, 'claimed' where ${holds('$4', '$7')} on conflict do nothing returning 1 as one`,
        [...keyOf(pair), message.sourceConversationId, message.sourceMessageId, message.attachments, owner],
      );
      return claimed.length === 1;
    },
    async reclaim(pair, message, owner) {
      const claimed = await query(`update moved_messages set state = 'claimed', claimed_at = now() where ${ofPair} and source_message_id = $5 and state <> 'copied' and ${holds('$4', '$6')} returning 1 as one`, [
        ...keyOf(pair), message.sourceConversationId, message.sourceMessageId, owner,
      ]);
      return claimed.length === 1;
    },
    async release(pair, id) {
      await query(`delete from moved_messages where ${ofPair} and source_message_id = $4 and state = 'claimed'`, [...keyOf(pair), id]);
    },
    async settle(pair, id, { state, targetMessageId, attachmentsCopied = 0, reason }) {
      await query(`update moved_messages set state = $5, target_message_id = $6, attachments_copied = $7, reason = $8 where ${ofPair} and source_message_id = $4 and state <> 'copied'`, [
        ...keyOf(pair), id, state, targetMessageId ?? null, attachmentsCopied, reason ?? null,
      ]);
    },
    async overlapStart(pair, conversation, count) {
      const [row] = await query<{ id: string }>(
        `select source_message_id::text as id from moved_messages where ${ofPair} and source_conversation_id = $4 order by source_message_id desc offset $5::int limit 1`,
        [...keyOf(pair), conversation, count],
      );
      return Number(row?.id ?? 0);
    },
    async newestTarget(pair, conversation) {
      const [row] = await query<{ id: string }>(`select coalesce(max(target_message_id), 0)::text as id from moved_messages where ${ofPair} and source_conversation_id = $4`, [...keyOf(pair), conversation]);
      return Number(row?.id ?? 0);
    },
  };
}
