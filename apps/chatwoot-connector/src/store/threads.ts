import type { Database } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';
import type { ConversationStatus } from '../api/conversations.ts';

/** A contact at an inbox: `inboxKey` is `<server>/<account>/<inbox>`, `address` the contact's source id there. */
export type ThreadKey = { readonly inboxKey: string; readonly address: string };

export type Thread = { readonly displayId: number; readonly lastMessageId: number };

export type ThreadClaim =
  | ({ readonly kind: 'known' } & Thread)
  /** The caller makes contact and conversation, and nobody else does, until the claim runs out. */
  | { readonly kind: 'claimed'; readonly claim: string }
  | { readonly kind: 'busy' };

export type BegunPost = { readonly kind: 'begun'; readonly isFirst: boolean; readonly displayId: number; readonly afterMessageId: number; /** Milliseconds since the last try. */ readonly sinceMs: number };
/** `busy`: another process has the message too, as after a partition moved, and is at its call. */
export type Post = BegunPost | { readonly kind: 'busy' };
type PostKey = { readonly inboxKey: string; readonly hubRef: string };

/** Conversations of the current tenant's contacts at its inboxes. Each function is a transaction, or joins the open one. */
export interface Threads {
  find(key: ThreadKey): Promise<Thread | undefined>;
  claim(key: ThreadKey): Promise<ThreadClaim>;
  settle(key: ThreadKey, claim: string, made: { readonly contactId: number; readonly displayId: number }): Promise<void>;
  /** Nothing was made, or nobody knows: the next one may try, and looks first. */
  release(key: ThreadKey, claim: string): Promise<void>;
  /** What a webhook or an answer told. Of two conversations the newer one counts: numbers only grow in an account. */
  learn(key: ThreadKey, seen: { readonly displayId: number; readonly messageId?: number | undefined }): Promise<void>;
  /** The conversation is gone at Chatwoot; another one that was learned meanwhile stays. */
  forget(key: ThreadKey, displayId: number): Promise<void>;
  noteStatus(key: ThreadKey, status: ConversationStatus): Promise<void>;
  /** The status, if the hub itself wrote it last, within so many milliseconds. Told once: what comes after its echo is somebody else's doing. */
  statusWritten(key: ThreadKey, status: string, withinMs: number): Promise<string | undefined>;
  /** For so many seconds nobody else writes it, and longer while it is held. */
  beginPost(post: PostKey & Thread & { readonly seconds: number }): Promise<Post>;
  holdPost(post: PostKey, seconds: number): Promise<void>;
  /** The call has ended, whatever it came to. */
  endPost(post: PostKey): Promise<void>;
  /** In system scope: of every tenant, `limit` at most. Returns how many. */
  deletePostsOlderThan(days: number, limit: number): Promise<number>;
}

/** Seconds that making contact and conversation may take at the worst: seven calls of 20. A process that died in it is waited for so long. */
const claimSeconds = 150;

const ofThread = 'tenant_id = $1 and inbox_key = $2 and address = $3';

