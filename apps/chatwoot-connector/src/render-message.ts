import { describeInWords, splitText, type PublicConnection, type Rendered } from '@switchboard/connector-kit';
import { assertNever, describeHandoff, type ContentOf, type MediaContent, type MessageContent, type MessageSend } from '@switchboard/contracts';
import { messageLengthMax } from './api/messages.ts';
import { actionPart, type ChatwootPart, type Message } from './part.ts';
import { withoutLiquid } from './without-liquid.ts';

/**
 * The calls that bring a message of the hub to an inbox. At a desk the contact speaks (`incoming`), at a channel the business does
 * (`outgoing`). Every message carries `hub_ref`, by which it is known again: as an echo, and after a call without an answer. Pure.
 */
export function renderMessage(command: MessageSend, connection: PublicConnection): Rendered {
  const { content } = command;
  if (connection.role === 'desk' && connection.settings['inboxType'] === 'website') {
    return { kind: 'impossible', error: { code: 'message.unsupported_content', message: 'Contacts\' messages can be shown in API inboxes only; this connection has a website inbox.' } };
  }
  switch (content.kind) {
    case 'typing':
      return typingOf(command, content, connection);
    case 'receipt':
      return receiptOf(command, content, connection);
    case 'handoff':
      return parts(handoffParts(command, content, connection));
    default:
      return parts(messagesOf(content, command, connection).map(({ media, ...message }, index) => messagePart(command, connection, message, index, media)));
  }
}

type Said = Omit<Message, 'messageType' | 'contentAttributes' | 'sourceId'> & { readonly items?: { title: string; value: string }[]; readonly media?: MediaContent };

function parts(list: readonly ChatwootPart[]): Rendered {
  return { kind: 'parts', parts: list };
}

/** What of a message stands in one message of Chatwoot, in order. None for white space alone. */
function messagesOf(content: Exclude<MessageContent, ContentOf<'typing' | 'receipt' | 'handoff'>>, command: MessageSend, connection: PublicConnection): Said[] {
  const isOutgoing = !isIncoming(command, connection);
  const escaped = (text: string) => (isOutgoing ? withoutLiquid(text) : text);
  if ('media' in content && (content.media.mediaKey !== undefined || content.media.url !== undefined)) return [{ content: escaped(content.media.caption ?? ''), media: content }];
  // Only the widget of a website shows answers to click; everywhere else they are lines of a text.
  if (content.kind === 'choice' && isOutgoing && connection.settings['inboxType'] === 'website') {
    return [{ content: escaped(content.text), contentType: 'input_select', items: content.options.map(({ id, title }) => ({ title, value: id })) }];
  }
  return textsOf(escaped(describeInWords(content))).map((text) => ({ content: text }));
}

function textsOf(text: string): string[] {
  return splitText(text, messageLengthMax).filter((piece) => piece.trim() !== '');
}

/** What the contact said, told at a desk. Bots, the hub and other desks' agents are on our side there too. */
function isIncoming({ author }: MessageSend, { role }: PublicConnection): boolean {
  return role === 'desk' && author === 'contact';
}

function messagePart(command: MessageSend, connection: PublicConnection, said: Said, index: number, file?: MediaContent): ChatwootPart {
  const { items, media: _media, ...message } = said;
  const hubRef = index === 0 ? command.messageId : `${command.messageId}.${index}`;
  const incoming = isIncoming(command, connection);
  const inReplyTo = index === 0 && message.isPrivate !== true ? chatwootIdOf(repliedTo(command)) : undefined;
  const body: Message = {
    ...message,
    messageType: incoming ? 'incoming' : 'outgoing',
    contentAttributes: { hub_ref: hubRef, ...(inReplyTo === undefined ? {} : { in_reply_to: inReplyTo }), ...(items === undefined ? {} : { items }) },
    // Never on outgoing ones: there it says "came from the channel", and Chatwoot does not send it on (contract, 2.4).
    ...(incoming ? { sourceId: hubRef } : {}),
  };
  const part = actionPart('message', command, { asBot: isByMachine(command), message: body });
  if (file === undefined) return part;
  const { mediaKey, url, mimeType, fileName } = file.media;
  return { ...part, media: { ...(mediaKey === undefined ? {} : { mediaKey }), ...(url === undefined ? {} : { url }), mimeType: mimeType || 'application/octet-stream', fileName: fileName ?? `${file.kind}${extensionOf(mimeType)}` } };
}

