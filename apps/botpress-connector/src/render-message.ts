import { splitText, type PublicConnection, type Rendered, type RenderedPart } from '@switchboard/connector-kit';
import { assertNever, describeContent, type ContentOf, type MediaContent, type MessageContent, type MessageSend } from '@switchboard/contracts';
import { isV12, textLengthMaxOf } from './account.ts';
import { fidOf } from './fid.ts';
import { readTenantContext } from './turns/tenant-context.ts';

/** Characters of a turn at Cloud, six bytes each as JSON at most: with the metadata it stays below the 128 KB of a message (contract, 2.2). */
const cloudTextLengthMax = 15_000;
/** Characters of the name that the bot may use. */
const nameLengthMax = 100;

/**
 * One call that asks the bot: always one part, because each is a turn of its own. `user` is given until the bot has been reached once. What the tenant
 * set up for its bot comes with the command (`attributes.tenantContext`) and goes along as metadata. Pure.
 */
export function renderMessage(command: MessageSend, connection: Pick<PublicConnection, 'settings'>): Rendered {
  const { content } = command;
  // A bot has no use for either.
  if (content.kind === 'typing' || content.kind === 'receipt') return { kind: 'nothing' };
  if (content.kind === 'handoff') return isV12(connection) || content.to !== 'bot' ? { kind: 'nothing' } : { kind: 'parts', parts: [handoffEndedPart(command)] };
  const parts = isV12(connection) ? v12Parts(command, content, textLengthMaxOf(connection)) : cloudParts(command, content);
  return { kind: 'parts', parts };
}

/** Tells a Cloud bot that the desk is done. */
export function handoffEndedPart(names: Pick<MessageSend, 'connectionId' | 'conversationId'>): RenderedPart {
  return { path: 'events', body: { fid: fidOf(names), request: { conversationId: fidOf(names), payload: { type: 'handoff_ended' } } } };
}

/** What a bot can be asked. */
type Asked = Exclude<MessageContent, ContentOf<'typing' | 'receipt' | 'handoff'>>;

function cloudParts(command: MessageSend, content: Asked): RenderedPart[] {
  const fid = fidOf(command);
  const payload = payloadOf(content, cloudTextLengthMax);
  if (payload === undefined) return [];
  const request = { conversationId: fid, payload: withCaptionBeside(payload.body), metadata: metadataOf(command) };
  return [{ path: 'messages', body: { fid, ...(isKnown(command) ? {} : { user: userOf(command) }), request }, ...(payload.media === undefined ? {} : { media: payload.media }) }];
}

/** Files have no caption at Cloud: a bloc says both in one turn (contract, 2.5). */
function withCaptionBeside({ caption, ...file }: Payload['body']): Payload['body'] {
  return caption === undefined ? file : { type: 'bloc', items: [file, { type: 'text', text: caption }] };
}

function v12Parts(command: MessageSend, content: Asked, textLengthMax: number): RenderedPart[] {
  const payload = payloadOf(content, textLengthMax);
  if (payload === undefined) return [];
  // A click reaches a v12 bot as a postback; its channel `api` wants the value (contract, 1.3).
  const body = content.kind === 'choice_reply' ? { type: 'postback', payload: content.optionId, text: cut(content.title, textLengthMax) } : payload.body;
  return [{ path: 'converse', body: { fid: fidOf(command), request: { ...body, metadata: metadataOf(command) } }, ...(payload.media === undefined ? {} : { media: payload.media }) }];
}

function metadataOf({ messageId, attributes }: MessageSend) {
  return { hubMessageId: messageId, tenantContext: readTenantContext(attributes) };
}

/** Set by the turn when the bot has the conversation already. */
function isKnown({ attributes }: MessageSend): boolean {
  return attributes['isKnownAtBot'] === 'true';
}

function userOf({ contact, attributes }: MessageSend) {
  const { locale } = readTenantContext(attributes);
  const name = cut(contact.name?.trim() ?? '', nameLengthMax);
  return { ...(name === '' ? {} : { name }), ...(locale === undefined ? {} : { profile: JSON.stringify({ locale }) }) };
}

type Payload = { readonly body: Readonly<Record<string, unknown>>; readonly media?: RenderedPart['media'] };

/** Undefined for white space alone, which Botpress refuses. */
function payloadOf(content: Asked, textLengthMax: number): Payload | undefined {
  switch (content.kind) {
    case 'image':
    case 'audio':
    case 'video':
    case 'file':
    case 'sticker':
      return filePayload(content, textLengthMax);
    case 'location': {
      const { latitude, longitude, address, name } = content;
      return { body: { type: 'location', latitude: latitude + 0, longitude: longitude + 0, ...(address ? { address } : {}), ...(name ? { title: name } : {}) } };
    }
    // A click goes back as the option's value (contract, 2.5).
    case 'choice_reply':
      return textPayload(content.optionId || content.title, textLengthMax);
    case 'reaction':
      return textPayload(content.emoji === '' ? '[took a reaction back]' : `[reacted with ${content.emoji}]`, textLengthMax);
    case 'form_reply':
      return textPayload([content.title, ...Object.entries(content.fields).map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)].join('\n'), textLengthMax);
    case 'text':
    case 'contact_card':
    case 'choice':
    case 'template':
    case 'notice':
    case 'unsupported':
      return textPayload(describeContent(content), textLengthMax);
    default:
      return assertNever(content);
  }
}

function textPayload(text: string, lengthMax: number): Payload | undefined {
  const words = cut(text, lengthMax);
  return words.trim() === '' ? undefined : { body: { type: 'text', text: words } };
}

/** The client puts the file's address in when it sends: addresses expire, the rest must not change. */
function filePayload({ kind, media }: MediaContent, textLengthMax: number): Payload | undefined {
  if (media.mediaKey === undefined && media.url === undefined) return textPayload(media.caption || `[${kind}: ${media.unavailable ?? 'the file is not available'}]`, textLengthMax);
  const { mediaKey, url, mimeType, fileName } = media;
  const caption = cut(media.caption ?? '', textLengthMax);
  const title = kind === 'file' ? fileName : undefined;
  const body = { type: kind === 'sticker' ? 'image' : kind, ...(title ? { title } : {}), ...(caption.trim() === '' ? {} : { caption }) };
  return { body, media: { mimeType, ...(mediaKey === undefined ? {} : { mediaKey }), ...(url === undefined ? {} : { url }), ...(fileName === undefined ? {} : { fileName }) } };
}

/** A question that is too long loses its end: in pieces it would be several turns, each with an answer of its own. */
function cut(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : (splitText(text, lengthMax)[0] ?? '');
}
