import { parseJson, instantOf, type ConnectorWebhook, type InboundEvent, type PublicConnection } from '@switchboard/connector-kit';
import { createHash } from 'node:crypto';
import { parseFid } from './fid.ts';
import { parseAction, parseItems, type Said } from './parse-items.ts';
import { publishedSchema, signalSchema, type Signal } from './wire.ts';

/** What a webhook of Botpress says: a signal of the Chat integration, or answers in the published form. Pure; any JSON is answered, at worst with `ignored`. */
export function parseWebhook(webhook: ConnectorWebhook, connection: Pick<PublicConnection, 'routingIdentifiers' | 'settings'>): InboundEvent[] {
  const json = parseJson(webhook.body);
  const signal = signalSchema.safeParse(json);
  if (signal.success) return parseSignal(signal.data, webhook, connection);
  const published = publishedSchema.safeParse(json);
  if (!published.success) return [{ kind: 'ignored', reason: 'no signal of the Chat API' }];
  const { sessionId, responses } = published.data;
  // Without an id of its own: the same webhook has the same time whenever it is read.
  const source = { fid: sessionId, sentAt: webhook.receivedAt, id: hashOf(webhook.receivedAt, webhook.body) };
  return toEvents(parseItems(responses, baseUrlOf(connection)), source, connection);
}

/** Whose words they are and what they are called: `id` for the first, `id:1` … for the others. */
export type Source = { readonly fid: string; readonly id: string; /** RFC 3339 in UTC. */ readonly sentAt: string };

/** The one way from what a bot said to the hub's events, in its order. What it asks the hub to do carries `attributes.botAction`, which nothing from outside can set. */
export function toEvents(said: readonly Said[], { fid, id, sentAt }: Source, { routingIdentifiers }: Pick<PublicConnection, 'routingIdentifiers'>): InboundEvent[] {
  const names = parseFid(fid);
  const session = routingIdentifiers['session'];
  if (names === undefined || (session !== undefined && session !== names.connectionId)) return [{ kind: 'ignored', reason: 'no conversation of this connection' }];
  return said.map((one, index): InboundEvent => {
    if ('skipped' in one) return { kind: 'ignored', reason: one.skipped };
    return {
      kind: 'message',
      providerMessageId: index === 0 ? id : `${id}:${index}`,
      providerConversationId: fid,
      conversationId: names.conversationId,
      contact: { address: fid, aliases: {} },
      author: 'bot',
      content: one.content,
      ...(one.remoteMedia === undefined ? {} : { remoteMedia: one.remoteMedia }),
      ...(one.action === undefined ? {} : { attributes: { botAction: one.action } }),
      sentAt,
    };
  });
}

function parseSignal({ type, data }: Signal, webhook: ConnectorWebhook, connection: Pick<PublicConnection, 'routingIdentifiers' | 'settings'>): InboundEvent[] {
  const { conversationId: fid, payload, createdAt } = data;
  const sentAt = instantOf(createdAt) ?? webhook.receivedAt;
  // What the contact said comes back with isBot false.
  if (data.isBot !== true) return [{ kind: 'ignored', reason: 'echo of our own' }];
  switch (type) {
    case 'message_created':
      return toEvents(parseItems([payload], baseUrlOf(connection)), { fid, sentAt, id: data.id || hashOf(fid, sentAt, JSON.stringify(payload)) }, connection);
    case 'event_created': {
      const action = parseAction(payload);
      if (action === undefined) return [{ kind: 'ignored', reason: 'an event that asks for nothing the hub can do' }];
      // Events have no id (contract, 2.4).
      return toEvents([action], { fid, sentAt, id: data.id || hashOf(fid, createdAt ?? '', JSON.stringify(payload)) }, connection);
    }
    default:
      // Streams end in a message_created of their own.
      return [{ kind: 'ignored', reason: `signal ${type.slice(0, 64)}` }];
  }
}

/** Files of a v12 bot may be named by a path alone. */
function baseUrlOf({ settings }: Pick<PublicConnection, 'settings'>): string | undefined {
  return settings['kind'] === 'v12' ? settings['apiBaseUrl'] : undefined;
}

function hashOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
