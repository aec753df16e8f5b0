import type { RawWebhook, RoutingIdentifier, WebhookSplit } from '../provider.ts';
import { arrayIn, formSameWithinSeconds, hashOf, idIn, isJsonObject, keyOf, readJsonWebhook, type JsonObject } from './read-json-webhook.ts';

/**
 * Chatwoot sends one event a webhook and names account and inbox by number alone, in places that differ by event and version (chatwoot.md
 * 1.3); the published form of the chatbot platform (`inbox_id`, `conversation`, `content`) is read the same way. Pure, never throws.
 */
export function splitChatwootWebhook(webhook: RawWebhook): WebhookSplit {
  return readJsonWebhook(webhook, (body, text) => {
    const conversation = conversationOf(body);
    const part = {
      routingIdentifiers: identifiersOf(accountOf(body, conversation), inboxOf(body, conversation)),
      relatedIdentifiers: [],
      write: () => ({
        providerEventId: eventIdOf(body, firstMessageOf(conversation)) ?? deliveryIdOf(webhook),
        ...(body['event'] === undefined ? { sameWithinSeconds: formSameWithinSeconds } : {}),
        orderingKey: orderingKeyOf(body, conversation),
        body: text.replaceAll(pubsubToken, '$1null'),
      }),
    };
    return { kind: 'parts', parts: [part] };
  });
}

/**
 * A live websocket credential of the contact, which Chatwoot puts into every event; nobody downstream needs it. Quotes inside JSON strings are
 * escaped, so that only a field of this name fits.
 */
const pubsubToken = /("pubsub_token"\s*:\s*)"[^"\\]*"/g;

/** Message and typing events carry the conversation; conversation events are it. */
function conversationOf(body: JsonObject): JsonObject {
  for (const name of ['conversation', 'current_conversation']) {
    const conversation = body[name];
    if (isJsonObject(conversation)) return conversation;
  }
  return body;
}

function accountOf(body: JsonObject, conversation: JsonObject): string | undefined {
  return (
    numberIn(objectIn(body, 'account')['id']) ??
    numberIn(objectIn(conversation, 'account')['id']) ??
    // Before 4.14.2 a conversation says its account only in its last message.
    numberIn(firstMessageOf(conversation)['account_id'])
  );
}

function inboxOf(body: JsonObject, conversation: JsonObject): string | undefined {
  return (
    numberIn(objectIn(body, 'inbox')['id']) ??
    numberIn(body['inbox_id']) ??
    numberIn(conversation['inbox_id']) ??
    numberIn(objectIn(conversation, 'contact_inbox')['inbox_id']) ??
    numberIn(firstMessageOf(conversation)['inbox_id'])
  );
}

/** Most specific first; an inbox of an account of the platform before the same numbers on a tenant's own server. */
function identifiersOf(account: string | undefined, inbox: string | undefined): RoutingIdentifier[] {
  if (account === undefined) return inbox === undefined ? [] : [{ name: 'sharedInboxId', value: inbox }, { name: 'inboxId', value: inbox }];
  const ofAccount = [{ name: 'accountKey', value: account }];
  if (inbox === undefined) return ofAccount;
  const key = `${account}/${inbox}`;
  return [{ name: 'sharedInbox', value: key }, { name: 'inboxKey', value: key }, ...ofAccount];
}

/**
 * Created once, a message has one `message_created`. It is updated many times (delivered, read, a choice made, retried), and payloads are built
 * late, so that two updates may look alike but for what changed.
 */
function eventIdOf(body: JsonObject, lastMessage: JsonObject): string | undefined {
  const event = body['event'] === undefined ? 'form' : idIn(body['event']);
  const id = numberIn(body['id']);
  if (event === undefined || id === undefined) return undefined;
  if (event === 'message_created' || event === 'form') return keyOf(event, id);
  if (event === 'message_updated') {
    const state = numberIn(lastMessage['id']) === id ? [lastMessage['status'], lastMessage['updated_at']] : [];
    return keyOf(event, id, hashOf([body['content'], body['content_attributes'], body['status'], ...state]));
  }
  if (!event.startsWith('conversation_') || body['updated_at'] === undefined) return undefined;
  return keyOf(event, id, hashOf([body['status'], body['updated_at'], body['changed_attributes']]));
}

/** Typing and the like have no id and look the same every time; each delivery has one. It only tells those apart, so that nobody need have signed it. */
function deliveryIdOf(webhook: RawWebhook): string | undefined {
  const delivery = webhook.headers['x-chatwoot-delivery'];
  return delivery !== undefined && /^[\w-]{8,64}$/.test(delivery) ? keyOf('delivery', delivery) : undefined;
}

/** The contact as the inbox knows it, else the conversation. */
function orderingKeyOf(body: JsonObject, conversation: JsonObject): string {
  const id = conversation === body && idIn(body['event'])?.startsWith('conversation_') !== true ? undefined : idIn(conversation['id']);
  return keyOf(idIn(objectIn(conversation, 'contact_inbox')['source_id']) ?? id ?? 'account');
}

function firstMessageOf(conversation: JsonObject): JsonObject {
  const [first] = arrayIn(conversation['messages']);
  return isJsonObject(first) ? first : {};
}

function objectIn(body: JsonObject, name: string): JsonObject {
  const value = body[name];
  return isJsonObject(value) ? value : {};
}

/** Ids of Chatwoot are numbers. Anything else could be read as two of them where two are joined. */
function numberIn(value: unknown): string | undefined {
  const id = idIn(value);
  return id !== undefined && /^\d{1,18}$/.test(id) ? id : undefined;
}
