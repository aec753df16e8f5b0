import { z } from 'zod';

/** Longest text of one message, in UTF-16 code units. Renderers split for providers that take less (WhatsApp 4 096, SMS 1 600). */
export const textLengthMax = 65_536;

const text = z.string().min(1).max(textLengthMax);

/**
 * A file held by the hub's media store (or, before it was fetched, only at a provider). `mediaKey` is the store's key (content hash);
 * `url` is an address given by a tenant through the API, fetched through the egress guard. One of the two is present.
 */
export const mediaSchema = z.object({
  mediaKey: z.string().regex(/^[0-9a-f]{64}$/).optional(),
  url: z.url().max(2048).optional(),
  mimeType: z.string().max(255),
  fileName: z.string().max(255).optional(),
  /** Bytes. */
  size: z.number().int().nonnegative().optional(),
  caption: z.string().max(textLengthMax).optional(),
  /** Why there is no file: it could not be fetched from the provider. */
  unavailable: z.string().max(1024).optional(),
});
export type Media = z.infer<typeof mediaSchema>;

const option = z.object({ id: z.string().min(1).max(256), title: z.string().min(1).max(256), description: z.string().max(1024).optional() });

const contactCard = z.object({
  name: z.string(),
  organization: z.string().optional(),
  phones: z.array(z.object({ number: z.string(), type: z.string().optional() })).default([]),
  emails: z.array(z.object({ address: z.string(), type: z.string().optional() })).default([]),
});

/** The shared vocabulary: every connector parses to it and renders from it. */
export const messageContentSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), text }),
  z.object({ kind: z.literal('image'), media: mediaSchema }),
  z.object({ kind: z.literal('audio'), media: mediaSchema, voice: z.boolean().optional() }),
  z.object({ kind: z.literal('video'), media: mediaSchema }),
  z.object({ kind: z.literal('file'), media: mediaSchema }),
  z.object({ kind: z.literal('sticker'), media: mediaSchema }),
  z.object({
    kind: z.literal('location'),
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    name: z.string().optional(),
    address: z.string().optional(),
    url: z.string().optional(),
  }),
  z.object({ kind: z.literal('contact_card'), cards: z.array(contactCard).min(1) }),
  /** A question with answers to choose from: buttons or a list. */
  z.object({ kind: z.literal('choice'), text, options: z.array(option).min(1).max(50), buttonLabel: z.string().max(64).optional() }),
  /** The answer to a `choice` or to a template's button. `optionId` is the id given with the option. */
  z.object({ kind: z.literal('choice_reply'), optionId: z.string(), title: z.string(), description: z.string().optional() }),
  /** An empty emoji takes the reaction back. `providerMessageId` is the message reacted to, at the provider it came from. */
  z.object({ kind: z.literal('reaction'), emoji: z.string().max(64), providerMessageId: z.string() }),
  /** A message whose wording the provider has approved; the only thing WhatsApp delivers outside its window. Components are the provider's own form. */
  z.object({ kind: z.literal('template'), name: z.string().min(1), language: z.string().min(2), components: z.array(z.record(z.string(), z.unknown())).default([]) }),
  /** A form the contact filled in (WhatsApp Flow), an order from a catalogue: data that has no prettier form here. */
  z.object({ kind: z.literal('form_reply'), title: z.string(), fields: z.record(z.string(), z.unknown()) }),
  z.object({ kind: z.literal('typing'), on: z.boolean().default(true) }),
  /** A delivery status told to the other side: to a desk, what became of its agent's message. */
  z.object({
    kind: z.literal('receipt'),
    /** The message at the provider that gets the receipt. */
    providerMessageId: z.string(),
    status: z.enum(['delivered', 'read', 'failed']),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
  }),
  /**
   * The conversation changes hands. From a bot, a desk or a channel with agents of its own: it asks for that. To a desk, or to such a channel: it
   * has happened, with what an agent must know. Never a message of the thread.
   */
  z.object({
    kind: z.literal('handoff'),
    to: z.enum(['bot', 'desk', 'none']),
    reason: z.string().min(1).max(1024),
    /** What the agent should know at a glance. */
    summary: z.string().max(4096).optional(),
    /** What was said so far, oldest first; only on its way to a desk. */
    transcript: z.array(z.object({ author: z.enum(['contact', 'bot', 'agent', 'system']), text: z.string().max(4096), at: z.iso.datetime() })).max(200).optional(),
    /** Who at the desk should have it, in the desk's own terms. */
    assignment: z.object({ agentId: z.string().max(256).optional(), labels: z.array(z.string().min(1).max(128)).max(50).optional(), attributes: z.record(z.string(), z.string()).optional() }).optional(),
  }),
  /** Something said about the conversation by the provider (number changed, joined a group). */
  z.object({ kind: z.literal('notice'), text, details: z.record(z.string(), z.unknown()).optional() }),
  /** What a connector could not read. The provider's JSON is kept, never dropped. */
  z.object({ kind: z.literal('unsupported'), providerType: z.string(), reason: z.string().optional(), raw: z.unknown() }),
]);
export type MessageContent = z.infer<typeof messageContentSchema>;
export type MessageKind = MessageContent['kind'];
export type ContentOf<K extends MessageKind> = Extract<MessageContent, { kind: K }>;

