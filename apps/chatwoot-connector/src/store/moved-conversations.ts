import type { ConnectionId } from '@switchboard/contracts';
import type { Database } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';
import type { MovedConversation as Row, PrismaClient } from './generated/client.ts';

/** Which inbox is copied into which. A rollback is the same the other way round. */
export type Pair = { readonly sourceConnectionId: ConnectionId; readonly targetConnectionId: ConnectionId };

export type MovedConversation = {
  readonly sourceConversationId: number;
  readonly address: string;
  readonly sourceContactId: number;
  readonly targetConversationId: number | undefined;
  /** Making the copy was begun. */
  readonly isClaimed: boolean;
  readonly isComplete: boolean;
  /** What was set at the copy last, as text. */
  readonly facts: string | undefined;
  readonly factsSetAt: Date | undefined;
};

export type MoveCounts = { readonly contacts: Count; readonly conversations: Count; readonly messages: Count; readonly attachments: Count };
type Count = { readonly done: number; readonly total: number };

/** Conversations and their copies, of the current tenant. By the two connections: a second move between them goes on where the first one stopped. */
export interface MovedConversations {
  /** Leaves those that are known as they are. */
  note(pair: Pair, conversations: readonly (Pick<MovedConversation, 'sourceConversationId' | 'address' | 'sourceContactId'> & { readonly targetConversationId?: number })[]): Promise<void>;
  find(pair: Pair, sourceConversationId: number): Promise<MovedConversation | undefined>;
  /** Which conversation of the pair's source this one of its target is the copy of. */
  findByTarget(pair: Pair, targetConversationId: number): Promise<MovedConversation | undefined>;
  listByAddress(pair: Pair, address: string): Promise<MovedConversation[]>;
  /** By number. `isComplete` false: those whose messages are not all there yet. */
  list(pair: Pair, page: { readonly afterId: number; readonly limit: number; readonly isComplete?: false }): Promise<MovedConversation[]>;
  /** Which of these are known. */
  known(pair: Pair, sourceConversationIds: readonly number[]): Promise<Set<number>>;
  change(pair: Pair, sourceConversationId: number, change: Partial<{ targetConversationId: number; targetContactId: number; claimedAt: Date; isComplete: boolean; status: string; statusSetAt: Date }>): Promise<void>;
  /** For one who copies: false when somebody else does. */
  take(pair: Pair, sourceConversationId: number, owner: string, leaseMs: number): Promise<boolean>;
  renew(pair: Pair, sourceConversationId: number, owner: string, leaseMs: number): Promise<boolean>;
  release(pair: Pair, sourceConversationId: number, owner: string): Promise<void>;
  count(pair: Pair): Promise<MoveCounts>;
}

