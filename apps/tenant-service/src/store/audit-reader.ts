import type { AuditRecord } from '@switchboard/contracts';
import { createChainCheck, emptyHead, type ChainedEntry, type ChainFault, type ChainHead } from '../domain/audit-chain.ts';
import type { TenantDatabase } from './client.ts';

export type AuditFilter = { readonly action?: string | undefined; readonly subject?: string | undefined; readonly actor?: string | undefined; readonly from?: string | undefined; readonly to?: string | undefined };

export type AuditVerdict = { readonly entries: number; readonly head: ChainHead; readonly fault: ChainFault | undefined };

/** Entries that are read at once: each may have some 100 KB. */
const batch = 200;

/** Characters after which an export ends, whatever was asked for: entries are as large as a tenant makes them, and the whole answer lies in memory. */
export const exportLengthMax = 4 * 1024 * 1024;

// Order by `e.sequence`: `sequence` alone would be the text of the list, and 10 come before 2.
const columns = `tenant_id as "tenantId", sequence::text, previous_hash as "previousHash", audit_id as "auditId", to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
  actor, actor_subject as "actorSubject", from_address as "from", action, subject, facts::text, before::text, after::text, hash`;

/** The current tenant's audit as it lies in the database. */
export function createAuditReader(db: Pick<TenantDatabase, 'transaction' | 'sql'>) {
  const pageAfter = (sequence: number, limit: number): Promise<ChainedEntry[]> =>
    db.transaction(() => db.sql.query<ChainedEntry>(`select ${columns} from audit_entries e where e.sequence > $1 order by e.sequence limit $2`, [sequence, limit]));

  return {
    /** The newest first, those before a sequence. */
    list: (filter: AuditFilter, limit: number, beforeSequence: number | undefined): Promise<AuditRecord[]> =>
      db.transaction(async () => {
        const rows = await db.sql.query<ChainedEntry>(
          `select ${columns} from audit_entries e
            where ($1::bigint is null or e.sequence < $1) and ($2::text is null or action = $2) and ($3::text is null or subject = $3)
              and ($4::text is null or actor_subject = $4) and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
            order by e.sequence desc limit $7`,
          [beforeSequence ?? null, filter.action ?? null, filter.subject ?? null, filter.actor ?? null, filter.from ?? null, filter.to ?? null, limit],
        );
        return rows.map(toRecord);
      }),

    /**
     * One JSON object a line, the oldest first; fewer than `limit` where they are large. `before`, `after` and `facts` stand as Postgres writes them, which
     * is what the hash is made of.
     */
    async exportAfter(sequence: number, limit: number): Promise<string> {
      let text = '';
      let last = sequence;
      for (let left = limit; left > 0; left -= batch) {
        const page = await pageAfter(last, Math.min(left, batch));
        for (const entry of page) {
          text += `${lineOf(entry)}\n`;
          last = Number(entry.sequence);
          if (text.length >= exportLengthMax) return text;
        }
        if (page.length < batch) break;
      }
      return text;
    },

    /** The end of the chain: how many entries it has, and the hash of the last one. Undefined where there is none. */
    end: (): Promise<ChainHead | undefined> =>
      db.transaction(async () => {
        const [head] = await db.sql.query<{ sequence: string; hash: string }>('select sequence::text, hash from audit_heads');
        return head === undefined ? undefined : { sequence: Number(head.sequence), hash: head.hash };
      }),

    /** Follows the whole chain; appending goes on meanwhile. `expected`: a head that was kept elsewhere, which the chain must still go through. */
    async verify(expected?: ChainHead): Promise<AuditVerdict> {
      const [first] = await db.transaction(() => db.sql.query<{ sequence: string; hash: string }>('select sequence::text, hash from audit_heads'));
      // Entries that are appended from now on are not looked at, but for being more than the head knows of.
      const head = first === undefined ? emptyHead : { sequence: Number(first.sequence), hash: first.hash };
      const check = createChainCheck();
      for (let page = await pageAfter(0, batch); ; page = await pageAfter(check.entries(), batch)) {
        for (const entry of page) {
          if (Number(entry.sequence) > head.sequence) break;
          const isOther = Number(entry.sequence) === expected?.sequence && entry.hash !== expected.hash;
          const fault = check.next(entry) ?? (isOther ? { sequence: expected.sequence, auditId: entry.auditId, fault: 'changed' as const } : undefined);
          if (fault !== undefined) return { entries: check.entries(), head, fault };
        }
        if (page.length < batch || Number(page.at(-1)?.sequence) > head.sequence) break;
      }
      const isShort = expected !== undefined && head.sequence < expected.sequence;
      const fault = check.end(head) ?? (await surplus()) ?? (isShort ? { sequence: head.sequence + 1, auditId: null, fault: 'missing' as const } : undefined);
      return { entries: check.entries(), head, fault };
    },
  };

  /** In one statement: it sees entries and head of one moment. */
  async function surplus(): Promise<ChainFault | undefined> {
    const [row] = await db.transaction(() =>
      db.sql.query<{ sequence: string; auditId: string }>(
        `select sequence::text, audit_id as "auditId" from audit_entries e
          where e.sequence < 1 or e.sequence > coalesce((select h.sequence from audit_heads h), 0) order by e.sequence limit 1`,
      ),
    );
    return row === undefined ? undefined : { sequence: Number(row.sequence), auditId: row.auditId, fault: 'surplus' };
  }
}
export type AuditReader = ReturnType<typeof createAuditReader>;

function toRecord(entry: ChainedEntry): AuditRecord {
  const { auditId, sequence, at, actor, actorSubject, from, action, subject, facts, before, after, previousHash, hash } = entry;
  return {
    id: auditId,
    sequence: Number(sequence),
    at,
    actor: { kind: actor as AuditRecord['actor']['kind'], subject: actorSubject }, // written from an Actor, and from nothing else
    from,
    action,
    subject,
    // The casts are safe: these columns are written as objects.
    before: before === null ? null : (JSON.parse(before) as Record<string, unknown>),
    after: after === null ? null : (JSON.parse(after) as Record<string, unknown>),
    facts: JSON.parse(facts) as Record<string, unknown>,
    previousHash,
    hash,
  };
}

function lineOf(entry: ChainedEntry): string {
  const { before: _before, after: _after, facts: _facts, ...record } = toRecord(entry);
  // Put in as text: parsed and written again they would no longer be the bytes that were hashed.
  return `${JSON.stringify(record).slice(0, -1)},"before":${entry.before ?? 'null'},"after":${entry.after ?? 'null'},"facts":${entry.facts}}`;
}
