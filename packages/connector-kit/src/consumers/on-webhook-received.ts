import { isHubError, isMediaContent, type Envelope, type MessageContent } from '@switchboard/contracts';
import { onEvent, type Subscription } from '@switchboard/event-bus';
import { deriveEventId } from '../domain/derive-event-id.ts';
import { toStorable } from '../domain/to-storable.ts';
import type { MediaStore } from '../media/media-store.ts';
import type { ClientContext, ConnectorDefinition, InboundEvent } from '../port.ts';
import type { ConnectorDeps } from './connector-deps.ts';
import { projectStatus } from './project-status.ts';
import { toInboundPayload, type Publication } from './to-inbound-payload.ts';

type InboundMessage = Extract<InboundEvent, { kind: 'message' }>;

/** Times a file is asked for before the message goes on without it. The URLs of Meta's files live five minutes; the contact's later messages wait meanwhile. */
const mediaAttemptsMax = 4;

/** Parses a provider's webhook, fetches the files it names, and says in the hub's words what came. Ids are derived from the webhook's event, so that repetition publishes nothing new. */
export function onWebhookReceived(definition: ConnectorDefinition, deps: ConnectorDeps): Subscription {
  return onEvent({
    type: `webhook.received.${definition.provider}`,
    group: deps.name,
    effect: 'idempotent',
    async handle(event: Envelope<`webhook.received.${ConnectorDefinition['provider']}`>, { attempt }) {
      const connection = await deps.connections.load(event.payload.connectionId);
      const inbound = definition.parseWebhook(event.payload, connection).map(toStorable);
      const setting = { definition, client: deps.clientContext(connection), mediaStore: deps.mediaStore, attempt };
      // Files first: no transaction stays open while a provider is slow.
      const said: Exclude<InboundEvent, { kind: 'ignored' }>[] = [];
      for (const one of inbound) {
        if (one.kind === 'ignored') deps.log.info({ webhookId: event.payload.webhookId, connectionId: connection.connectionId, reason: one.reason }, 'a webhook says nothing for a conversation');
        else said.push(one.kind === 'message' ? { ...one, content: await withMedia(one, setting) } : one);
      }
      if (said.length === 0) return;
      await deps.db.transaction(async () => {
        for (const [index, one] of said.entries()) {
          const known = one.kind === 'status' ? await projectStatus(one, connection.connectionId, deps.deliveries) : one;
          if (known !== undefined) await publish(toInboundPayload(known, connection), deriveEventId(event.eventId, String(index)), deps);
        }
      });
    },
  });
}

async function publish({ type, payload, orderingKey }: Publication, eventId: ReturnType<typeof deriveEventId>, { bus }: ConnectorDeps): Promise<void> {
  // The cast is safe: `payload` was made for `type`, and publish parses it again.
  await bus.publish(type, payload as never, { orderingKey, eventId });
}

type MediaSetting = { readonly definition: ConnectorDefinition; readonly client: ClientContext; readonly mediaStore: MediaStore; readonly attempt: number };

async function withMedia({ content, remoteMedia }: InboundMessage, { definition, client, mediaStore, attempt }: MediaSetting): Promise<MessageContent> {
  if (!isMediaContent(content) || remoteMedia === undefined) return content;
  try {
    const fetched = await definition.client.fetchMedia(remoteMedia, client);
    const mediaKey = await mediaStore.store(fetched.bytes);
    return { ...content, media: { ...content.media, mediaKey, size: fetched.bytes.length, mimeType: content.media.mimeType || (fetched.mimeType ?? 'application/octet-stream') } };
  } catch (error) {
    // A file that stays away is an expected outcome of receiving: the message goes on without it, with the reason.
    if (!isHubError(error) || error.code === 'storage.unavailable') throw error;
    if (error.retry !== 'never' && attempt < mediaAttemptsMax) throw error;
    return { ...content, media: { ...content.media, unavailable: error.publicMessage.slice(0, 1024) } };
  }
}
