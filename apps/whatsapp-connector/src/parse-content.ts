import type { RemoteMedia } from '@switchboard/connector-kit';
import type { MediaKind, MessageContent } from '@switchboard/contracts';
import { contentSchemas, mediaSchema, type MetaError, type MetaMessage, type MetaValue } from './wire.ts';

type Content = { readonly content: MessageContent; readonly remoteMedia?: RemoteMedia };
type Raw = Readonly<Record<string, unknown>>;

/** The content of one message by its type; `unsupported` with Meta's JSON for what has no reader or does not fit it. Pure. */
export function parseContent(message: MetaMessage, raw: Raw, value: Pick<MetaValue, 'errors'>): Content {
  const reader = readers.get(message.type);
  const content = reader?.(raw[message.type], message);
  return content ?? { content: unsupported(message, raw, [...(message.errors ?? []), ...(value.errors ?? [])]) };
}

type Reader = (part: unknown, message: MetaMessage) => Content | undefined;

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['text', reading(contentSchemas.text, ({ body }) => ({ kind: 'text', text: body }))],
  ['image', media('image')],
  ['audio', media('audio')],
  // Before 2022 voice messages had a type of their own; relays still send it.
  ['voice', media('audio', true)],
  ['video', media('video')],
  ['document', media('file')],
  ['sticker', media('sticker')],
  ['location', reading(contentSchemas.location, (location) => (isOnEarth(location) ? { kind: 'location', ...location } : undefined))],
  ['contacts', reading(contentSchemas.contacts, (cards) => ({ kind: 'contact_card', cards: cards.map(cardOf) }))],
  ['button', reading(contentSchemas.button, ({ payload, text }) => ({ kind: 'choice_reply', optionId: payload ?? text, title: text }))],
  ['reaction', reading(contentSchemas.reaction, ({ message_id, emoji }) => ({ kind: 'reaction', emoji: emoji ?? '', providerMessageId: message_id }))],
  ['order', reading(contentSchemas.order, ({ text, ...fields }) => ({ kind: 'form_reply', title: text || 'Order', fields }))],
  ['system', reading(contentSchemas.system, ({ body, ...details }) => ({ kind: 'notice', text: body || `WhatsApp: ${details.type ?? 'system message'}`, details }))],
  ['request_welcome', () => ({ content: { kind: 'notice', text: 'The contact opened the chat for the first time.', details: { type: 'request_welcome' } } })],
  ['edit', reading(contentSchemas.edit, editOf)],
  ['revoke', reading(contentSchemas.revoke, ({ original_message_id }) => ({ kind: 'notice', text: 'The contact deleted a message.', details: { type: 'revoke', originalMessageId: original_message_id } }))],
  ['interactive', reading(contentSchemas.interactive, interactiveOf)],
]);

/** A reader of one type: undefined when the JSON is not of the form. */
function reading<T>(schema: { safeParse: (value: unknown) => { success: true; data: T } | { success: false } }, toContent: (value: T) => MessageContent | undefined): Reader {
  return (part) => {
    const parsed = schema.safeParse(part);
    const content = parsed.success ? toContent(parsed.data) : undefined;
    return content && { content };
  };
}

function media(kind: MediaKind, voice?: boolean): Reader {
  return (part) => {
    const parsed = mediaSchema.safeParse(part);
    if (!parsed.success || (parsed.data.id === undefined && parsed.data.url === undefined)) return undefined;
    const { id, url, sha256, mime_type, caption, filename } = parsed.data;
    const isVoice = voice ?? parsed.data.voice;
    const file = { mimeType: mime_type ?? '', ...(caption ? { caption } : {}), ...(filename ? { fileName: filename.slice(0, 255) } : {}) };
    return {
      content: kind === 'audio' ? { kind, media: file, ...(isVoice === undefined ? {} : { voice: isVoice }) } : { kind, media: file },
      remoteMedia: { ...(id === undefined ? {} : { id }), ...(url === undefined ? {} : { url }), ...(sha256 === undefined ? {} : { sha256 }) },
    };
  };
}

function isOnEarth({ latitude, longitude }: { latitude: number; longitude: number }): boolean {
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
}

type MetaCard = (typeof contentSchemas.contacts)['_output'][number];

function cardOf({ name, org, phones, emails }: MetaCard): Extract<MessageContent, { kind: 'contact_card' }>['cards'][number] {
  const typed = (type: string | undefined) => (type === undefined ? {} : { type });
  return {
    name: name.formatted_name ?? [name.first_name, name.last_name].filter(Boolean).join(' '),
    ...(org?.company ? { organization: org.company } : {}),
    phones: phones.flatMap(({ phone, wa_id, type }) => (phone === undefined && wa_id === undefined ? [] : [{ number: phone ?? `+${wa_id}`, ...typed(type) }])),
    emails: emails.flatMap(({ email, type }) => (email === undefined ? [] : [{ address: email, ...typed(type) }])),
  };
}

function interactiveOf({ button_reply, list_reply, nfm_reply }: (typeof contentSchemas.interactive)['_output']): MessageContent | undefined {
  if (button_reply) return { kind: 'choice_reply', optionId: button_reply.id, title: button_reply.title };
  if (list_reply) return { kind: 'choice_reply', optionId: list_reply.id, title: list_reply.title, ...(list_reply.description ? { description: list_reply.description } : {}) };
  if (nfm_reply) return { kind: 'form_reply', title: nfm_reply.body || nfm_reply.name || 'Form', fields: formFields(nfm_reply.response_json) };
  return undefined;
}

/** A Flow's answer is JSON in a string; one that is not is kept as it came. */
function formFields(json: string | undefined): Record<string, unknown> {
  if (json === undefined) return {};
  try {
    const fields: unknown = JSON.parse(json);
    // The cast is safe: it is an object that JSON made.
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) return fields as Record<string, unknown>;
  } catch {
    // Falls through: kept as text.
  }
  return { response: json };
}

function editOf({ original_message_id, message }: (typeof contentSchemas.edit)['_output']): MessageContent {
  const edited = contentSchemas.text.safeParse(message?.['text']);
  const text = edited.success ? `The contact edited a message: ${edited.data.body}`.slice(0, 65_536) : 'The contact edited a message.';
  return { kind: 'notice', text, details: { type: 'edit', originalMessageId: original_message_id, message } };
}

function unsupported(message: MetaMessage, raw: Raw, errors: readonly MetaError[]): MessageContent {
  const named = raw['unsupported'];
  const inner = typeof named === 'object' && named !== null && 'type' in named && typeof named.type === 'string' ? named.type : undefined;
  const [error] = errors;
  const reason = error && (error.error_data?.details ?? error.message ?? error.title ?? String(error.code));
  return { kind: 'unsupported', providerType: inner === undefined ? message.type : `${message.type}/${inner}`, ...(reason === undefined ? {} : { reason }), raw };
}
