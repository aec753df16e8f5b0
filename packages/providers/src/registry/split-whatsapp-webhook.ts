import type { RawWebhook, RoutingIdentifier, WebhookPart, WebhookSplit } from '../provider.ts';
import { arrayIn, hashOf, idIn, isJsonObject, keyOf, readJsonWebhook, routingIdentifier, type JsonObject } from './read-json-webhook.ts';

/**
 * Splits Meta's batch (up to 1 000 updates of many accounts in one body): one part a message or status, in Meta's own envelope with the
 * metadata and its own contact; what else a change says is one more part. Pure, never throws.
 *
 * A part that names a phone number is that number's alone, even when its WABA is connected: another number of the same WABA may be
 * another tenant's. Parts without a number (template and account events) go by WABA.
 */
export function splitWhatsAppWebhook(webhook: RawWebhook): WebhookSplit {
  return readJsonWebhook(webhook, (body, text) => {
    const entries = arrayIn(body['entry']);
    if (countUpdates(entries) > updatesMax) return { kind: 'unreadable', reason: `more than ${updatesMax} updates` };
    const changes = entries.flatMap((entry) => changesOf(body['object'], entry));
    const drafts = changes.flatMap(splitChange);
    const [only] = drafts;
    if (only === undefined) return { kind: 'unreadable', reason: 'no entry' };
    // The whole body is one part: it stays as it was signed, byte for byte, and nothing is written again.
    if (drafts.length === 1 && changes.length === 1 && entries.length === 1) return { kind: 'parts', parts: [partOf(only, () => text)] };
    // Every part repeats what its update stands in: 3 MB of metadata around 1 000 messages would become 3 GB.
    if (drafts.some((draft) => !isWithin(draft.repeated, repeatedMax))) return { kind: 'unreadable', reason: 'too much stands around its updates' };
    return { kind: 'parts', parts: drafts.map((draft) => partOf(draft, () => JSON.stringify(draft.content()))) };
  });
}

/** Twice what Meta says it puts into one body. Nobody has verified the body yet: more is told apart by nobody. */
const updatesMax = 2_000;

/** Characters that a part may repeat of what stands around its own update: ids, metadata, the contact; Meta's are about 300. */
const repeatedMax = 1_024;

/** Messages, statuses and other changes, counted before anything is made of them. */
function countUpdates(entries: readonly unknown[]): number {
  let count = 0;
  for (const entry of entries) {
    const changes = isJsonObject(entry) ? arrayIn(entry['changes']) : [];
    if (changes.length === 0) count++;
    for (const change of changes) {
      const value = isJsonObject(change) && isJsonObject(change['value']) ? change['value'] : {};
      count += Math.max(1, arrayIn(value['messages']).length + arrayIn(value['statuses']).length + arrayIn(value['message_echoes']).length);
    }
  }
  return count;
}

type Change = {
  readonly object: unknown;
  readonly entryId: unknown;
  readonly field: unknown;
  readonly value: unknown;
  /** Phone number id, else WABA id: stands in the deduplication keys. */
  readonly account: string;
  readonly routingIdentifiers: readonly RoutingIdentifier[];
  readonly relatedIdentifiers: readonly RoutingIdentifier[];
};

/** A part that is not written yet. */
type Draft = {
  readonly change: Change;
  readonly key: () => string;
  readonly orderingKey: () => string;
  readonly content: () => JsonObject;
  /** What stands in other parts too. */
  readonly repeated: readonly unknown[];
};

/** What waits for nothing but its own account: template and account events. */
const accountOrderingKey = 'account';

