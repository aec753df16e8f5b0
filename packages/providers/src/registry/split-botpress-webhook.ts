import type { RawWebhook, WebhookSplit } from '../provider.ts';
import { formSameWithinSeconds, hashOf, idIn, isJsonObject, keyOf, readJsonWebhook, routingIdentifier, type JsonObject } from './read-json-webhook.ts';

/**
 * Botpress sends one signal a webhook, with the conversation's id that we chose: `<connection id>-<conversation id>`. The published form of the
 * chatbot platform (`sessionId`, `responses`) names the same. Pure, never throws.
 */
export function splitBotpressWebhook(webhook: RawWebhook): WebhookSplit {
  return readJsonWebhook(webhook, (body, text) => {
    const signal = isJsonObject(body['data']) ? body['data'] : body;
    const conversation = idIn(signal['conversationId']) ?? idIn(body['conversationId']) ?? idIn(body['sessionId']);
    const part = {
      routingIdentifiers: routingIdentifier('session', connectionIn(conversation)),
      relatedIdentifiers: [],
      write: () => ({
        providerEventId: eventIdOf(body, signal, conversation ?? ''),
        ...(body['type'] === undefined ? { sameWithinSeconds: formSameWithinSeconds } : {}),
        orderingKey: keyOf(conversation ?? 'account'),
        body: text,
      }),
    };
    return { kind: 'parts', parts: [part] };
  });
}

function connectionIn(conversation: string | undefined): string | undefined {
  const at = conversation?.indexOf('-cnv_') ?? -1;
  return at > 0 ? conversation?.slice(0, at) : undefined;
}

/** A message has an id, which its deletion names too. Events have none; when they were made and what they say tells them apart (botpress.md 2.4). */
function eventIdOf(body: JsonObject, signal: JsonObject, conversation: string): string | undefined {
  const type = idIn(body['type']) ?? '';
  const id = idIn(signal['id']);
  if (id !== undefined) return keyOf(type, conversation, id);
  const createdAt = idIn(signal['createdAt']);
  return createdAt === undefined ? undefined : keyOf(type, hashOf([conversation, createdAt, signal['payload']]));
}
