import type { ConversationId, LeadId, LeadView } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';

export type NewLead = {
  readonly leadId: LeadId;
  readonly source: string;
  readonly contact: { readonly name?: string | undefined; readonly phone?: string | undefined; readonly email?: string | undefined };
  readonly notes?: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly conversationId?: ConversationId | undefined;
  readonly capturedAt: Date;
  /** Of a request that may be repeated. */
  readonly idempotency?: { readonly key: string; readonly digest: string } | undefined;
};

export type LeadFilter = { readonly status: LeadView['status'] | undefined; readonly source: string | undefined; readonly since: Date | undefined; readonly until?: Date | undefined };
/** Where a page ended: leads are listed by when they were captured, then by id. */
export type LeadPlace = { readonly capturedAt: Date; readonly leadId: string };

export type LeadChange = { readonly status?: LeadView['status'] | undefined; readonly assignee?: string | null | undefined; readonly notes?: string | null | undefined };

type Row = {
  readonly lead_id: LeadId;
  readonly source: string;
  readonly status: LeadView['status'];
  readonly name: string | null;
  readonly phone: string | null;
  readonly email: string | null;
  readonly notes: string | null;
  readonly attributes: Record<string, string>;
  readonly assignee: string | null;
  readonly conversation_id: ConversationId | null;
  readonly captured_at: Date;
  readonly updated_at: Date;
};

const columns = 'lead_id, source, status, name, phone, email, notes, attributes, assignee, conversation_id, captured_at, updated_at';

/** Undefined: there is a lead of this id, or one that was given under this key, and nothing was stored. */
export async function storeLead(sql: SqlSession, lead: NewLead): Promise<LeadView | undefined> {
  const { contact, idempotency } = lead;
  const [row] = await sql.query<Row>(
    `insert into leads (tenant_id, lead_id, source, status, name, phone, email, notes, attributes, conversation_id, captured_at, updated_at, idempotency_key, idempotency_digest)
     values ($1, $2, $3, 'new', $4, $5, $6, $7, $8::jsonb, $9, $10, $10, $11, $12)
     on conflict do nothing returning ${columns}`,
    [
      currentTenant(), lead.leadId, lead.source, contact.name ?? null, contact.phone ?? null, contact.email ?? null, lead.notes ?? null, JSON.stringify(lead.attributes),
      lead.conversationId ?? null, lead.capturedAt, idempotency?.key ?? null, idempotency?.digest ?? null,
    ],
  );
  return row && toView(row);
}

export async function findLead(sql: SqlSession, leadId: LeadId): Promise<LeadView | undefined> {
  const [row] = await sql.query<Row>(`select ${columns} from leads where lead_id = $1`, [leadId]);
  return row && toView(row);
}

/** Locked until the transaction ends. */
export async function findLeadToChange(sql: SqlSession, leadId: LeadId): Promise<LeadView | undefined> {
  const [row] = await sql.query<Row>(`select ${columns} from leads where lead_id = $1 for update`, [leadId]);
  return row && toView(row);
}

export async function findLeadByKey(sql: SqlSession, key: string): Promise<{ readonly lead: LeadView; readonly digest: string | null } | undefined> {
  const [row] = await sql.query<Row & { idempotency_digest: string | null }>(`select ${columns}, idempotency_digest from leads where idempotency_key = $1`, [key]);
  return row && { lead: toView(row), digest: row.idempotency_digest };
}

/** Those captured last first, after `place`. */
export async function readLeads(sql: SqlSession, { status, source, since, until }: LeadFilter, place: LeadPlace | undefined, limit: number): Promise<LeadView[]> {
  const rows = await sql.query<Row>(
    `select ${columns} from leads
     where ($1::text is null or status = $1) and ($2::text is null or source = $2) and ($3::timestamptz is null or captured_at >= $3) and ($4::timestamptz is null or captured_at < $4)
       and ($5::timestamptz is null or (captured_at, lead_id) < ($5, $6))
     order by captured_at desc, lead_id desc limit $7`,
    [status ?? null, source ?? null, since ?? null, until ?? null, place?.capturedAt ?? null, place?.leadId ?? null, limit],
  );
  return rows.map((row) => toView(row));
}

/** What is undefined stays. */
export async function changeLead(sql: SqlSession, lead: LeadView, change: LeadChange, now: Date): Promise<LeadView> {
  const changed: LeadView = {
    ...lead,
    status: change.status ?? lead.status,
    assignee: change.assignee === undefined ? lead.assignee : change.assignee,
    notes: change.notes === undefined ? lead.notes : change.notes,
    updatedAt: now.toISOString(),
  };
  await sql.query('update leads set status = $2, assignee = $3, notes = $4, updated_at = $5 where lead_id = $1', [lead.leadId, changed.status, changed.assignee, changed.notes, now]);
  return changed;
}

function toView(row: Row): LeadView {
  return {
    leadId: row.lead_id,
    source: row.source,
    status: row.status,
    contact: { name: row.name, phone: row.phone, email: row.email },
    notes: row.notes,
    attributes: row.attributes,
    assignee: row.assignee,
    conversationId: row.conversation_id,
    capturedAt: row.captured_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