function changesOf(object: unknown, entry: unknown): Change[] {
  const fields = isJsonObject(entry) ? entry : {};
  const changes = Array.isArray(fields['changes']) && fields['changes'].length > 0 ? fields['changes'] : [entry];
  return changes.map((change) => {
    const { field, value } = isJsonObject(change) ? change : { field: undefined, value: change };
    const metadata = isJsonObject(value) && isJsonObject(value['metadata']) ? value['metadata'] : {};
    const phone = routingIdentifier('phoneNumberId', metadata['phone_number_id']);
    const waba = routingIdentifier('wabaId', fields['id']);
    const routingIdentifiers = metadata['phone_number_id'] === undefined ? waba : phone;
    return {
      object,
      entryId: fields['id'],
      field,
      value,
      account: routingIdentifiers[0]?.value ?? '',
      routingIdentifiers,
      relatedIdentifiers: routingIdentifiers === waba ? [] : waba,
    };
  });
}

function splitChange(change: Change): Draft[] {
  if (!isJsonObject(change.value)) return [otherDraft(change, () => change.value)];
  const { messaging_product, metadata, contacts, messages, statuses, message_echoes } = change.value;
  const context = { ...(messaging_product === undefined ? {} : { messaging_product }), ...(metadata === undefined ? {} : { metadata }) };
  const people = readPeople(arrayIn(contacts), [...arrayIn(messages).map(senderOf), ...arrayIn(statuses).map(recipientOf), ...arrayIn(message_echoes).map(addresseeOf)]);
  const drafts = [
    ...arrayIn(messages).map((item) => messageDraft(change, 'messages', item, senderOf(item), context, people)),
    ...arrayIn(statuses).map((item) => statusDraft(change, item, context, people)),
    ...arrayIn(message_echoes).map((item) => messageDraft(change, 'message_echoes', item, addresseeOf(item), context, people)),
  ];
  const [only] = drafts;
  const { value } = change;
  if (only === undefined) return [otherDraft(change, () => ({ ...context, ...value }))];
  const others = Object.keys(value).filter((name) => !splitFields.has(name));
  if (others.length === 0) return drafts;
  const rest = () => Object.fromEntries(others.map((name) => [name, value[name]]));
  // An error beside the only message says what became of that message (an interactive answer that Meta could not read).
  if (drafts.length === 1 && others.length === 1 && others[0] === 'errors') return [{ ...only, content: () => withValue(only, rest()) }];
  return [...drafts, otherDraft(change, () => ({ ...context, ...rest() }))];
}

/** Fields of a change that its parts share out among them; what else there is goes into a part of its own. */
const splitFields: ReadonlySet<string> = new Set(['messaging_product', 'metadata', 'contacts', 'messages', 'statuses', 'message_echoes']);

/** Who a message is from, or who a status or an echo is about. */
type Party = { readonly address: string | undefined; readonly userId: string | undefined };

const senderOf = (item: unknown): Party => partyIn(item, 'from', 'from_user_id');
const addresseeOf = (item: unknown): Party => partyIn(item, 'to', 'to_user_id');
const recipientOf = (item: unknown): Party => partyIn(item, 'recipient_id', 'recipient_user_id');

function partyIn(item: unknown, address: string, userId: string): Party {
  return isJsonObject(item) ? { address: idIn(item[address]), userId: idIn(item[userId]) } : { address: undefined, userId: undefined };
}

function messageDraft(change: Change, list: 'messages' | 'message_echoes', item: unknown, party: Party, context: JsonObject, people: People): Draft {
  const id = isJsonObject(item) ? idIn(item['id']) : undefined;
  const key = () => (id === undefined ? keyOfContent(change, item) : keyOf(list === 'messages' ? 'message' : 'echo', change.account, id));
  return itemDraft(change, key, party, { ...context, ...contactOf(people, party) }, { [list]: [item] });
}

function statusDraft(change: Change, item: unknown, context: JsonObject, people: People): Draft {
  const status = isJsonObject(item) ? item : {};
  const id = idIn(status['id']);
  const state = idIn(status['status']);
  const participant = idIn(status['recipient_participant_id']);
  const key = () => (id === undefined || state === undefined ? keyOfContent(change, item) : keyOf('status', change.account, id, state, ...(participant === undefined ? [] : [participant])));
  const party = recipientOf(item);
  return itemDraft(change, key, party, { ...context, ...contactOf(people, party) }, { statuses: [item] });
}

