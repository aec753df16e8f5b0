import type { ConnectionId, ProviderId } from '@switchboard/contracts';
import { createHash, randomBytes } from 'node:crypto';
import type { IngestDatabase } from './client.ts';

export type QuarantinedWebhook = {
  readonly provider: ProviderId;
  readonly reason: string;
  readonly connectionId: ConnectionId | null;
  readonly accounts: readonly string[];
  readonly body: Buffer;
  readonly receivedAt: string;
};

export type QuarantineRecord = Omit<QuarantinedWebhook, 'body' | 'accounts'> & { readonly quarantineId: string; readonly accounts: string[]; readonly body: string };

/** Bytes of a body that a list shows. */
const shownBytes = 64 * 1024;

/** Webhooks that were signed with a known secret and are nobody's: a platform table, in system scope. */
export function createQuarantineStore(db: IngestDatabase) {
  return {
    /** The same body is kept once, however often the provider repeats it. */
    store: (webhook: QuarantinedWebhook): Promise<void> =>
      db.transaction(async () => {
        await db.sql.query(
          `insert into quarantine (quarantine_id, provider, reason, connection_id, accounts, content_hash, body, received_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
           on conflict (provider, content_hash) do nothing`,
          [
            newQuarantineId(webhook.receivedAt),
            webhook.provider,
            webhook.reason,
            webhook.connectionId,
            webhook.accounts,
            createHash('sha256').update(webhook.body).digest('hex'),
            webhook.body,
            webhook.receivedAt,
          ],
        );
      }),

    /** Newest first. */
    list: async (page: { readonly limit: number; readonly beforeId?: string }): Promise<QuarantineRecord[]> => {
      const rows = await db.transaction(() =>
        db.sql.query<Omit<QuarantineRecord, 'body' | 'receivedAt'> & { body: Buffer; receivedAt: Date }>(
          `select quarantine_id as "quarantineId", provider, reason, connection_id as "connectionId", accounts, substring(body for ${shownBytes}) as body, received_at as "receivedAt"
             from quarantine where ($1::text is null or quarantine_id < $1) order by quarantine_id desc limit $2`,
          [page.beforeId ?? null, page.limit],
        ),
      );
      return rows.map((row) => ({ ...row, body: row.body.toString('utf8'), receivedAt: row.receivedAt.toISOString() }));
    },

    removeBefore: (before: Date): Promise<unknown> => db.transaction(() => db.sql.query('delete from quarantine where received_at < $1', [before])),
  };
}
export type QuarantineStore = ReturnType<typeof createQuarantineStore>;

/** Sorts by time of receipt. */
function newQuarantineId(receivedAt: string): string {
  return `qrt_${new Date(receivedAt).getTime().toString(36).padStart(9, '0')}${randomBytes(8).toString('hex')}`;
}
