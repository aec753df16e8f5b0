import type { ConnectionId, ContactId, ContactRef, ConversationId, ProviderId } from '@switchboard/contracts';
import type { ContactAlias } from '../domain/contact-keys.ts';
import type { ConnectionRef, ConversationStatus, Handler, Standing } from '../domain/standing.ts';

/** The counterpart of a conversation at a desk or bot. */
export type Counterpart = { readonly connectionId: ConnectionId; readonly contactAddress: string; readonly providerConversationId: string | null };

/** A conversation with all that is needed to decide and to send. */
export type ConversationRecord = {
  readonly conversationId: ConversationId;
  readonly contactId: ContactId;
  readonly channel: ConnectionRef;
  readonly contact: ContactRef;
  /** Names by which the contact is known at the channel's provider. */
  readonly names: readonly ContactAlias[];
  readonly standing: Standing;
  /** As last stored: what listeners were told. */
  readonly status: ConversationStatus;
  readonly handler: Handler;
  readonly messageCount: number;
  /** The last month in which the contact was counted as active through this conversation. */
  readonly activeMonth: string | null;
  readonly lastInboundProviderMessageId: string | null;
  readonly counterparts: readonly Counterpart[];
  /** The channel's own conversation id, where it has one. */
  readonly channelConversationId: string | null;
  readonly createdAt: Date;
};

/** Columns of `conversations c` with its contact and counterparts; what `toConversationRecord` reads. */
export const conversationColumns = `
  c.conversation_id, c.contact_id, c.channel_connection_id, c.channel_provider, c.contact_address, c.status, c.handler, c.message_count,
  c.last_inbound_at, c.last_inbound_provider_message_id, c.last_activity_at, c.closed_at, c.handoff_at, c.handoff_to, c.active_month, c.created_at,
  (select contacts.name from contacts where contacts.contact_id = c.contact_id) as contact_name,
  (select coalesce(jsonb_agg(jsonb_build_object('key', a.match_key, 'kind', a.kind, 'value', a.value)) filter (where a.provider = c.channel_provider), '[]')
     from contact_aliases a where a.contact_id = c.contact_id) as aliases,
  (select coalesce(jsonb_agg(jsonb_build_object('connectionId', m.connection_id, 'contactAddress', m.contact_address, 'providerConversationId', m.provider_conversation_id) order by m.created_at), '[]')
     from mappings m where m.conversation_id = c.conversation_id) as mapped`;

export type ConversationRow = {
  readonly conversation_id: ConversationId;
  readonly contact_id: ContactId;
  readonly channel_connection_id: ConnectionId;
  readonly channel_provider: ProviderId;
  readonly contact_address: string;
  readonly status: ConversationStatus;
  readonly handler: Handler;
  readonly message_count: number;
  readonly last_inbound_at: Date | null;
  readonly last_inbound_provider_message_id: string | null;
  readonly last_activity_at: Date;
  readonly closed_at: Date | null;
  readonly handoff_at: Date | null;
  readonly handoff_to: Handler | null;
  readonly active_month: string | null;
  readonly created_at: Date;
  readonly contact_name: string | null;
  readonly aliases: readonly ContactAlias[];
  readonly mapped: readonly Counterpart[];
};

export function toConversationRecord(row: ConversationRow): ConversationRecord {
  const aliases = Object.fromEntries(row.aliases.filter(({ kind }) => kind !== 'address').map(({ kind, value }) => [kind, value]));
  return {
    conversationId: row.conversation_id,
    contactId: row.contact_id,
    channel: { connectionId: row.channel_connection_id, provider: row.channel_provider },
    contact: { address: row.contact_address, aliases, ...(row.contact_name === null ? {} : { name: row.contact_name }) },
    names: row.aliases,
    standing: {
      lastInboundAt: row.last_inbound_at?.getTime() ?? null,
      lastActivityAt: row.last_activity_at.getTime(),
      closedAt: row.closed_at?.getTime() ?? null,
      handoff: row.handoff_at === null || row.handoff_to === null ? null : { at: row.handoff_at.getTime(), to: row.handoff_to },
    },
    status: row.status,
    handler: row.handler,
    messageCount: row.message_count,
    activeMonth: row.active_month,
    lastInboundProviderMessageId: row.last_inbound_provider_message_id,
    counterparts: row.mapped.filter(({ connectionId }) => connectionId !== row.channel_connection_id),
    channelConversationId: row.mapped.find(({ connectionId }) => connectionId === row.channel_connection_id)?.providerConversationId ?? null,
    createdAt: row.created_at,
  };
}
