import { isHubError, isMediaContent, messageContentSchema, type ConnectionWithSecrets, type Envelope, type MessageContent } from '@switchboard/contracts';
import { onEvent, type ConsumerContext, type Subscription } from '@switchboard/event-bus';
import { deriveEventId } from '../domain/derive-event-id.ts';
import { toStorable } from '../domain/to-storable.ts';
import type { MediaStore } from '../media/media-store.ts';
import type { ClientContext, ConnectorDefinition, InboundEvent } from '../port.ts';
import type { ConnectorDeps } from './connector-deps.ts';

type InboundMessage = Extract<InboundEvent, { kind: 'message' }>;
type InboundStatus = Extract<InboundEvent, { kind: 'status' }>;
type Publication = { readonly type: 'message.received' | 'message.status'; readonly payload: object; readonly orderingKey: string };

/** Times a file is asked for before the message goes on without it. The URLs of Meta's files live five minutes; the contact's later messages wait meanwhile. */
const mediaAttemptsMax = 4;

/** Parses a provider's webhook, fetches the files it names, and says in the hub's words what came. Ids are derived from the webhook's event, so that repetition publishes nothing new. */
export function onWebhookReceived(definition: ConnectorDefinition, deps: ConnectorDeps): Subscription {
  return onEvent({
    type: `webhook.received.${definition.provider}`,
    group: deps.name,
    effect: 'idempotent',
    async handle(event: Envelope<`webhook.received.${ConnectorDefinition['provider']}`>, context: ConsumerContext) {
      const connection = await deps.connections.load(event.payload.connectionId);
      const client = deps.clientContext(connection);
      const publications: Publication[] = [];
      for (const inbound of definition.parseWebhook(event.payload, connection).map(toStorable)) {
        if (inbound.kind === 'message') publications.push(await messageReceived(inbound, { definition, connection, client, mediaStore: deps.mediaStore, attempt: context.attempt }));
        else if (inbound.kind === 'status') publications.push(await messageStatus(inbound, connection, deps));
        else deps.log.info({ webhookId: event.payload.webhookId, connectionId: connection.connectionId, reason: inbound.reason }, 'webhook says nothing for a conversation');
      }
      if (publications.length === 0) return;
      await deps.db.transaction(async () => {
        for (const [index, { type, payload, orderingKey }] of publications.entries()) {
          // The cast is safe: `payload` was made for `type` by the two functions below, and publish parses it again.
          await deps.bus.publish(type, payload as never, { orderingKey, eventId: deriveEventId(event.eventId, String(index)) });
        }
      });
    },
  });
}

type MessageSetting = { readonly definition: ConnectorDefinition; readonly connection: ConnectionWithSecrets; readonly client: ClientContext; readonly mediaStore: MediaStore; readonly attempt: number };

async function messageReceived(inbound: InboundMessage, setting: MessageSetting): Promise<Publication> {
  const { kind: _kind, remoteMedia: _remoteMedia, ...message } = inbound;
  const { connectionId, provider, role } = setting.connection;
  return {
    type: 'message.received',
    payload: { ...message, connectionId, provider, role, content: readable(await withMedia(inbound, setting)) },
    orderingKey: `${connectionId}:${inbound.contact.address}`,
  };
}

/** A connector that reads what the vocabulary refuses (a latitude of 95) must not lose the message. */
function readable(content: MessageContent): MessageContent {
  const parsed = messageContentSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return { kind: 'unsupported', providerType: content.kind, reason: issue && `${issue.path.join('.')}: ${issue.message}`, raw: content };
}

async function withMedia(inbound: InboundMessage, { definition, client, mediaStore, attempt }: MessageSetting): Promise<MessageContent> {
  const { content, remoteMedia } = inbound;
  if (!isMediaContent(content) || remoteMedia === undefined) return content;
  try {
    const fetched = await definition.client.fetchMedia(remoteMedia, client);
    const mediaKey = await mediaStore.store(fetched.bytes);
    return { ...content, media: { ...content.media, mediaKey, size: fetched.bytes.length, mimeType: content.media.mimeType || (fetched.mimeType ?? 'application/octet-stream') } };
  } catch (error) {
    // A file that stays away is an expected outcome of receiving: the message goes on without it, with the reason.
    if (!isHubError(error) || error.code === 'storage.unavailable') throw error;
    if (error.retry !== 'never' && attempt < mediaAttemptsMax) throw error;
    return { ...content, media: { ...content.media, unavailable: error.publicMessage } };
  }
}

async function messageStatus(inbound: InboundStatus, connection: ConnectionWithSecrets, deps: ConnectorDeps): Promise<Publication> {
  const { kind: _kind, part: _part, contactAddress, ...status } = inbound;
  const { connectionId, provider } = connection;
  const messageId = status.messageId ?? (await findMessageId(inbound, connection, deps));
  return {
    type: 'message.status',
    payload: { ...status, messageId, connectionId, provider },
    orderingKey: `${connectionId}:${contactAddress ?? messageId ?? inbound.providerMessageId ?? ''}`,
  };
}

async function findMessageId(inbound: InboundStatus, connection: ConnectionWithSecrets, deps: ConnectorDeps) {
  const { providerMessageId } = inbound;
  if (providerMessageId === undefined) return undefined;
  return (await deps.db.transaction(() => deps.deliveries.findByProviderMessageId(connection.connectionId, providerMessageId)))?.messageId;
}
