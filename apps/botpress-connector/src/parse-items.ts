import type { RemoteMedia } from '@switchboard/connector-kit';
import { chatbotActions, type ChatbotAction, type ContentOf, type MessageContent } from '@switchboard/contracts';
import { itemSchema, optionSchema, type Item } from './wire.ts';

/** One thing a bot said, or asked the hub to do. */
export type Said = { readonly content: MessageContent; readonly remoteMedia?: RemoteMedia; readonly action?: ChatbotAction } | { readonly skipped: string };

/** Blocs in blocs, as deep as anybody writes them. */
const depthMax = 4;
const itemsMax = 100;

/**
 * A bot's message in the hub's words, for both products: Cloud has one item a message (a `bloc` holds several, flat or with a `payload` each),
 * v12 a list of items. Relative addresses of files are those of the server `baseUrl`. Pure; whatever it is given, it answers.
 */
export function parseItems(values: readonly unknown[], baseUrl: string | undefined, depth = 0): Said[] {
  return values.slice(0, itemsMax).flatMap((value) => {
    const parsed = itemSchema.safeParse(value);
    return parsed.success ? parseItem(parsed.data, value, baseUrl, depth) : [{ skipped: 'an item that is no object' }];
  });
}

/** What a bot asks for: by an event of its own, or by a custom message. Undefined for anything else. */
export function parseAction(payload: Readonly<Record<string, unknown>>): Said | undefined {
  const name = payload['type'] === 'custom' ? (payload['module'] === 'hub' ? payload['component'] : undefined) : payload['type'];
  const action = chatbotActions.find((known) => known === name);
  if (action === undefined) return undefined;
  const { type: _type, module: _module, component: _component, workflow: _workflow, ...fields } = payload;
  if (action !== 'handoff') return { action, content: { kind: 'form_reply', title: action, fields } };
  const reason = wordsOf(fields['reason'], 1_024) ?? 'the bot asked for a person';
  const summary = wordsOf(fields['summary'], 4_096);
  return { action, content: { kind: 'handoff', to: 'desk', reason, ...(summary === undefined ? {} : { summary }) } };
}

function wordsOf(value: unknown, lengthMax: number): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, lengthMax) : undefined;
}

function parseItem(item: Item, raw: unknown, baseUrl: string | undefined, depth: number): Said[] {
  // The cast is safe: the schema has read an object.
  const action = parseAction(raw as Record<string, unknown>);
  if (action !== undefined) return [action];
  switch (item.type) {
    // The published form has nothing but a text.
    case undefined:
    case 'text':
      return textOf(item.text) ?? [unsupported(item, raw)];
    case 'markdown':
      return textOf(typeof item.markdown === 'string' ? item.markdown : item.text) ?? [unsupported(item, raw)];
    case 'typing':
      return [{ content: { kind: 'typing', on: item.value !== false } }];
    case 'image':
      return [mediaOf('image', item.imageUrl ?? item.image, item, baseUrl) ?? unsupported(item, raw)];
    case 'audio':
      return [mediaOf('audio', item.audioUrl ?? item.audio, item, baseUrl) ?? unsupported(item, raw)];
    case 'video':
      return [mediaOf('video', item.videoUrl ?? item.video, item, baseUrl) ?? unsupported(item, raw)];
    case 'file':
      return [mediaOf('file', item.fileUrl ?? item.file, item, baseUrl) ?? unsupported(item, raw)];
    case 'location':
      return [locationOf(item) ?? unsupported(item, raw)];
    case 'choice':
    case 'single-choice':
    case 'dropdown':
      return [choiceOf(item) ?? unsupported(item, raw)];
    case 'card':
      return cardOf(item, baseUrl);
    case 'carousel':
      // Cards come with their type, and without it.
      return parseDeeper(item.items.map((card) => ({ ...objectOf(card), type: 'card' })), baseUrl, depth);
    case 'bloc':
      return parseDeeper(item.items.map(flat), baseUrl, depth);
    case 'custom':
      return [{ skipped: `a custom message of ${item.module ?? 'an unnamed module'}` }];
    default:
      return [unsupported(item, raw)];
  }
}

function parseDeeper(items: readonly unknown[], baseUrl: string | undefined, depth: number): Said[] {
  if (items.length === 0 || depth >= depthMax) return [{ skipped: 'a message with nothing in it' }];
  return parseItems(items, baseUrl, depth + 1);
}

