import { isHubError, isMediaContent, type ConnectionWithSecrets, type Envelope, type Media, type MessageContent } from '@switchboard/contracts';
import { onEvent, type Subscription } from '@switchboard/event-bus';
import { withoutSecrets } from '@switchboard/secrets';
import { deriveEventId } from '../domain/derive-event-id.ts';
import { toStorable } from '../domain/to-storable.ts';
import { loadWithRoom } from '../media/load-with-room.ts';
import type { ConnectorDefinition, InboundEvent, RemoteMedia } from '../port.ts';
import type { ConnectorDeps } from './connector-deps.ts';
import { projectStatus } from './project-status.ts';
import { publish } from './publish-inbound.ts';
import { isSaid, toInboundPayload } from './to-inbound-payload.ts';

type InboundMessage = Extract<InboundEvent, { kind: 'message' }>;
type Spoken = Exclude<InboundEvent, { kind: 'ignored' }>;

/** Times a file is asked for before the message goes on without it. The URLs of Meta's files live five minutes; the contact's later messages wait meanwhile. */
const mediaAttemptsMax = 4;
/** The same by the clock, because not every wait is an attempt: a number that is throttled for hours must not keep a contact's words from the agents. */
const mediaWaitMaxMs = 10 * 60_000;

/** Parses a provider's webhook, fetches the files it names, and says in the hub's words what came. Ids are derived from the webhook's event, so that repetition publishes nothing new. */
export function onWebhookReceived(definition: ConnectorDefinition, deps: ConnectorDeps): Subscription {
  return onEvent({
    type: `webhook.received.${definition.provider}`,
    group: deps.name,
    effect: 'idempotent',
    async handle(event: Envelope<`webhook.received.${ConnectorDefinition['provider']}`>, context) {
      const { attempt } = context;
      const connection = await deps.connections.load(event.payload.connectionId);
      const inbound = definition.parseWebhook(event.payload, connection).map(toStorable);
      const isLastTry = attempt >= mediaAttemptsMax || deps.now().getTime() - Date.parse(event.occurredAt) > mediaWaitMaxMs;
      const setting = { definition, connection, deps, isLastTry };
      // Files first: no transaction stays open while a provider is slow.
      const said: Spoken[] = [];
      for (const one of inbound) {
        if (one.kind === 'ignored') deps.log.info({ webhookId: event.payload.webhookId, connectionId: connection.connectionId, reason: one.reason }, 'a webhook says nothing for a conversation');
        else said.push(await completed(one, setting));
      }
      if (said.length === 0) return;
      await context.commit(async () => {
        const kept = (await deps.hooks.onInbound?.(said, { cause: event.eventId, connection })) ?? said;
        for (const [index, one] of kept.entries()) {
          if (!isSaid(one)) continue;
          const known = one.kind === 'status' ? await projectStatus(one, connection.connectionId, deps.deliveries) : one;
          if (known !== undefined) await publish(toInboundPayload(known, connection), deriveEventId(event.eventId, String(index)), deps.bus);
        }
      });
    },
  });
}

/** With the file it names, and without secrets. */
async function completed(one: Spoken, setting: MediaSetting): Promise<Spoken> {
  if (one.kind === 'message') return { ...one, content: await withMedia(one, setting) };
  if (one.kind === 'status') return quoting(one, setting.connection);
  return one.media === undefined || one.remoteMedia === undefined ? one : { ...one, media: await withFile(one.media, one.remoteMedia, setting) };
}

/** What a provider says of a failure may quote what it was sent. */
function quoting(status: Extract<InboundEvent, { kind: 'status' }>, { credentials }: ConnectionWithSecrets): Extract<InboundEvent, { kind: 'status' }> {
  if (status.error === undefined) return status;
  return { ...status, error: { ...status.error, message: withoutSecrets(status.error.message, credentials) } };
}

type MediaSetting = { readonly definition: ConnectorDefinition; readonly connection: ConnectionWithSecrets; readonly deps: ConnectorDeps; readonly isLastTry: boolean };

async function withMedia({ content, remoteMedia }: InboundMessage, setting: MediaSetting): Promise<MessageContent> {
  if (!isMediaContent(content) || remoteMedia === undefined) return content;
  return { ...content, media: await withFile(content.media, remoteMedia, setting) };
}

async function withFile(media: Media, remoteMedia: RemoteMedia, setting: MediaSetting): Promise<Media> {
  try {
    const kept = await keepFile(remoteMedia, media.size, setting);
    return { ...media, mediaKey: kept.mediaKey, size: kept.size, mimeType: media.mimeType || (kept.mimeType ?? 'application/octet-stream') };
  } catch (error) {
    // A file that stays away is an expected outcome of receiving: the message goes on without it, with the reason.
    if (!isHubError(error) || error.code === 'storage.unavailable') throw error;
    if (error.retry !== 'never' && !setting.isLastTry) throw error;
    return { ...media, unavailable: error.publicMessage.slice(0, 1024) };
  }
}

async function keepFile(remoteMedia: RemoteMedia, size: number | undefined, { definition, connection, deps }: MediaSetting) {
  const fetchMedia = (bytesMax: number) => deps.runClient(connection, (context) => definition.client.fetchMedia(remoteMedia, context), bytesMax);
  const { value: fetched, release } = await loadWithRoom(deps.fileRoom, size, fetchMedia);
  try {
    return { mediaKey: await deps.mediaStore.store(fetched.bytes), size: fetched.bytes.length, mimeType: fetched.mimeType };
  } finally {
    release();
  }
}
