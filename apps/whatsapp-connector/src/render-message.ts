import type { PublicConnection, Rendered, RenderedPart } from '@switchboard/connector-kit';
import { assertNever, describeContent, isMediaContent, type ContentOf, type MediaContent, type MessageSend } from '@switchboard/contracts';
import { isUserId } from './is-user-id.ts';
import { limits, mediaForms, type WhatsAppMediaType } from './limits.ts';
import { renderChoice } from './render-choice.ts';
import { textPieces, type Piece } from './text-pieces.ts';

/**
 * A message as bodies of POST /{phone-number-id}/messages. The first part answers the quoted message; each carries our message id, which
 * Meta echoes in its statuses. Pure.
 */
export function renderMessage(command: MessageSend, _connection: PublicConnection): Rendered {
  const recipient = recipientOf(command.contact.address);
  if (recipient === undefined) return impossible(`"${command.contact.address}" is neither a phone number nor a WhatsApp user id.`);
  const { content, replyToProviderMessageId: replyTo } = command;
  if (content.kind === 'typing') return content.on ? renderRead(replyTo, { typing_indicator: { type: 'text' } }) : { kind: 'nothing' };
  // The contact hears of it from whoever answers next.
  if (content.kind === 'handoff') return { kind: 'nothing' };
  if (content.kind === 'receipt') return content.status === 'read' ? renderRead(content.providerMessageId) : { kind: 'nothing' };

  const pieces = piecesOf(content);
  if (!Array.isArray(pieces)) return impossible(pieces.reason);
  const parts = pieces.map((piece, index): RenderedPart => ({
    body: {
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      ...recipient,
      type: piece.type,
      [piece.type]: piece.body,
      ...(index === 0 && replyTo !== undefined && piece.type !== 'reaction' ? { context: { message_id: replyTo } } : {}),
      biz_opaque_callback_data: pieces.length === 1 ? command.messageId : `${command.messageId}.${index}`,
    },
    ...(piece.media === undefined ? {} : { media: piece.media }),
  }));
  return { kind: 'parts', parts };
}

/** Without `+` Meta would put the business number's own country code in front (contract, section 10). */
function recipientOf(address: string): { readonly to: string } | { readonly recipient: string } | undefined {
  if (isUserId(address)) return { recipient: address };
  const digits = address.replaceAll(/[\s()+-]/g, '');
  return /^\d{5,20}$/.test(digits) ? { to: `+${digits}` } : undefined;
}

/** Marks the contact's message as read; the typing indicator comes only with that. */
function renderRead(messageId: string | undefined, more: Readonly<Record<string, unknown>> = {}): Rendered {
  if (messageId === undefined) return { kind: 'nothing' };
  return { kind: 'parts', parts: [{ body: { messaging_product: 'whatsapp', status: 'read', message_id: messageId, ...more } }] };
}

type Sayable = Exclude<MessageSend['content'], ContentOf<'typing' | 'receipt' | 'handoff'>>;

function piecesOf(content: Sayable): Piece[] | { readonly reason: string } {
  if (isMediaContent(content)) return mediaPieces(content);
  switch (content.kind) {
    case 'text':
    case 'notice':
      return textPieces(content.text);
    case 'choice_reply':
      return textPieces(content.title || content.optionId);
    case 'form_reply':
      return textPieces([content.title, ...Object.entries(content.fields).map(([name, field]) => `${name}: ${typeof field === 'string' ? field : JSON.stringify(field)}`)].join('\n'));
    case 'location':
      return [{ type: 'location', body: locationOf(content) }];
    case 'contact_card':
      return inChunks(content.cards, limits.cardsMax).map((cards) => ({ type: 'contacts', body: cards.map(cardOf) }));
    case 'choice':
      return renderChoice(content);
    case 'reaction':
      return [{ type: 'reaction', body: { message_id: content.providerMessageId, emoji: content.emoji } }];
    case 'template':
      return [{ type: 'template', body: { name: content.name, language: { code: content.language }, ...(content.components.length > 0 ? { components: content.components } : {}) } }];
    case 'unsupported':
      return { reason: `WhatsApp has no form for "${content.providerType}".` };
    default:
      return assertNever(content);
  }
}

function locationOf({ latitude, longitude, name, address }: ContentOf<'location'>) {
  // Six decimals are a tenth of a metre; more could print as an exponent.
  const degrees = (value: number) => String(Number(value.toFixed(6)));
  return { latitude: degrees(latitude), longitude: degrees(longitude), ...(name ? { name } : {}), ...(address ? { address } : {}) };
}

function cardOf({ name, organization, phones, emails }: ContentOf<'contact_card'>['cards'][number]) {
  const shown = name || organization || phones[0]?.number || emails[0]?.address || '?';
  const typed = (type: string | undefined) => (type ? { type } : {});
  return {
    // Meta wants one more name beside the formatted one.
    name: { formatted_name: shown, first_name: shown },
    ...(organization ? { org: { company: organization } } : {}),
    ...(phones.length > 0 ? { phones: phones.map(({ number, type }) => ({ phone: number, ...typed(type) })) } : {}),
    ...(emails.length > 0 ? { emails: emails.map(({ address, type }) => ({ email: address, ...typed(type) })) } : {}),
  };
}

/** The file is uploaded by the client, which puts its id into the body. A caption that does not fit follows as text. */
function mediaPieces(content: MediaContent): Piece[] | { readonly reason: string } {
  const { mediaKey, url, mimeType, fileName, caption, unavailable } = content.media;
  if (mediaKey === undefined && url === undefined) return textPieces(`${describeContent(content)} (${unavailable ?? 'the file is missing'})`);
  const form = formOf(content);
  if (form === undefined) return { reason: `WhatsApp takes files up to ${mediaForms.document.bytesMax / 1024 / 1024} MB.` };
  const hasCaption = caption !== undefined && caption.trim() !== '';
  const isInside = hasCaption && mediaForms[form].hasCaption && caption.length <= limits.captionLengthMax;
  const name = fileName ?? `${content.kind}${extensionOf(mimeType)}`;
  return [
    { type: form, body: { ...(isInside ? { caption } : {}), ...(form === 'document' ? { filename: name } : {}) }, media: { mediaKey, url, mimeType, fileName: name } },
    ...(hasCaption && !isInside ? textPieces(caption) : []),
  ];
}

/** What WhatsApp shows it as: what it is, where type and size allow, else a document; undefined when it is too large for that too. */
function formOf({ kind, media }: MediaContent): WhatsAppMediaType | undefined {
  const mimeType = (media.mimeType.split(';')[0] ?? '').trim().toLowerCase();
  const wanted: readonly WhatsAppMediaType[] = kind === 'file' ? ['document'] : kind === 'sticker' ? ['sticker', 'image', 'document'] : [kind, 'document'];
  return wanted.find((form) => (mediaForms[form].mimeTypes?.includes(mimeType) ?? true) && (media.size ?? 0) <= mediaForms[form].bytesMax);
}

function extensionOf(mimeType: string): string {
  const subtype = /^[a-z]+\/([a-z0-9]+)/i.exec(mimeType)?.[1];
  return subtype === undefined ? '' : `.${subtype === 'jpeg' ? 'jpg' : subtype}`;
}

function inChunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}

function impossible(message: string): Rendered {
  return { kind: 'impossible', error: { code: 'message.unsupported_content', message } };
}