function itemDraft(change: Change, key: () => string, { address, userId }: Party, around: JsonObject, item: JsonObject): Draft {
  return {
    change,
    key,
    orderingKey: () => keyOf(address ?? userId ?? accountOrderingKey),
    content: () => envelopeOf(change, { ...around, ...item }),
    repeated: [change.object, change.entryId, change.field, around],
  };
}

function otherDraft(change: Change, value: () => unknown): Draft {
  return {
    change,
    key: () => keyOfContent(change, value()),
    orderingKey: () => accountOrderingKey,
    content: () => envelopeOf(change, value()),
    repeated: [change.object, change.entryId],
  };
}

/** Account notices have no id; the same one told again has the same content, whatever time its entry carries and whatever else comes with it. */
function keyOfContent(change: Change, content: unknown): string {
  return `change:${hashOf([change.entryId, change.field, content])}`;
}

type People = { readonly byAddress: ReadonlyMap<string, unknown>; readonly byUserId: ReadonlyMap<string, unknown>; /** Whose they are where nothing tells. */ readonly lone: unknown };

/** The contacts of a change by their ids, the first of each. The only contact is everybody's only where everybody is one person. */
function readPeople(contacts: readonly unknown[], parties: readonly Party[]): People {
  const byAddress = new Map<string, unknown>();
  const byUserId = new Map<string, unknown>();
  for (const contact of contacts.filter(isJsonObject)) {
    const [address, userId] = [idIn(contact['wa_id']), idIn(contact['user_id'])];
    if (address !== undefined && !byAddress.has(withoutPlus(address))) byAddress.set(withoutPlus(address), contact);
    if (userId !== undefined && !byUserId.has(userId)) byUserId.set(userId, contact);
  }
  const named = new Set(parties.flatMap(({ address, userId }) => (address === undefined ? (userId ?? []) : withoutPlus(address))));
  return { byAddress, byUserId, lone: contacts.length === 1 && named.size <= 1 ? contacts[0] : undefined };
}

/** A contact is matched by WhatsApp id, then by business-scoped user id, then by being the only one (contract, section 5). */
function contactOf({ byAddress, byUserId, lone }: People, { address, userId }: Party): { contacts?: unknown[] } {
  const found = (address === undefined ? undefined : byAddress.get(withoutPlus(address))) ?? (userId === undefined ? undefined : byUserId.get(userId)) ?? lone;
  return found === undefined ? {} : { contacts: [found] };
}

/** Meta writes the same number with and without it. */
function withoutPlus(address: string): string {
  return address.startsWith('+') ? address.slice(1) : address;
}

function withValue(draft: Draft, more: JsonObject): JsonObject {
  const [entry] = draft.content()['entry'] as [{ id: unknown; changes: [{ value: JsonObject; field: unknown }] }]; // as `envelopeOf` made it
  return envelopeOf(draft.change, { ...entry.changes[0].value, ...more });
}

function envelopeOf(change: Change, value: unknown): JsonObject {
  return { object: change.object, entry: [{ id: change.entryId, changes: [{ value, field: change.field }] }] };
}

function partOf({ change, key, orderingKey }: Draft, body: () => string): WebhookPart {
  const { routingIdentifiers, relatedIdentifiers } = change;
  return { routingIdentifiers, relatedIdentifiers, write: () => ({ providerEventId: key(), orderingKey: orderingKey(), body: body() }) };
}

/** Whether a value has at most about `max` characters as JSON; looks no further than that. */
function isWithin(value: unknown, max: number): boolean {
  let left = max;
  const take = (part: unknown): boolean => {
    left -= typeof part === 'string' ? part.length + 3 : 3;
    if (left < 0) return false;
    if (Array.isArray(part)) return part.every(take);
    if (!isJsonObject(part)) return true;
    for (const name in part) if (!take(name) || !take(part[name])) return false;
    return true;
  };
  return take(value);
}
