import { parseJson, instantOf, type ConnectorWebhook, type InboundEvent } from '@switchboard/connector-kit';
import type { ContactRef, DeliveryStatus, MediaKind, MessageContent } from '@switchboard/contracts';
import { contentItemSchema, webhookSchema, type GenesysAttachment, type GenesysCard, type GenesysWebhook } from './wire.ts';

/**
 * What a webhook of Genesys Cloud says: an agent's (or flow's) message, typing, or the fate of a message of ours. Pure; any JSON is
 * answered, at worst with `ignored`. A message with several attachments becomes several events, numbered after the provider's id.
 */
export function parseWebhook(webhook: ConnectorWebhook): InboundEvent[] {
  const parsed = webhookSchema.safeParse(parseJson(webhook.body));
  if (!parsed.success) return [{ kind: 'ignored', reason: 'not a message of open messaging' }];
  const message = parsed.data;
  const contact: ContactRef = { address: message.channel.to.id, aliases: {} };
  const sentAt = instantOf(message.channel.time) ?? webhook.receivedAt;
  if (message.type === 'Receipt') return [receiptOf(message, sentAt)];
  if (message.direction === 'Inbound') return [{ kind: 'ignored', reason: 'echo of our own message' }];

  const common = { kind: 'message', contact, sentAt, author: message.originatingEntity === 'Bot' ? 'bot' : 'agent', providerConversationId: message.conversationId } as const;
  if (message.type === 'Event') {
    const typing = message.events.find((event) => event.eventType === 'Typing');
    if (typing === undefined) return [{ kind: 'ignored', reason: `event ${message.events.map((event) => event.eventType).join(', ')}` }];
    return [{ ...common, providerMessageId: message.id, content: { kind: 'typing', on: typing.typing?.type !== 'Off' } }];
  }
  return contentsOf(message).map(({ content, attachment }, index) => ({
    ...common,
    providerMessageId: index === 0 ? message.id : `${message.id}:${index}`,
    content,
    ...(attachment === undefined ? {} : { remoteMedia: { url: attachment.url, ...(attachment.sha256 === undefined ? {} : { sha256: attachment.sha256 }) } }),
  }));
}

type Content = { readonly content: MessageContent; readonly attachment?: GenesysAttachment };

function contentsOf(message: GenesysWebhook): Content[] {
  const items = message.content.flatMap((value) => contentItemSchema.safeParse(value).data ?? []);
  const attachments = items.flatMap((item) => item.attachment ?? []);
  const contents: Content[] = attachments.map((attachment, index) => ({
    content: mediaContentOf(attachment, index === 0 ? message.text : undefined),
    attachment,
  }));

  const quickReplies = items.flatMap((item) => item.quickReply ?? []);
  const cards = items.flatMap((item) => (item.card ? [item.card] : (item.carousel?.cards ?? [])));
  const text = attachments.length === 0 ? message.text : undefined;
  if (quickReplies.length > 0) {
    const options = quickReplies.map((reply) => ({ id: limited(reply.payload ?? reply.text, 256), title: limited(reply.text, 256) }));
    contents.push({ content: { kind: 'choice', text: text || '…', options: options.slice(0, 50) } });
  } else if (text) {
    contents.push({ content: { kind: 'text', text } });
  }
  contents.push(...cards.map((card) => ({ content: cardContentOf(card) })));
  contents.push(...items.flatMap((item) => (item.location ? [{ content: locationContentOf(item.location) }] : [])));
  if (contents.length > 0) return contents;
  const kinds = message.content.flatMap((value) => contentItemSchema.safeParse(value).data?.contentType ?? []);
  return [{ content: { kind: 'unsupported', providerType: kinds[0] ?? message.type, reason: 'nothing in it that can be shown', raw: message } }];
}

function mediaContentOf(attachment: GenesysAttachment, caption: string | undefined): MessageContent {
  const mimeType = attachment.mime ?? 'application/octet-stream';
  return {
    kind: mediaKindOf(attachment.mediaType, mimeType),
    media: { mimeType: limited(mimeType, 255), fileName: attachment.filename && limited(attachment.filename, 255), size: attachment.contentSizeBytes && Math.trunc(attachment.contentSizeBytes), caption: caption ?? attachment.text },
  };
}

function mediaKindOf(mediaType: string | undefined, mimeType: string): Exclude<MediaKind, 'sticker'> {
  const family = (mediaType ?? mimeType.split('/')[0] ?? '').toLowerCase();
  return family === 'image' || family === 'audio' || family === 'video' ? family : 'file';
}

/** A card has no counterpart at most channels: its words become a text, its postbacks the choices. Links stand in the text. */
function cardContentOf(card: GenesysCard): MessageContent {
  const links = card.actions.flatMap((action) => (action.url ? [`${action.text ?? ''} ${action.url}`.trim()] : []));
  const text = [card.title, card.description, ...links].filter(Boolean).join('\n') || '…';
  const options = card.actions.flatMap((action) => (action.payload && action.text ? [{ id: limited(action.payload, 256), title: limited(action.text, 256) }] : []));
  return options.length > 0 ? { kind: 'choice', text, options: options.slice(0, 50) } : { kind: 'text', text };
}

function locationContentOf(location: { latitude: number; longitude: number; address?: string; text?: string }): MessageContent {
  const { latitude, longitude, address, text } = location;
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return { kind: 'unsupported', providerType: 'Location', reason: 'no place on earth', raw: location };
  return { kind: 'location', latitude, longitude, address, name: text };
}

/** Receipts name the message that the hub sent; a `Failed` one means that no agent ever saw it. */
function receiptOf(message: GenesysWebhook, at: string): InboundEvent {
  const status = receiptStatuses[message.status ?? ''];
  if (status === undefined) return { kind: 'ignored', reason: `receipt ${message.status ?? 'without status'}` };
  const reason = message.reasons[0];
  return {
    kind: 'status',
    providerMessageId: message.id,
    contactAddress: message.channel.to.id,
    providerConversationId: message.conversationId,
    status,
    at,
    ...(status === 'failed' ? { error: { code: 'provider.rejected', message: reason?.message ?? 'Genesys could not take the message', providerCode: reason?.code } } : {}),
  };
}

const receiptStatuses: Readonly<Record<string, DeliveryStatus | undefined>> = { Sent: 'sent', Published: 'delivered', Delivered: 'delivered', Read: 'read', Failed: 'failed' };

function limited(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text || '…' : text.slice(0, lengthMax);
}
