import type { RawWebhook, RoutingIdentifier, WebhookPart, WebhookSplit } from '../provider.ts';
import { arrayIn, hashOf, idIn, isJsonObject, keyOf, readJsonWebhook, routingIdentifier, withoutRepetitions, type JsonObject } from './read-json-webhook.ts';

/**
 * Splits Meta's batch (up to 1 000 updates of many accounts in one body): one part a message or status, in Meta's own envelope with the
 * metadata and its own contact; what else a change says is one more part. Pure, never throws.
 *
 * A part that names a phone number is that number's alone, even when its WABA is connected: another number of the same WABA may be
 * another tenant's. Parts without a number (template and account events) go by WABA.
 */
export function splitWhatsAppWebhook(webhook: RawWebhook): WebhookSplit {
  return readJsonWebhook(webhook, (body, text) => {
    const changes = arrayIn(body['entry']).flatMap((entry) => changesOf(body['object'], entry));
    const drafts = changes.flatMap(splitChange);
    const [only] = drafts;
    if (only === undefined) return { kind: 'unreadable', reason: 'no entry' };
    // The whole body is one part: it stays as it was signed, byte for byte, and nothing is written again.
    if (drafts.length === 1 && changes.length === 1 && arrayIn(body['entry']).length === 1) return { kind: 'parts', parts: [partOf(only, text)] };
    return { kind: 'parts', parts: withoutRepetitions(drafts.map((draft) => partOf(draft, JSON.stringify(draft.content)))) };
  });
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

type Draft = { readonly change: Change; readonly key: string; readonly orderingKey: string; readonly content: JsonObject };

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
  if (!isJsonObject(change.value)) return [otherDraft(change, change.value)];
  const { messaging_product, metadata, contacts, messages, statuses, message_echoes, ...rest } = change.value;
  const context = { ...(messaging_product === undefined ? {} : { messaging_product }), ...(metadata === undefined ? {} : { metadata }) };
  const people = arrayIn(contacts);
  const drafts = [
    ...arrayIn(messages).map((item) => messageDraft(change, 'messages', item, 'from', context, people)),
    ...arrayIn(statuses).map((item) => statusDraft(change, item, context, people)),
    ...arrayIn(message_echoes).map((item) => messageDraft(change, 'message_echoes', item, 'to', context, people)),
  ];
  const [only] = drafts;
  // An error beside the only message says what became of that message (an interactive answer that Meta could not read).
  if (drafts.length === 1 && only !== undefined && isOnlyErrors(rest)) return [withValue(only, rest)];
  if (drafts.length > 0 && Object.keys(rest).length === 0) return drafts;
  return [...drafts, otherDraft(change, { ...context, ...(drafts.length === 0 ? change.value : rest) })];
}

function messageDraft(change: Change, list: 'messages' | 'message_echoes', item: unknown, party: 'from' | 'to', context: JsonObject, people: readonly unknown[]): Draft {
  const message = isJsonObject(item) ? item : {};
  const id = idIn(message['id']);
  const address = idIn(message[party]);
  const userId = idIn(message[`${party}_user_id`]);
  return {
    change,
    key: id === undefined ? keyOfContent(change, item) : keyOf(list === 'messages' ? 'message' : 'echo', change.account, id),
    orderingKey: keyOf(address ?? userId ?? accountOrderingKey),
    content: envelopeOf(change, { ...context, ...contactOf(people, address, userId), [list]: [item] }),
  };
}

function statusDraft(change: Change, item: unknown, context: JsonObject, people: readonly unknown[]): Draft {
  const status = isJsonObject(item) ? item : {};
  const id = idIn(status['id']);
  const state = idIn(status['status']);
  const participant = idIn(status['recipient_participant_id']);
  const address = idIn(status['recipient_id']);
  const userId = idIn(status['recipient_user_id']);
  return {
    change,
    key: id === undefined || state === undefined ? keyOfContent(change, item) : keyOf('status', change.account, id, state, ...(participant === undefined ? [] : [participant])),
    orderingKey: keyOf(address ?? userId ?? accountOrderingKey),
    content: envelopeOf(change, { ...context, ...contactOf(people, address, userId), statuses: [item] }),
  };
}

function otherDraft(change: Change, value: unknown): Draft {
  return { change, key: keyOfContent(change, value), orderingKey: accountOrderingKey, content: envelopeOf(change, value) };
}

/** Account notices have no id; the same one told again has the same content, whatever time its entry carries and whatever else comes with it. */
function keyOfContent(change: Change, content: unknown): string {
  return `change:${hashOf([change.entryId, change.field, content])}`;
}

/** A contact is matched by WhatsApp id, then by business-scoped user id; the only one of a body is everybody's. */
function contactOf(people: readonly unknown[], address: string | undefined, userId: string | undefined): { contacts?: unknown[] } {
  const found =
    people.find((person) => isJsonObject(person) && address !== undefined && idIn(person['wa_id']) === address) ??
    people.find((person) => isJsonObject(person) && userId !== undefined && idIn(person['user_id']) === userId) ??
    (people.length === 1 ? people[0] : undefined);
  return found === undefined ? {} : { contacts: [found] };
}

function isOnlyErrors(rest: JsonObject): boolean {
  const names = Object.keys(rest);
  return names.length === 1 && names[0] === 'errors';
}

function withValue(draft: Draft, more: JsonObject): Draft {
  const [entry] = draft.content['entry'] as [{ id: unknown; changes: [{ value: JsonObject; field: unknown }] }]; // as `envelopeOf` made it
  const value = { ...entry.changes[0].value, ...more };
  return { ...draft, content: envelopeOf(draft.change, value) };
}

function envelopeOf(change: Change, value: unknown): JsonObject {
  return { object: change.object, entry: [{ id: change.entryId, changes: [{ value, field: change.field }] }] };
}

function partOf({ change, key, orderingKey }: Draft, body: string): WebhookPart {
  const { routingIdentifiers, relatedIdentifiers } = change;
  return { routingIdentifiers, relatedIdentifiers, providerEventId: key, orderingKey, body };
}
