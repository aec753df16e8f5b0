import { contactKeys, stableAddress } from '../../apps/state-manager/src/domain/contact-keys.ts';
import { phoneDigits } from '../../apps/state-manager/src/domain/phone-key.ts';
import type { ConnectionId, ContactId, ConversationId } from '../../packages/contracts/src/index.ts';
import type { Database } from '../../packages/db/src/index.ts';
import { currentTenant } from '../../packages/tenant-context/src/index.ts';
import { deriveId } from './derive-id.ts';
import { findConversations, planByKeys } from './find-conversations.ts';
import type { Places } from './plan-accounts.ts';
import type { Report } from './report.ts';

/** A row of conversation_mappings. */
export type OldMapping = {
  readonly key: string;
  readonly tenant: string | null;
  readonly waId: string | null;
  readonly conversationId: string | null;
  readonly contactName: string | null;
  readonly phoneNumberId: string | null;
  readonly status: string | null;
  readonly activityAt: Date | null;
  readonly createdAt: Date | null;
};

type ReadMapping = {
  readonly waId: string;
  /** The form of the number that contacts are compared by. */
  readonly contactKey: string;
  readonly kind: string;
  readonly address: string;
  readonly name: string | null;
  readonly channel: ConnectionId;
  readonly deskConversationId: string | null;
  readonly isOpen: boolean;
  readonly activityAt: Date;
  readonly createdAt: Date;
};

const waIdLengthMax = 256;

/** The name that contacts of this WhatsApp id are compared by; undefined for what is none. */
export function contactKeyOf(waId: string | null): { key: string; kind: string; value: string } | undefined {
  if (waId === null || waId.trim() === '' || waId.length > waIdLengthMax) return undefined;
  // A number is what WhatsApp calls a waId; other ids are addresses alone.
  const [alias] = contactKeys('whatsapp', { address: waId, aliases: phoneDigits(waId) === undefined ? {} : { waId } });
  return alias;
}

/**
 * Imports one portion of the current tenant's mappings in one transaction. `seen` holds the contacts of this run: the newest row of a contact on a
 * number is its conversation, older ones are merged into it.
 */
export async function importMappings(state: Database<unknown>, rows: readonly OldMapping[], places: Places & { readonly desk: ConnectionId }, seen: Set<string>, dryRun: boolean, report: Report): Promise<void> {
  const tenantId = currentTenant();
  const mappings = rows.flatMap((row): ReadMapping[] => {
    const read = toMapping(row, places);
    if ('fault' in read) {
      report.skip('mappings', { table: 'conversation_mappings', row: row.key, reason: read.fault });
      return [];
    }
    const name = `${tenantId} ${read.channel} ${read.contactKey}`;
    if (seen.has(name)) {
      report.count('mappings', 'merged');
      return [];
    }
    seen.add(name);
    return [read];
  });
  if (mappings.length === 0) return;
  await state.transaction(async () => {
    planByKeys(state.sql);
    if (!dryRun) await lockContacts(state, mappings);
    const missing = (await findKnown(state, mappings, places.desk)).filter(({ isMapped }) => !isMapped);
    report.count('mappings', 'alreadyThere', mappings.length - missing.length);
    report.count('mappings', 'imported', missing.length);
    if (!dryRun && missing.length > 0) await insert(state, missing, places.desk);
  });
}

function toMapping(row: OldMapping, places: Places): ReadMapping | { readonly fault: string } {
  const alias = contactKeyOf(row.waId);
  if (alias === undefined || row.waId === null) return { fault: 'it has no wa_id' };
  const number = row.phoneNumberId?.trim() || null;
  const channel = places.channelOf(number);
  if (channel === undefined) return { fault: `no connection is known for the number ${number ?? ''}` };
  const createdAt = row.createdAt ?? row.activityAt;
  if (createdAt === null) return { fault: 'it has no time' };
  const activityAt = row.activityAt ?? createdAt;
  const isOpen = [undefined, 'active', 'open', 'pending', 'connected'].includes(row.status?.toLowerCase());
  return { waId: row.waId, contactKey: alias.key, kind: alias.kind, address: stableAddress('whatsapp', row.waId), name: row.contactName, channel, deskConversationId: row.conversationId, isOpen, activityAt, createdAt };
}