/** Kinds that carry a file. */
export const mediaKinds = ['image', 'audio', 'video', 'file', 'sticker'] as const satisfies readonly MessageKind[];
export type MediaKind = (typeof mediaKinds)[number];
export type MediaContent = ContentOf<MediaKind>;

export function isMediaContent(content: MessageContent): content is MediaContent {
  return (mediaKinds as readonly string[]).includes(content.kind);
}

/** Kinds that are signals, not things said: they are never stored as messages. */
export function isSignal(content: MessageContent): content is ContentOf<'typing' | 'receipt'> {
  return content.kind === 'typing' || content.kind === 'receipt';
}

/** What is never a message of a thread: signals, and that a conversation changes hands. */
export type SaidContent = Exclude<MessageContent, { kind: 'typing' | 'receipt' | 'handoff' }>;

/** One line that says what a message is, for summaries and for providers that show only text. */
export function describeContent(content: MessageContent): string {
  switch (content.kind) {
    case 'text':
    case 'notice':
      return content.text;
    case 'image':
    case 'audio':
    case 'video':
    case 'file':
    case 'sticker':
      return content.media.caption ?? content.media.fileName ?? `[${content.kind}]`;
    case 'location':
      return [content.name, content.address, `${content.latitude},${content.longitude}`].filter(Boolean).join(', ');
    case 'contact_card':
      return content.cards.map((card) => [card.name, ...card.phones.map((phone) => phone.number)].join(' ')).join('; ');
    case 'choice':
      return `${content.text}\n${content.options.map((choice, index) => `${index + 1}. ${choice.title}`).join('\n')}`;
    case 'choice_reply':
      return content.title;
    case 'reaction':
      return content.emoji === '' ? '[reaction removed]' : content.emoji;
    case 'template':
      return `[template ${content.name}]`;
    case 'form_reply':
      return content.title;
    case 'typing':
      return '[typing]';
    case 'receipt':
      return `[${content.status}]`;
    case 'handoff':
      return `[handoff to ${content.to}: ${content.reason}]`;
    case 'unsupported':
      return `[${content.providerType}]`;
    default:
      return assertNever(content);
  }
}

/** What an agent is told when a conversation comes to the desk, as text: reason, summary, and what was said so far. */
export function describeHandoff({ reason, summary, transcript = [] }: ContentOf<'handoff'>): string {
  const said = transcript.map(({ author, text, at }) => `[${at.slice(0, 16).replace('T', ' ')}] ${author}: ${text}`);
  return [`Handed over: ${reason}`, ...(summary === undefined ? [] : ['', summary]), ...(said.length === 0 ? [] : ['', ...said])].join('\n');
}

export const authors = ['contact', 'bot', 'agent', 'system'] as const;
export type Author = (typeof authors)[number];

export const deliveryStatuses = ['queued', 'sent', 'delivered', 'read', 'failed'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

export const deliveryErrorSchema = z.object({ code: z.string(), message: z.string(), providerCode: z.string().optional() });
export type DeliveryError = z.infer<typeof deliveryErrorSchema>;

/** Ends a switch over a union: a new member is a compile error here, and an unknown value at run time an exception. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
