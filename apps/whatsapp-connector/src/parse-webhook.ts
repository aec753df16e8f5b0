import { messageIdSchema, type ContactRef, type DeliveryStatus } from '@switchboard/contracts';
import { parseJson, type ConnectorWebhook, type InboundEvent, type PublicConnection } from '@switchboard/connector-kit';
import { createHash } from 'node:crypto';
import { isUserId } from './is-user-id.ts';
import { parseContent } from './parse-content.ts';
import { deliveryErrorOf } from './read-meta-error.ts';
import { messageSchema, statusSchema, webhookSchema, type MetaMessage, type MetaStatus, type MetaValue } from './wire.ts';

/**
 * Meta's webhook in the hub's words: every message and status that is this connection's number's. Pure, never throws; what it cannot read
 * becomes `unsupported` and is kept.
 */
export function parseWebhook(webhook: ConnectorWebhook, connection: PublicConnection): InboundEvent[] {
  const parsed = webhookSchema.safeParse(parseJson(webhook.body));
  if (!parsed.success) return [{ kind: 'ignored', reason: 'not a webhook of WhatsApp' }];
  const changes = parsed.data.entry.flatMap(({ changes }) => changes);
  const seen = new Set<string>();
  return changes
    .flatMap(({ field, value }) => parseChange(field, value, webhook.receivedAt, connection))
    .filter((event) => {
      // Meta has repeated a message within one body (courier's duplicate.json).
      const key = event.kind === 'message' ? `m:${event.providerMessageId}` : event.kind === 'status' ? `s:${event.providerMessageId}:${event.status}` : undefined;
      if (key === undefined) return true;
      return !seen.has(key) && seen.add(key);
    });
}

function parseChange(field: string, value: MetaValue, receivedAt: string, connection: PublicConnection): InboundEvent[] {
  const phoneNumberId = value.metadata?.phone_number_id;
  const ours = connection.routingIdentifiers['phoneNumberId'];
  // Ingest gives each connection its own part; this holds even if it did not.
  if (phoneNumberId !== undefined && ours !== undefined && phoneNumberId !== ours) return [{ kind: 'ignored', reason: 'another phone number' }];
  const events = [
    ...(value.messages ?? []).map((message) => parseMessage(message, value, receivedAt, 'contact')),
    ...(value.message_echoes ?? []).map((message) => parseMessage(message, value, receivedAt, 'agent')),
    ...(value.statuses ?? []).map((status) => parseStatus(status, receivedAt)),
  ];
  if (events.length > 0) return events;
  const errors = (value.errors ?? []).map(({ code, title }) => `${code} ${title ?? ''}`.trim());
  return [{ kind: 'ignored', reason: errors.length > 0 ? `errors: ${errors.join(', ')}` : `field ${field}` }];
}