/** With the bot's token, where there is one: Chatwoot's reports then tell machines from people (contract, 4). */
function isByMachine({ author }: MessageSend): boolean {
  return author === 'bot' || author === 'system';
}

function repliedTo({ content, replyToProviderMessageId }: MessageSend): string | undefined {
  return content.kind === 'reaction' ? content.providerMessageId : replyToProviderMessageId;
}

/** `918273`, or `918273:1` for its second part as the hub counts them. */
function chatwootIdOf(providerMessageId: string | undefined): number | undefined {
  const [, digits] = /^(\d{1,15})(:|$)/.exec(providerMessageId ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Chatwoot knows files by their names' ends: a name without one is shown as a download. */
function extensionOf(mimeType: string): string {
  const [, subtype = ''] = /^[a-z]+\/([a-z0-9]+)/i.exec(mimeType) ?? [];
  const extension = { jpeg: 'jpg', plain: 'txt', quicktime: 'mov', mpeg: 'mp3' }[subtype] ?? subtype;
  return extension === '' || extension === 'octet' ? '' : `.${extension}`;
}

/** At a desk it is the contact who types: only the contacts' own API shows that, by the inbox's identifier (contract, 2.6). */
function typingOf(command: MessageSend, { on }: ContentOf<'typing'>, { role, settings }: PublicConnection): Rendered {
  if (role === 'channel') return parts([actionPart('typing', command, { on, asBot: isByMachine(command) })]);
  return settings['inboxIdentifier'] === undefined ? { kind: 'nothing' } : parts([actionPart('contact-typing', command, { on })]);
}

/** Ticks at an agent's message; Chatwoot takes them for API inboxes alone. */
function receiptOf(command: MessageSend, { providerMessageId, status, error }: ContentOf<'receipt'>, { settings }: PublicConnection): Rendered {
  const messageId = chatwootIdOf(providerMessageId);
  if (messageId === undefined || settings['inboxType'] === 'website') return { kind: 'nothing' };
  return parts([actionPart('receipt', command, { messageId, status, ...(status === 'failed' ? { externalError: error?.message ?? 'The message was not delivered.' } : {}) })]);
}

/**
 * The note first, so that whoever sees the conversation open has read why; the person last, because an agent who has left must not keep the
 * rest from happening.
 */
function handoffParts(command: MessageSend, content: ContentOf<'handoff'>, connection: PublicConnection): ChatwootPart[] {
  const status = statusFor(content.to);
  const asBot = true;
  if (content.to !== 'desk') return [actionPart('status', command, { asBot, status })];
  const { labels = [], attributes = {}, agentId } = content.assignment ?? {};
  const notes = textsOf(withoutLiquid(describeHandoff(content))).map((text, index) => messagePart({ ...command, author: 'system' }, connection, { content: text, isPrivate: true }, index));
  return [
    ...notes,
    ...(labels.length === 0 ? [] : [actionPart('labels', command, { labels })]),
    ...(Object.keys(attributes).length === 0 ? [] : [actionPart('attributes', command, { attributes })]),
    actionPart('status', command, { asBot, status }),
    ...(agentId === undefined ? [] : [actionPart('assignment', command, { agentId })]),
  ];
}

function statusFor(to: ContentOf<'handoff'>['to']): 'open' | 'pending' | 'resolved' {
  switch (to) {
    case 'desk':
      return 'open';
    case 'bot':
      return 'pending';
    case 'none':
      return 'resolved';
    default:
      return assertNever(to);
  }
}
