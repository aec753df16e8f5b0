import { StartRefusal } from '../../packages/service-kit/src/index.ts';
import type { OldMapping } from './import-mappings.ts';
import { findColumns, ignoredColumns, mappingColumns, messageColumns, textOf, timeOf } from './old-columns.ts';
import type { OldDatabase } from './open-old-database.ts';
import type { Assignment } from './read-old-tenants.ts';
import type { Report } from './report.ts';
import type { OldMessage } from './to-message.ts';

/** Rows of one transaction: large enough that round trips do not count, small enough that a conversation is not held for long. */
const portion = 1_000;

/** Throws StartRefusal when what an import stands on is missing; notes columns that nothing is taken from. */
export function assertReadable(old: OldDatabase, report: Report): void {
  const columns = old.columnsOf('conversation_mappings');
  if (columns === undefined) throw new StartRefusal('The old database (--from) has no table conversation_mappings in its current schema.');
  const found = findColumns(mappingColumns, columns);
  const missing = [found.waId === undefined && 'wa_id', found.conversationId === undefined && 'conversation_id', found.createdAt === undefined && found.activityAt === undefined && 'created_at'].filter(Boolean);
  if (missing.length > 0) throw new StartRefusal(`conversation_mappings has no column ${missing.join(', ')}; without it there is nothing to import.`);
  note(report, 'conversation_mappings', ignoredColumns(found, columns));

  const messages = old.columnsOf('message_tracking');
  if (messages === undefined) return report.note('There is no table message_tracking; no messages are imported.');
  const ofMessages = findColumns(messageColumns, messages);
  const absent = [ofMessages.id === undefined && 'id', ofMessages.direction === undefined && 'direction', ofMessages.createdAt === undefined && 'created_at'].filter(Boolean);
  if (absent.length > 0) throw new StartRefusal(`message_tracking has no column ${absent.join(', ')}; without it there is nothing to import.`);
  if (ofMessages.mappingId === undefined && ofMessages.conversationId === undefined && ofMessages.waId === undefined) throw new StartRefusal('message_tracking has neither mapping_id nor conversation_id nor wa_id: nothing says whose messages these are.');
  if (ofMessages.text === undefined) report.note('message_tracking keeps no texts; its messages are imported as "unsupported" with what is known of them.');
  note(report, 'message_tracking', ignoredColumns(ofMessages, messages));
}

function note(report: Report, table: string, columns: readonly string[]): void {
  if (columns.length > 0) report.note(`${table}: columns that nothing is taken from: ${columns.join(', ')}.`);
}

/** A tenant's mappings, the one last active first: of several rows of a contact, it is the conversation that goes on. */
export function streamMappings(old: OldDatabase, { from }: Assignment): AsyncGenerator<OldMapping[]> {
  const found = findColumns(mappingColumns, old.columnsOf('conversation_mappings') ?? new Set());
  const column = (fact: keyof typeof found) => textOf('c', found[fact]);
  const activity = `coalesce(${timeOf('c', found.activityAt)}, ${timeOf('c', found.createdAt)})`;
  return old.stream<OldMapping>(
    `select ${column('id')} as key, ${column('tenantId')} as tenant, ${column('waId')} as "waId", ${column('conversationId')} as "conversationId", ${column('contactName')} as "contactName",
            ${column('phoneNumberId')} as "phoneNumberId", ${column('status')} as status, ${timeOf('c', found.activityAt)} as "activityAt", ${timeOf('c', found.createdAt)} as "createdAt"
       from conversation_mappings c ${ofTenant(column('tenantId'), found.tenantId)} order by ${activity} desc nulls last, ${column('id')} desc`,
    [from],
    portion,
  );
}

/** A tenant's messages with their mapping's contact and number, oldest first. A mapping of another tenant is none. */
export function streamMessages(old: OldDatabase, { from }: Assignment): AsyncGenerator<OldMessage[]> {
  const found = findColumns(messageColumns, old.columnsOf('message_tracking') ?? new Set());
  const ofMapping = findColumns(mappingColumns, old.columnsOf('conversation_mappings') ?? new Set());
  const column = (fact: keyof typeof found) => textOf('m', found[fact]);
  const [own, theirs] = found.mappingId !== undefined ? [column('mappingId'), textOf('c', ofMapping.id)] : found.conversationId !== undefined ? [column('conversationId'), textOf('c', ofMapping.conversationId)] : [column('waId'), textOf('c', ofMapping.waId)];
  const tenant = found.tenantId === undefined ? 'c.tenant' : `coalesce(${column('tenantId')}, c.tenant)`;
  const isOfTenant = ofMapping.tenantId === undefined && found.tenantId === undefined ? '$1::text is null or true' : `${tenant} = $1`;
  const joined = found.tenantId === undefined || ofMapping.tenantId === undefined ? '' : ` and c.tenant = ${column('tenantId')}`;
  const inbound = `${column('direction')} ilike 'in%'`;
  const origin = `case when ${inbound} then ${column('channelMessageId')} else ${column('deskMessageId')} end`;
  const order = `${timeOf('m', found.createdAt)}, m."${found.id}"`;
  return old.stream<OldMessage>(
    `with c as (
       select distinct on (ref, tenant) ${theirs} as ref, ${textOf('c', ofMapping.tenantId)} as tenant, ${textOf('c', ofMapping.waId)} as wa_id, ${textOf('c', ofMapping.phoneNumberId)} as phone_number_id
         from conversation_mappings c order by ref, tenant, coalesce(${timeOf('c', ofMapping.activityAt)}, ${timeOf('c', ofMapping.createdAt)}) desc nulls last
     )
     select ${column('id')} as key, ${tenant} as tenant, c.wa_id as "waId", c.phone_number_id as "phoneNumberId", nullif(${column('channelMessageId')}, '') as "channelMessageId",
            nullif(${column('deskMessageId')}, '') as "deskMessageId", ${column('direction')} as direction, ${column('status')} as status, ${timeOf('m', found.createdAt)} as "createdAt",
            ${timeOf('m', found.deliveredAt)} as "deliveredAt", ${column('text')} as text, ${column('type')} as type, ${column('mediaUrl')} as "mediaUrl", ${found.metadata === undefined ? 'null' : `to_jsonb(m."${found.metadata}")`} as metadata,
            case when nullif(${origin}, '') is null then 1 else row_number() over (partition by ${inbound}, ${origin} order by ${order}) end::int as repetition
       from message_tracking m left join c on c.ref = ${own}${joined} where ${isOfTenant} order by ${order}`,
    [from],
    portion,
  );
}

function ofTenant(text: string, column: string | undefined): string {
  return column === undefined ? 'where $1::text is null or true' : `where ${text} = $1`;
}