/** `author` is the agent for echoes: messages that the business typed in its phone app (coexistence). */
function parseMessage(raw: unknown, value: MetaValue, receivedAt: string, author: 'contact' | 'agent'): InboundEvent {
  const parsed = messageSchema.safeParse(raw);
  if (!parsed.success) return { kind: 'ignored', reason: 'a message that is not an object with ids' };
  const message = parsed.data;
  const contact = contactOf(message, value, author);
  if (contact === undefined) return { kind: 'ignored', reason: 'a message without a sender' };
  const attributes = attributesOf(message);
  return {
    kind: 'message',
    providerMessageId: message.id ?? contentId(raw),
    contact,
    author,
    // The cast is safe: messageSchema took it for an object.
    ...parseContent(message, raw as Record<string, unknown>, value),
    ...(message.context?.id === undefined ? {} : { replyToProviderMessageId: message.context.id }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    sentAt: instantOf(message.timestamp, receivedAt),
  };
}

/**
 * Matches by WhatsApp id, then by business-scoped user id, then takes the only contact there is (contract, section 5). Ids that one contact
 * has make one person of whoever has either, so they are taken only from a contact that nothing says is another's.
 */
function contactOf(message: MetaMessage, value: MetaValue, author: 'contact' | 'agent'): ContactRef | undefined {
  const [waId, userId] = author === 'contact' ? [message.from, message.from_user_id] : [message.to, message.to_user_id];
  const contacts = value.contacts ?? [];
  const matched =
    contacts.find((candidate) => waId !== undefined && isSameAddress(candidate.wa_id, waId)) ??
    contacts.find((candidate) => candidate.user_id !== undefined && (candidate.user_id === userId || candidate.user_id === waId));
  const lone = matched === undefined && contacts.length === 1 && partiesOf(value).size <= 1 ? contacts[0] : undefined;
  const isAnothers = lone !== undefined && (differs(lone.wa_id, waId) || differs(lone.user_id, userId));
  const contact = matched ?? (isAnothers ? undefined : lone);
  // Meta may write one number in two ways (Brazil's ninth digit); the name is for show.
  const { name } = (contact ?? lone)?.profile ?? {};
  const named = waId ?? contact?.wa_id ?? userId ?? contact?.user_id;
  if (named === undefined) return undefined;
  // Some relays put the user id where the number belongs.
  const number = [waId, contact?.wa_id].find((id) => id !== undefined && !isUserId(id));
  const aliases = {
    waId: number === undefined ? undefined : addressOf(number),
    userId: userId ?? contact?.user_id ?? (isUserId(named) ? named : undefined),
    parentUserId: message.from_parent_user_id ?? contact?.parent_user_id,
    username: contact?.profile?.username,
  };
  return {
    address: addressOf(named),
    ...(name ? { name } : {}),
    aliases: Object.fromEntries(Object.entries(aliases).flatMap(([alias, id]) => (id === undefined ? [] : [[alias, id]]))),
  };
}

/** The people that a value's messages and statuses name. */
function partiesOf({ messages, message_echoes, statuses }: MetaValue): Set<string> {
  const named = (list: readonly unknown[] | null | undefined, address: string, userId: string) =>
    (list ?? []).flatMap((item) => {
      const fields = typeof item === 'object' && item !== null ? (item as Record<string, unknown>) : {}; // any object's fields may be asked for
      const id = fields[address] ?? fields[userId];
      return id === undefined ? [] : [addressOf(String(id))];
    });
  return new Set([...named(messages, 'from', 'from_user_id'), ...named(message_echoes, 'to', 'to_user_id'), ...named(statuses, 'recipient_id', 'recipient_user_id')]);
}

function isSameAddress(one: string | undefined, other: string): boolean {
  return one !== undefined && addressOf(one) === addressOf(other);
}

/** Two ids of one kind that are both there and not the same. */
function differs(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && !isSameAddress(one, other);
}

/** WhatsApp ids come without `+` in every sample and with it in one table of Meta's: the same person either way. */
function addressOf(id: string): string {
  return /^\+\d+$/.test(id) ? id.slice(1) : id;
}

/** What a text cannot say: the advertisement that brought the contact, forwarding, the product asked about, the group. */
function attributesOf(message: MetaMessage): Record<string, string> {
  const { context, referral, group_id: groupId } = message;
  const facts: [string, unknown][] = [
    ['forwarded', context?.forwarded === true || context?.frequently_forwarded === true ? 'true' : undefined],
    ['frequentlyForwarded', context?.frequently_forwarded === true ? 'true' : undefined],
    ['product.catalogId', context?.referred_product?.catalog_id],
    ['product.retailerId', context?.referred_product?.product_retailer_id],
    ['groupId', groupId],
    ...Object.entries(referral ?? {}).map(([name, fact]): [string, unknown] => [`referral.${name}`, fact]),
  ];
  return Object.fromEntries(facts.flatMap(([name, fact]) => (fact === undefined || fact === null ? [] : [[name, typeof fact === 'string' ? fact : JSON.stringify(fact)]])));
}

const statuses: ReadonlyMap<string, DeliveryStatus> = new Map([
  ['sent', 'sent'],
  ['delivered', 'delivered'],
  ['read', 'read'],
  // The first play of a voice message: more than read, which is the last of our words.
  ['played', 'read'],
  ['failed', 'failed'],
]);

function parseStatus(raw: unknown, receivedAt: string): InboundEvent {
  const parsed = statusSchema.safeParse(raw);
  const status = parsed.success ? statuses.get(parsed.data.status) : undefined;
  if (!parsed.success || status === undefined) return { kind: 'ignored', reason: `status ${parsed.data?.status ?? 'without id'}` };
  const { id, timestamp, errors } = parsed.data;
  const recipient = parsed.data.recipient_id ?? parsed.data.recipient_user_id;
  const [error] = errors ?? [];
  return {
    kind: 'status',
    providerMessageId: id,
    ...echoOf(parsed.data),
    ...(recipient === undefined ? {} : { contactAddress: addressOf(recipient) }),
    status,
    ...(error === undefined ? {} : { error: deliveryErrorOf(error) }),
    at: instantOf(timestamp, receivedAt),
  };
}

/** `biz_opaque_callback_data` is our message id, with `.<part>` for a message of several parts. A tenant's other tools may put theirs there. */
function echoOf(status: MetaStatus): Pick<Extract<InboundEvent, { kind: 'status' }>, 'messageId' | 'part'> {
  const [id, part] = (status.biz_opaque_callback_data ?? '').split('.');
  const messageId = messageIdSchema.safeParse(id);
  if (!messageId.success) return {};
  return part !== undefined && /^\d{1,4}$/.test(part) ? { messageId: messageId.data, part: Number(part) } : { messageId: messageId.data };
}

/** Meta's time is seconds as text; a missing or senseless one is the time of receiving. */
function instantOf(timestamp: string | undefined, receivedAt: string): string {
  const date = new Date(Number(timestamp ?? Number.NaN) * 1000);
  const year = date.getUTCFullYear();
  return year >= 2009 && year <= 9999 ? date.toISOString() : receivedAt;
}

/** A message without id is told from others by what it says. */
function contentId(raw: unknown): string {
  return `sha256.${createHash('sha256').update(JSON.stringify(raw)).digest('hex')}`;
}
