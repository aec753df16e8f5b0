import { createHash } from 'node:crypto';

/** One entry as its columns read as text: what the hash is made of. */
export type ChainedEntry = {
  readonly tenantId: string;
  readonly sequence: string;
  readonly previousHash: string;
  readonly auditId: string;
  /** RFC 3339 in UTC with six digits of a second. */
  readonly at: string;
  readonly actor: string;
  readonly actorSubject: string;
  readonly from: string | null;
  readonly action: string;
  readonly subject: string;
  /** These three as Postgres writes jsonb. */
  readonly facts: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly hash: string;
};

export type ChainHead = { readonly sequence: number; readonly hash: string };

/** The first thing that is wrong. */
export type ChainFault = {
  readonly sequence: number;
  readonly auditId: string | null;
  /**
   * `changed`: the entry is not what its hash says. `unlinked`: it does not continue the one before, so one of the two was replaced. `missing`: it is
   * not there. `surplus`: it is there, and the chain ended before it.
   */
  readonly fault: 'changed' | 'unlinked' | 'missing' | 'surplus';
};

export const emptyHead: ChainHead = { sequence: 0, hash: '0'.repeat(64) };

/** The same as `tenant.audit_hash` in the migration that made the chain: SHA-256 over each field's length in bytes, a colon, its text, a comma. */
export function hashOf(entry: Omit<ChainedEntry, 'hash'>): string {
  const { tenantId, sequence, previousHash, auditId, at, actor, actorSubject, from, action, subject, facts, before, after } = entry;
  const fields = [tenantId, sequence, previousHash, auditId, at, actor, actorSubject, from, action, subject, facts, before, after];
  return createHash('sha256')
    .update(fields.map((field) => (field === null ? '-,' : `${Buffer.byteLength(field)}:${field},`)).join(''))
    .digest('hex');
}

/** Follows a chain entry by entry, in the order of their sequence. */
export function createChainCheck() {
  let last = emptyHead;
  return {
    /** Entries that were good. */
    entries: () => last.sequence,
    /** The next entry; says what is wrong with it, and then the check is over. */
    next(entry: ChainedEntry): ChainFault | undefined {
      const sequence = Number(entry.sequence);
      if (sequence > last.sequence + 1) return { sequence: last.sequence + 1, auditId: null, fault: 'missing' };
      if (sequence <= last.sequence) return { sequence, auditId: entry.auditId, fault: 'surplus' };
      if (hashOf(entry) !== entry.hash) return { sequence, auditId: entry.auditId, fault: 'changed' };
      if (entry.previousHash !== last.hash) return { sequence, auditId: entry.auditId, fault: 'unlinked' };
      last = { sequence, hash: entry.hash };
      return undefined;
    },
    /** After the last entry: whether the chain ends where its head says. */
    end(head: ChainHead): ChainFault | undefined {
      if (last.sequence < head.sequence) return { sequence: last.sequence + 1, auditId: null, fault: 'missing' };
      if (last.sequence > head.sequence) return { sequence: head.sequence + 1, auditId: null, fault: 'surplus' };
      return last.hash === head.hash ? undefined : { sequence: last.sequence, auditId: null, fault: 'changed' };
    },
  };
}