/** Items of a bloc are flat in the Chat API, and have a `payload` in the Runtime API (contract, 2.5). */
function flat(value: unknown): unknown {
  const { payload, ...item } = objectOf(value);
  return typeof payload === 'object' && payload !== null ? { ...item, ...payload } : value;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function textOf(text: string | undefined): Said[] | undefined {
  return text === undefined || text === '' ? undefined : [{ content: { kind: 'text', text } }];
}

type File = 'image' | 'audio' | 'video' | 'file';

function mediaOf(kind: File, address: string | undefined, { title, caption, text }: Item, baseUrl: string | undefined): Said | undefined {
  const url = addressOf(address, baseUrl);
  if (url === undefined) return undefined;
  const words = caption ?? text ?? (kind === 'file' ? undefined : title);
  const fileName = kind === 'file' ? (title ?? url.pathname.split('/').at(-1)) : undefined;
  const media = { mimeType: '', ...(words ? { caption: words } : {}), ...(fileName ? { fileName: fileName.slice(0, 255) } : {}) };
  return { content: { kind, media }, remoteMedia: { url: url.href } };
}

function addressOf(address: string | undefined, baseUrl: string | undefined): URL | undefined {
  if (!address) return undefined;
  // A path alone stands behind the server's own address, which may have a path itself.
  const url = URL.parse(address.startsWith('/') && baseUrl !== undefined ? `${baseUrl.replace(/\/+$/, '')}${address}` : address);
  return url !== null && /^https?:$/.test(url.protocol) && url.href.length <= 2_048 ? url : undefined;
}

function locationOf({ latitude, longitude, address, title }: Item): Said | undefined {
  if (latitude === undefined || longitude === undefined || Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return undefined;
  return { content: { kind: 'location', latitude, longitude, ...(title === undefined ? {} : { name: title }), ...(address === undefined ? {} : { address }) } };
}

type Option = ContentOf<'choice'>['options'][number];

function choiceOf(item: Item): Said | undefined {
  const options = [...item.options, ...item.choices].flatMap(optionOf);
  const text = item.text || item.message || item.dropdownPlaceholder || '…';
  const buttonLabel = (item.buttonText ?? '').slice(0, 64);
  if (options.length === 0) return text === '…' ? undefined : { content: { kind: 'text', text } };
  return { content: { kind: 'choice', text, options: options.slice(0, 50), ...(buttonLabel === '' ? {} : { buttonLabel }) } };
}

function optionOf(value: unknown): Option[] {
  const { label, title, value: id } = optionSchema.safeParse(value).data ?? {};
  const name = label || title || id;
  return name ? [{ id: (id || name).slice(0, 256), title: name.slice(0, 256) }] : [];
}

/** A card has no counterpart at most channels: its picture, then its words with the links, its clicks as options. */
function cardOf(item: Item, baseUrl: string | undefined): Said[] {
  const actions = item.actions.flatMap((value) => optionSchema.safeParse(value).data ?? []);
  const isLink = ({ action }: { readonly action?: string | undefined }) => /url/i.test(action ?? '');
  const links = actions.filter(isLink).map((action) => `${action.label ?? action.title ?? ''} ${action.url ?? action.value ?? ''}`.trim());
  const options = actions.filter((action) => !isLink(action)).flatMap((action) => optionOf({ label: action.label ?? action.title, value: action.value ?? action.payload ?? action.text }));
  const text = [item.title, item.subtitle, ...links].filter(Boolean).join('\n');
  const picture = mediaOf('image', item.imageUrl ?? item.image, { ...item, title: undefined, caption: undefined, text: undefined }, baseUrl);
  const words: Said[] = options.length > 0 ? [{ content: { kind: 'choice', text: text || '…', options: options.slice(0, 50) } }] : (textOf(text) ?? []);
  const said = [...(picture === undefined ? [] : [picture]), ...words];
  return said.length > 0 ? said : [{ skipped: 'a card with nothing on it' }];
}

function unsupported({ type }: Item, raw: unknown): Said {
  return { content: { kind: 'unsupported', providerType: (type ?? 'message').slice(0, 64), reason: 'nothing in it that can be shown', raw } };
}