/** `newClaim` names one attempt to make a thread, unlike every other. */
export function createThreads(db: Pick<Database<unknown>, 'transaction' | 'sql'>, newClaim: () => string): Threads {
  const query = <Row extends object>(text: string, values: readonly unknown[]) => db.transaction(() => db.sql.query<Row>(text, values));
  const keyOf = ({ inboxKey, address }: ThreadKey) => [currentTenant(), inboxKey, address];

  async function find(key: ThreadKey): Promise<Thread | undefined> {
    const [row] = await query<{ display_id: string; last_message_id: string }>(`select display_id::text, last_message_id::text from threads where ${ofThread} and display_id is not null`, keyOf(key));
    return row && { displayId: Number(row.display_id), lastMessageId: Number(row.last_message_id) };
  }

  return {
    find,
    async claim(key) {
      const known = await find(key);
      if (known !== undefined) return { kind: 'known', ...known };
      const claim = newClaim();
      // One statement decides between all processes: the row's lock, then whose claim it is.
      const claimed = await query(
        `insert into threads (tenant_id, inbox_key, address, claimed_by, claimed_until) values ($1, $2, $3, $4, now() + make_interval(secs => $5))
         on conflict (tenant_id, inbox_key, address) do update set claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until
         where threads.display_id is null and (threads.claimed_until is null or threads.claimed_until < now())
         returning claimed_by`,
        [...keyOf(key), claim, claimSeconds],
      );
      if (claimed.length === 1) return { kind: 'claimed', claim };
      const made = await find(key);
      return made === undefined ? { kind: 'busy' } : { kind: 'known', ...made };
    },
    async settle(key, claim, { contactId, displayId }) {
      await query(`update threads set contact_id = $4, display_id = greatest(display_id, $5), claimed_by = null, claimed_until = null where ${ofThread} and (claimed_by = $6 or display_id is null)`, [...keyOf(key), contactId, displayId, claim]);
    },
    async release(key, claim) {
      await query(`update threads set claimed_by = null, claimed_until = null where ${ofThread} and claimed_by = $4`, [...keyOf(key), claim]);
    },
    async learn(key, { displayId, messageId = 0 }) {
      await query(
        `insert into threads (tenant_id, inbox_key, address, display_id, last_message_id) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, inbox_key, address) do update
         set display_id = greatest(threads.display_id, excluded.display_id), last_message_id = greatest(threads.last_message_id, excluded.last_message_id)
         where threads.display_id is null or threads.display_id < excluded.display_id or threads.last_message_id < excluded.last_message_id`,
        [...keyOf(key), displayId, messageId],
      );
    },
    async forget(key, displayId) {
      await query(`update threads set display_id = null, contact_id = null where ${ofThread} and display_id = $4`, [...keyOf(key), displayId]);
    },
    async noteStatus(key, status) {
      await query(`update threads set status_written = $4, status_written_at = now() where ${ofThread}`, [...keyOf(key), status]);
    },
    async statusWritten(key, status, withinMs) {
      const [row] = await query<{ written: string }>(
        `with own as (select status_written from threads where ${ofThread} and status_written = $4 and status_written_at > now() - make_interval(secs => $5) for update)
         update threads set status_written = null where ${ofThread} and exists (select from own) returning (select status_written from own) as written`,
        [...keyOf(key), status, withinMs / 1000],
      );
      return row?.written;
    },
    async beginPost({ inboxKey, hubRef, displayId, lastMessageId, seconds }) {
      const key = [currentTenant(), inboxKey, hubRef];
      const begun = await query(
        `insert into posts (tenant_id, inbox_key, hub_ref, display_id, after_message_id, under_way_until) values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6)) on conflict do nothing returning hub_ref`,
        [...key, displayId, lastMessageId, seconds],
      );
      if (begun.length === 1) return { kind: 'begun', isFirst: true, displayId, afterMessageId: lastMessageId, sinceMs: 0 };
      const [before] = await query<{ display_id: string; after_message_id: string; since_ms: string }>(
        `with before as (select tried_at from posts where tenant_id = $1 and inbox_key = $2 and hub_ref = $3)
         update posts set tried_at = now(), under_way_until = now() + make_interval(secs => $4)
         where tenant_id = $1 and inbox_key = $2 and hub_ref = $3 and (under_way_until is null or under_way_until < now())
         returning display_id::text, after_message_id::text, (extract(epoch from now() - (select tried_at from before)) * 1000)::bigint::text as since_ms`,
        [...key, seconds],
      );
      return before === undefined ? { kind: 'busy' } : { kind: 'begun', isFirst: false, displayId: Number(before.display_id), afterMessageId: Number(before.after_message_id), sinceMs: Number(before.since_ms) };
    },
    async holdPost({ inboxKey, hubRef }, seconds) {
      await query('update posts set under_way_until = now() + make_interval(secs => $4) where tenant_id = $1 and inbox_key = $2 and hub_ref = $3 and under_way_until is not null', [currentTenant(), inboxKey, hubRef, seconds]);
    },
    async endPost({ inboxKey, hubRef }) {
      await query('update posts set under_way_until = null where tenant_id = $1 and inbox_key = $2 and hub_ref = $3', [currentTenant(), inboxKey, hubRef]);
    },
    async deletePostsOlderThan(days, limit) {
      const [gone] = await query<{ count: number }>(
        `with gone as (
           delete from posts where ctid = any(array(
             select ctid from posts where tried_at < now() - make_interval(days => $1) order by tried_at limit $2))
           returning hub_ref)
         select count(*)::int as count from gone`,
        [days, limit],
      );
      return gone?.count ?? 0;
    },
  };
}
