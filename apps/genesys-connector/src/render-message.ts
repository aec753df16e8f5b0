import type { Rendered, RenderedPart } from '@switchboard/connector-kit';
import { describeInWords, splitText } from '@switchboard/connector-kit';
import type { ContentOf, MediaContent, MessageContent, MessageSend } from '@switchboard/contracts';

/** Characters of one message: what an agent's own editor takes for open messaging; the limit for inbound is not published (contract, 2.10). */
const textLengthMax = 4_000;
/** Bytes of customAttributes as JSON; about 2 KB is assumed, a public middleware trims at 1 900 (contract, 2.7). */
const attributesBytesMax = 1_900;

/**
 * The calls that bring a message of the hub to the agents. `messageId` and `time` are made from the command alone: a repetition sends the
 * same bytes, as the contract asks (2.5). Pure.
 */
export function renderMessage(command: MessageSend): Rendered {
  const { content } = command;
  if (content.kind === 'typing') {
    if (!content.on) return { kind: 'nothing' };
    return parts([{ path: 'event', body: { channel: { from: contactOf(command), time: command.sentAt }, events: [{ eventType: 'Typing' }] } }]);
  }
  if (content.kind === 'receipt') return parts([receiptPart(command, content)]);
  if (content.kind === 'choice_reply' && command.replyToProviderMessageId !== undefined) return parts([structuredPart(command, content, command.replyToProviderMessageId)]);
  if (isFile(content)) return fileParts(command, content);
  return parts(textsOf(describeInWords(content)).map((text, index) => messagePart(command, index, { text })));
}

function parts(list: readonly RenderedPart[]): Rendered {
  return { kind: 'parts', parts: list };
}

/** None for white space alone, which Genesys refuses. */
function textsOf(text: string): string[] {
  return splitText(text, textLengthMax).filter((piece) => piece.trim() !== '');
}

function isFile(content: MessageContent): content is MediaContent {
  return 'media' in content;
}

function fileParts(command: MessageSend, content: MediaContent): Rendered {
  const { media } = content;
  if (media.mediaKey === undefined && media.url === undefined) {
    return parts([messagePart(command, 0, { text: describeInWords(content) })]);
  }
  const [caption, ...rest] = textsOf(media.caption ?? '');
  const mediaType = { image: 'Image', sticker: 'Image', audio: 'Audio', video: 'Video', file: 'File' }[content.kind];
  const first: RenderedPart = {
    ...messagePart(command, 0, {
      ...(caption === undefined ? {} : { text: caption }),
      // The client puts the file's address in when it sends: addresses expire, the rest of the body must not change.
      content: [{ contentType: 'Attachment', attachment: { mediaType, mime: media.mimeType || 'application/octet-stream', ...(media.fileName === undefined ? {} : { filename: media.fileName }) } }],
    }),
    media: { mediaKey: media.mediaKey, url: media.url, mimeType: media.mimeType, fileName: media.fileName },
  };
  return parts([first, ...rest.map((text, index) => messagePart(command, index + 1, { text }))]);
}

function messagePart(command: MessageSend, index: number, body: Record<string, unknown>): RenderedPart {
  const attributes = attributesOf(command);
  return {
    path: 'message',
    body: {
      channel: {
        messageId: messageIdOf(command, index),
        from: contactOf(command),
        // The order of a transcript follows the time: parts of one message are a millisecond apart.
        time: new Date(Date.parse(command.sentAt) + index).toISOString(),
        ...(attributes === undefined ? {} : { metadata: { customAttributes: attributes } }),
      },
      ...body,
    },
  };
}

function structuredPart(command: MessageSend, content: ContentOf<'choice_reply'>, originatingMessageId: string): RenderedPart {
  return {
    path: 'structured/response',
    body: {
      channel: { messageId: messageIdOf(command, 0), from: contactOf(command), time: command.sentAt },
      originatingMessageId,
      buttonResponse: { type: 'QuickReply', text: content.title, payload: content.optionId },
    },
  };
}

/** `Read` exists only at the deprecated endpoint: it is told as `Delivered` (contract, 2.4). */
function receiptPart(command: MessageSend, content: ContentOf<'receipt'>): RenderedPart {
  const failed = content.status === 'failed';
  return {
    path: 'receipt',
    body: {
      id: content.providerMessageId,
      channel: { to: { id: command.contact.address, idType: 'Opaque' }, time: command.sentAt },
      status: failed ? 'Failed' : 'Delivered',
      isFinalReceipt: failed || content.status === 'read',
      ...(failed ? { reasons: [{ code: reasonOf(content.error?.code), message: content.error?.message ?? 'the message was not delivered' }] } : {}),
    },
  };
}

function reasonOf(code: string | undefined): string {
  switch (code) {
    case 'message.window_closed':
      return 'MessageNotAllowed';
    case 'message.unsupported_content':
      return 'UnsupportedMessage';
    case 'media.too_large':
      return 'InvalidMediaContentLength';
    case 'provider.throttled':
      return 'RateLimited';
    case 'provider.rejected':
      return 'InvalidDestination';
    default:
      return 'GeneralError';
  }
}

function messageIdOf(command: MessageSend, index: number): string {
  return index === 0 ? command.messageId : `${command.messageId}-${index}`;
}

/** The thread's key is `from.id`: it is the contact's address and never anything else. */
function contactOf(command: MessageSend): Record<string, string> {
  const { address, name } = command.contact;
  return { id: address, idType: /^\+?\d{5,20}$/.test(address) ? 'Phone' : 'Opaque', ...(name === undefined ? {} : { nickname: name }) };
}

/** One that does not fit is left out. */
function attributesOf(command: MessageSend): Record<string, string> | undefined {
  const kept: Record<string, string> = {};
  // The hub's own come first, and their names are not a tenant's to take.
  for (const [name, value] of Object.entries({ ...command.attributes, ...assignmentOf(command.content), ...command.attributes })) {
    if (Buffer.byteLength(JSON.stringify({ ...kept, [name]: value })) <= attributesBytesMax) kept[name] = value;
  }
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/** Who should have the conversation, for the tenant's flow to route by: Genesys takes no assignment with a message. */
function assignmentOf(content: MessageContent): Record<string, string> {
  if (content.kind !== 'handoff' || content.assignment === undefined) return {};
  const { agentId, labels = [], attributes } = content.assignment;
  return { ...(agentId === undefined ? {} : { handoffAgentId: agentId }), ...(labels.length === 0 ? {} : { handoffLabels: labels.join(',') }), ...attributes };
}
