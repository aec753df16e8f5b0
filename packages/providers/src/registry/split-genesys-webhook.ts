import type { RawWebhook, WebhookSplit } from '../provider.ts';
import { arrayIn, idIn, isJsonObject, keyOf, readJsonWebhook, routingIdentifier, type JsonObject } from './read-json-webhook.ts';

/** Genesys sends one thing a webhook; `channel.id` is the integration, `channel.to.id` the contact as we named it. Pure, never throws. */
export function splitGenesysWebhook(webhook: RawWebhook): WebhookSplit {
  return readJsonWebhook(webhook, (body, text) => {
    const channel = isJsonObject(body['channel']) ? body['channel'] : {};
    const to = isJsonObject(channel['to']) ? channel['to'] : {};
    const part = {
      routingIdentifiers: routingIdentifier('integrationId', channel['id']),
      relatedIdentifiers: [],
      write: () => ({ providerEventId: eventIdOf(body, idIn(channel['id']) ?? ''), orderingKey: keyOf(idIn(to['id']) ?? 'account'), body: text }),
    };
    return { kind: 'parts', parts: [part] };
  });
}

/**
 * A message is named by its id alone: a retry that came with another `type` would still be the same message. A receipt carries the id of
 * the message it is about, and events may repeat one, so those are told apart by what they say and when.
 */
function eventIdOf(body: JsonObject, integrationId: string): string | undefined {
  const id = idIn(body['id']);
  if (id === undefined) return undefined;
  if (body['type'] === 'Receipt') return keyOf('receipt', integrationId, id, idIn(body['status']) ?? '');
  if (body['type'] !== 'Event') return keyOf('message', integrationId, id);
  const channel = isJsonObject(body['channel']) ? body['channel'] : {};
  const events = arrayIn(body['events']).map((event) => (isJsonObject(event) ? [event['eventType'], event['typing'], event['presence']] : event));
  return keyOf('event', integrationId, id, idIn(channel['time']) ?? '', JSON.stringify(events));
}
