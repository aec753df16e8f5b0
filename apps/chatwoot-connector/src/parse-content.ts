import { splitText, type RemoteMedia } from '@switchboard/connector-kit';
import { textLengthMax, type MediaKind, type MessageContent } from '@switchboard/contracts';
import type { ChatwootAttachment } from './api/replies.ts';
import { itemsSchema, type MessageWebhook } from './wire.ts';

export type ParsedContent = { readonly content: MessageContent; readonly remoteMedia?: RemoteMedia };

/** What a message of Chatwoot says, in the order an agent sees it: its text stands with the first file, or alone. Never empty. */
export function parseContent(message: MessageWebhook): ParsedContent[] {
  const { content, content_type: contentType, content_attributes: attributes, attachments } = message;
  const said = content ?? '';
  const items = contentType === 'input_select' ? itemsSchema.safeParse(attributes).data?.items : undefined;
  if (items !== undefined) {
    const options = items.slice(0, 50).map(({ title, value }) => ({ id: limited(value, 256), title: limited(title, 256) }));
    return [{ content: { kind: 'choice', text: limited(said, textLengthMax), options } }];
  }
  const files = attachments.map((attachment, index) => parseAttachment(attachment, index === 0 && said !== '' ? said : undefined));
  const captionIsCarried = files[0]?.remoteMedia !== undefined;
  const texts = said === '' || captionIsCarried ? [] : splitText(said, textLengthMax).map((text): ParsedContent => ({ content: { kind: 'text', text } }));
  const all = [...texts, ...files];
  if (all.length > 0) return all;
  return [{ content: { kind: 'unsupported', providerType: limited(contentType ?? 'text', 256), reason: 'neither text nor files', raw: { content_type: contentType ?? null, content_attributes: attributes ?? null } } }];
}

function parseAttachment(attachment: ChatwootAttachment, caption: string | undefined): ParsedContent {
  const { file_type: fileType, data_url: url, coordinates_lat: latitude, coordinates_long: longitude, fallback_title: title } = attachment;
  if (fileType === 'location' && typeof latitude === 'number' && typeof longitude === 'number' && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) {
    return { content: { kind: 'location', latitude, longitude, ...(title ? { name: title } : {}), ...(url ? { url } : {}) } };
  }
  if (fileType === 'contact' && title) return { content: { kind: 'contact_card', cards: [cardOf(title, attachment.meta)] } };
  const kind = mediaKinds[fileType ?? ''];
  if (kind !== undefined && url) return { content: mediaOf(kind, attachment, caption), remoteMedia: { url } };
  const words = [title, url].filter(Boolean).join('\n');
  if (words !== '') return { content: { kind: 'text', text: limited(words, textLengthMax) } };
  return { content: { kind: 'unsupported', providerType: limited(fileType ?? 'attachment', 256), reason: 'an attachment without an address', raw: { file_type: fileType ?? null } } };
}

const mediaKinds: Readonly<Record<string, Exclude<MediaKind, 'sticker'> | undefined>> = { image: 'image', audio: 'audio', video: 'video', file: 'file', ig_reel: 'video', story_mention: 'image' };

function mediaOf(kind: Exclude<MediaKind, 'sticker'>, { content_type: mimeType, file_size: size, data_url: url, extension }: ChatwootAttachment, caption: string | undefined): MessageContent {
  const fileName = fileNameOf(url ?? '', extension ?? undefined);
  return {
    kind,
    media: {
      // Empty until the file is there: the kit then takes what the server said of it. Servers before 4.x do not tell it in webhooks.
      mimeType: limited(mimeType ?? '', 255),
      ...(fileName === undefined ? {} : { fileName }),
      ...(typeof size === 'number' && size >= 0 ? { size: Math.trunc(size) } : {}),
      ...(caption === undefined ? {} : { caption: limited(caption, textLengthMax) }),
    },
  };
}

/** Chatwoot tells no file name; the address ends in it. */
function fileNameOf(url: string, extension: string | undefined): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const last = new URL(url).pathname.split('/').at(-1) ?? '';
  const name = decoded(last);
  if (name === '') return undefined;
  return limited(name.includes('.') || extension === undefined ? name : `${name}.${extension}`, 255);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** A shared contact: its number stands in the title, its names in `meta`. */
function cardOf(title: string, meta: ChatwootAttachment['meta']) {
  const names = ['firstName', 'lastName'].flatMap((field) => (typeof meta?.[field] === 'string' ? [String(meta[field])] : []));
  const name = names.join(' ').trim();
  return { name: name === '' ? title : name, phones: name === '' ? [] : [{ number: title }], emails: [] };
}

export function limited(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : text.slice(0, lengthMax);
}
