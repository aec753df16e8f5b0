import { hubError, newId, type ContactId, type ContactRef } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';
import { contactKeys, type ContactAlias } from '../domain/contact-keys.ts';
import type { ConnectionRef } from '../domain/standing.ts';
import type { ConversationRecord } from './conversation-record.ts';
import { findConversationOfContact } from './find-conversation.ts';
import { findReplacement } from './replace-connection.ts';

/** The contact's conversation on this channel, locked; made, with its contact, when there is none, at the connection that has replaced this one if any. `opened` says so. */
export async function openConversation(sql: SqlSession, channel: ConnectionRef, contact: ContactRef, at: Date): Promise<{ conversation: ConversationRecord; opened: boolean }> {
  const aliases = contactKeys(channel.provider, contact);
  const keys = aliases.map(({ key }) => key);
  const find = () => findConversationOfContact(sql, channel.provider, channel.connectionId, keys, 'change');
  const known = await find();
  if (known !== undefined) return { conversation: await learnNames(sql, known, contact, aliases), opened: false };

  // Two first messages of one contact may come by two keys at the same moment: one makes the contact, the other then finds it.
  await sql.query(
    `select pg_advisory_xact_lock(key) from (select hashtextextended($1 || k, 0) as key from unnest($2::text[]) k order by 1) keys`,
    [`contact ${currentTenant()} ${channel.provider} `, keys],
  );
  const meanwhile = await find();
  if (meanwhile !== undefined) return { conversation: await learnNames(sql, meanwhile, contact, aliases), opened: false };

  // Its account was moved to another connection since this was sent.
  const replacedBy = await findReplacement(sql, channel.connectionId);
  if (replacedBy !== undefined) return openConversation(sql, { ...channel, connectionId: replacedBy }, contact, at);

  await makeConversation(sql, channel, contact, aliases, at);
  const made = await find();
  if (made === undefined) throw hubError('internal', { detail: { reason: 'A conversation was made and is not there.' } });
  return { conversation: made, opened: true };
}

async function makeConversation(sql: SqlSession, channel: ConnectionRef, contact: ContactRef, aliases: readonly ContactAlias[], at: Date): Promise<void> {
  const tenantId = currentTenant();
  const keys = aliases.map(({ key }) => key);
  const [known] = await sql.query<{ contact_id: ContactId }>(
    'select contact_id from contact_aliases where provider = $1 and match_key = any($2) order by contact_id limit 1',
    [channel.provider, keys],
  );
  const contactId = known?.contact_id ?? newId('ctc');
  if (known === undefined) await sql.query('insert into contacts (tenant_id, contact_id, name) values ($1, $2, $3)', [tenantId, contactId, contact.name ?? null]);
  await insertAliases(sql, channel.provider, contactId, aliases);
  await sql.query(
    `insert into conversations (tenant_id, conversation_id, contact_id, channel_connection_id, channel_provider, contact_address, status, handler, last_activity_at)
     values ($1, $2, $3, $4, $5, $6, 'open', 'none', $7)
     on conflict (tenant_id, channel_connection_id, contact_id) do nothing`,
    [tenantId, newId('cnv'), contactId, channel.connectionId, channel.provider, contact.address, at],
  );
}

/** What a message tells that we did not know of its contact: another name at the provider, another display name. */
async function learnNames(sql: SqlSession, conversation: ConversationRecord, contact: ContactRef, aliases: readonly ContactAlias[]): Promise<ConversationRecord> {
  const kinds = new Map(conversation.names.map(({ key, kind }) => [key, kind]));
  const unknown = aliases.filter(({ key, kind }) => !kinds.has(key) || (kinds.get(key) === 'address' && kind !== 'address'));
  if (unknown.length > 0) await insertAliases(sql, conversation.channel.provider, conversation.contactId, unknown);
  const name = contact.name ?? conversation.contact.name;
  if (name !== conversation.contact.name) await sql.query('update contacts set name = $2 where contact_id = $1', [conversation.contactId, name]);
  const known = { ...conversation.contact.aliases, ...contact.aliases };
  return { ...conversation, contact: { ...conversation.contact, aliases: known, ...(name === undefined ? {} : { name }) } };
}

/** A name that another contact has already stays with that contact. A plain address becomes what the provider calls it, once it says. */
async function insertAliases(sql: SqlSession, provider: string, contactId: ContactId, aliases: readonly ContactAlias[]): Promise<void> {
  await sql.query(
    `insert into contact_aliases (tenant_id, provider, match_key, contact_id, kind, value)
     select $1, $2, a.key, $3, a.kind, a.value from jsonb_to_recordset($4::jsonb) as a(key text, kind text, value text)
     on conflict (tenant_id, provider, match_key) do update set kind = excluded.kind, value = excluded.value
       where contact_aliases.contact_id = excluded.contact_id and contact_aliases.kind = 'address' and excluded.kind <> 'address'`,
    [currentTenant(), provider, contactId, JSON.stringify(aliases)],
  );
}