/** The locks that state-manager takes for a contact that writes for the first time (open-conversation.ts): it may run meanwhile. */
async function lockContacts({ sql }: Database<unknown>, mappings: readonly ReadMapping[]): Promise<void> {
  await sql.query(`select pg_advisory_xact_lock(key) from (select hashtextextended($1 || k, 0) as key from unnest($2::text[]) k order by 1) keys`, [
    `contact ${currentTenant()} whatsapp `,
    mappings.map(({ contactKey }) => contactKey),
  ]);
}

type Known = { readonly mapping: ReadMapping; readonly contactId: ContactId; readonly conversationId: ConversationId; readonly isMapped: boolean };

/** Ids of what is not there follow from the names it had. */
async function findKnown({ sql }: Database<unknown>, mappings: readonly ReadMapping[], desk: ConnectionId): Promise<Known[]> {
  const tenantId = currentTenant();
  const found = await findConversations(sql, mappings, desk);
  // Of two numbers of one contact in a portion, the second must find the contact that the first makes.
  const made = new Map<string, ContactId>();
  return mappings.map((mapping, index) => {
    const { contactKey, channel, createdAt } = mapping;
    const { contactId: knownContact = null, conversationId: knownConversation = null, isMapped = false } = found[index] ?? {};
    const contactId = knownContact ?? made.get(contactKey) ?? deriveId('ctc', createdAt, tenantId, contactKey);
    made.set(contactKey, contactId);
    return { mapping, contactId, conversationId: knownConversation ?? deriveId('cnv', createdAt, tenantId, channel, contactId), isMapped };
  });
}

async function insert({ sql }: Database<unknown>, missing: readonly Known[], desk: ConnectionId): Promise<void> {
  const rows = JSON.stringify(
    missing.map(({ mapping, contactId, conversationId }) => ({
      contact_id: contactId,
      conversation_id: conversationId,
      channel: mapping.channel,
      name: mapping.name,
      key: mapping.contactKey,
      kind: mapping.kind,
      value: mapping.waId,
      address: mapping.address,
      status: mapping.isOpen ? 'open' : 'closed',
      handler: mapping.isOpen ? 'desk' : 'none',
      activity_at: mapping.activityAt,
      closed_at: mapping.isOpen ? null : mapping.activityAt,
      desk_conversation_id: mapping.deskConversationId,
      created_at: mapping.createdAt,
    })),
  );
  const tenantId = currentTenant();
  const from = `from jsonb_to_recordset($2::jsonb) as r(contact_id text, conversation_id text, channel text, name text, key text, kind text, value text, address text, status text, handler text, activity_at timestamptz, closed_at timestamptz, desk_conversation_id text, created_at timestamptz)`;
  sql.enqueue(`insert into contacts (tenant_id, contact_id, name, created_at) select distinct on (r.contact_id) $1, r.contact_id, r.name, r.created_at ${from} order by r.contact_id on conflict do nothing`, [tenantId, rows]);
  sql.enqueue(`insert into contact_aliases (tenant_id, provider, match_key, contact_id, kind, value) select $1, 'whatsapp', r.key, r.contact_id, r.kind, r.value ${from} on conflict do nothing`, [tenantId, rows]);
  sql.enqueue(
    `insert into conversations (tenant_id, conversation_id, contact_id, channel_connection_id, channel_provider, contact_address, status, handler, last_activity_at, closed_at, created_at)
     select $1, r.conversation_id, r.contact_id, r.channel, 'whatsapp', r.address, r.status, r.handler, r.activity_at, r.closed_at, r.created_at ${from} on conflict do nothing`,
    [tenantId, rows],
  );
  const mapTo = (address: string) =>
    sql.enqueue(
      `insert into mappings (tenant_id, conversation_id, connection_id, contact_address, provider_conversation_id, created_at)
       select $1, r.conversation_id, $3, ${address}, r.desk_conversation_id, r.created_at ${from} on conflict do nothing`,
      [tenantId, rows, desk],
    );
  mapTo('r.address');
  // A contact who writes on two numbers has a thread for each at the desk; the second gets the address that state-manager would give it.
  mapTo(`r.address || '.' || r.conversation_id`);
}