export function createMovedConversations(db: Pick<Database<PrismaClient>, 'transaction' | 'sql' | 'prisma'>): MovedConversations {
  const of = (pair: Pair) => ({ tenantId: currentTenant(), sourceConnectionId: pair.sourceConnectionId, targetConnectionId: pair.targetConnectionId });
  const first = (where: object) =>
    db.transaction(async () => {
      const row = await db.prisma.movedConversation.findFirst({ where, orderBy: { sourceConversationId: 'desc' } });
      return row === null ? undefined : conversationOf(row);
    });
  /** The first parameters of every statement on one conversation. */
  const ofOne = 'tenant_id = $1 and source_connection_id = $2 and target_connection_id = $3 and source_conversation_id = $4';
  const keyOf = (pair: Pair, id: number) => [currentTenant(), pair.sourceConnectionId, pair.targetConnectionId, id];
  const lease = (condition: string) => (pair: Pair, id: number, owner: string, leaseMs: number) =>
    db.transaction(async () => {
      const taken = await db.sql.query(
        `update moved_conversations set lease_owner = $5, lease_until = now() + make_interval(secs => $6::float8 / 1000) where ${ofOne} and (${condition}) returning 1 as one`,
        [...keyOf(pair, id), owner, leaseMs],
      );
      return taken.length === 1;
    });

  return {
    note: (pair, conversations) =>
      db.transaction(async () => {
        await db.prisma.movedConversation.createMany({ data: conversations.map((conversation) => ({ ...of(pair), ...conversation })), skipDuplicates: true });
      }),
    find: (pair, sourceConversationId) => first({ ...of(pair), sourceConversationId }),
    findByTarget: (pair, targetConversationId) => first({ ...of(pair), targetConversationId }),
    listByAddress: (pair, address) =>
      db.transaction(async () => (await db.prisma.movedConversation.findMany({ where: { ...of(pair), address }, orderBy: { sourceConversationId: 'asc' } })).map(conversationOf)),
    list: (pair, { afterId, limit, isComplete }) =>
      db.transaction(async () => {
        const where = { ...of(pair), sourceConversationId: { gt: afterId }, ...(isComplete === false && { isComplete }) };
        return (await db.prisma.movedConversation.findMany({ where, orderBy: { sourceConversationId: 'asc' }, take: limit })).map(conversationOf);
      }),
    known: (pair, ids) =>
      db.transaction(async () => {
        const rows = await db.prisma.movedConversation.findMany({ where: { ...of(pair), sourceConversationId: { in: [...ids] } }, select: { sourceConversationId: true } });
        return new Set(rows.map((row) => row.sourceConversationId));
      }),
    change: (pair, sourceConversationId, change) =>
      db.transaction(async () => {
        await db.prisma.movedConversation.updateMany({ where: { ...of(pair), sourceConversationId }, data: change });
      }),
    take: lease('lease_until is null or lease_until < now() or lease_owner = $5'),
    renew: lease('lease_owner = $5 and lease_until > now()'),
    release: (pair, id, owner) =>
      db.transaction(async () => {
        await db.sql.query(`update moved_conversations set lease_owner = null, lease_until = null where ${ofOne} and lease_owner = $5`, [...keyOf(pair, id), owner]);
      }),
    count: (pair) =>
      db.transaction(async () => {
        const [row] = await db.sql.query<Record<'contacts' | 'contacts_made' | 'conversations' | 'conversations_made' | 'messages' | 'messages_made' | 'files' | 'files_made', number>>(
          `select count(distinct source_contact_id)::int as contacts, count(distinct source_contact_id) filter (where target_conversation_id is not null)::int as contacts_made,
             count(*)::int as conversations, count(*) filter (where is_complete)::int as conversations_made,
             (select count(*)::int from moved_messages where tenant_id = $1 and source_connection_id = $2 and target_connection_id = $3) as messages,
             (select count(*)::int from moved_messages where tenant_id = $1 and source_connection_id = $2 and target_connection_id = $3 and state = 'copied') as messages_made,
             (select coalesce(sum(attachments), 0)::int from moved_messages where tenant_id = $1 and source_connection_id = $2 and target_connection_id = $3) as files,
             (select coalesce(sum(attachments_copied), 0)::int from moved_messages where tenant_id = $1 and source_connection_id = $2 and target_connection_id = $3) as files_made
           from moved_conversations where tenant_id = $1 and source_connection_id = $2 and target_connection_id = $3`,
          [currentTenant(), pair.sourceConnectionId, pair.targetConnectionId],
        );
        return {
          contacts: { done: row?.contacts_made ?? 0, total: row?.contacts ?? 0 },
          conversations: { done: row?.conversations_made ?? 0, total: row?.conversations ?? 0 },
          messages: { done: row?.messages_made ?? 0, total: row?.messages ?? 0 },
          attachments: { done: row?.files_made ?? 0, total: row?.files ?? 0 },
        };
      }),
  };
}

function conversationOf(row: Row): MovedConversation {
  return {
    sourceConversationId: row.sourceConversationId,
    address: row.address,
    sourceContactId: row.sourceContactId,
    targetConversationId: row.targetConversationId ?? undefined,
    isClaimed: row.claimedAt !== null,
    isComplete: row.isComplete,
    facts: row.status ?? undefined,
    factsSetAt: row.statusSetAt ?? undefined,
  };
}
