import { isRecord, type Answer } from '../exchange.ts';
import { isoTime, orMissing, pageAnswer, paging, type Call, type TwilioRoute } from './call.ts';
import { listOf, readJsonParameters, textOf } from './parameters.ts';
import { refuse } from './refusals.ts';
import type { TwilioContent } from './rows.ts';
import { newSid } from './twilio-store.ts';

type Shape = { readonly texts?: readonly string[]; readonly numbers?: readonly string[]; readonly may?: readonly string[]; readonly list?: string; readonly listMax?: number; readonly entry?: readonly string[]; readonly entryMay?: readonly string[] };

/** What a type must have (texts, numbers, a list and texts in its entries) and may have besides. How long lists may be is told in words only. */
const shapes: Readonly<Record<string, Shape>> = {
  'twilio/text': { texts: ['body'] },
  'twilio/media': { may: ['body'], list: 'media', listMax: 10 },
  'twilio/location': { numbers: ['latitude', 'longitude'], may: ['label', 'id', 'address'] },
  'twilio/quick-reply': { texts: ['body'], list: 'actions', listMax: 10, entry: ['title'], entryMay: ['type', 'id'] },
  'twilio/list-picker': { texts: ['body', 'button'], list: 'items', listMax: 10, entry: ['id', 'item'], entryMay: ['description'] },
  'twilio/call-to-action': { texts: ['body'], list: 'actions', listMax: 5, entry: ['type', 'title'], entryMay: ['url', 'phone', 'code', 'id'] },
  'twilio/card': { may: ['title', 'subtitle', 'media', 'actions'] },
  'twilio/catalog': { texts: ['body'], may: ['title', 'subtitle', 'id', 'items', 'dynamic_items'] },
  'twilio/carousel': { texts: ['body'], list: 'cards', listMax: 10, entry: ['body', 'media'], entryMay: ['title', 'actions'] },
  'twilio/flows': { texts: ['body', 'button_text', 'type'], may: ['subtitle', 'media_url'], list: 'pages', listMax: 100, entry: ['id', 'title'], entryMay: ['next_page_id', 'subtitle', 'layout'] },
  'twilio/schedule': { texts: ['id', 'title', 'timeSlots'] },
  'whatsapp/card': { texts: ['body'], may: ['footer', 'media', 'header_text', 'actions'] },
  'whatsapp/authentication': { may: ['add_security_recommendation', 'code_expiration_minutes'], list: 'actions', listMax: 1, entry: ['type', 'copy_code_text'] },
  'whatsapp/flows': { texts: ['body', 'button_text', 'flow_id'], may: ['subtitle', 'media_url', 'flow_token', 'flow_first_page_id', 'is_flow_first_page_endpoint'] },
};

const bodyParameters = { friendly_name: 'text', variables: 'object', language: 'text!', types: 'object!' } as const;

export const contentRoutes: TwilioRoute[] = [
  { operation: 'CreateContent', method: 'POST', path: '/v1/Content', parameters: bodyParameters, isJson: true, handle: create },
  { operation: 'ListContent', method: 'GET', path: '/v1/Content', parameters: paging, handle: (call) => pageAnswer(call, 'contents', call.store.list('twilioContent', call.account.sid).toReversed(), (content) => contentOf(call, content)) },
  {
    operation: 'ListContentV2',
    method: 'GET',
    path: '/v2/Content',
    parameters: { SortByDate: 'text', SortByContentName: 'text', DateCreatedAfter: 'time', DateCreatedBefore: 'time', ContentName: 'text', Content: 'text', Language: 'text[]', ContentType: 'text[]', ChannelEligibility: 'text[]', ...paging },
    handle: search,
  },
  { operation: 'FetchContent', method: 'GET', path: '/v1/Content/:sid', handle: (call) => ({ status: 200, json: contentOf(call, contentAt(call)) }) },
  { operation: 'DeleteContent', method: 'DELETE', path: '/v1/Content/:sid', handle: remove },
];

function contentAt(call: Call): TwilioContent {
  return orMissing(call.store.find('twilioContent', call.account.sid, call.match[0] ?? ''), call);
}

/** `ContentName` and `Content` are patterns. */
function search(call: Call): Answer {
  const { given, store, account } = call;
  const [name, text] = [patternOf(textOf(given, 'ContentName')), patternOf(textOf(given, 'Content'))];
  const [languages, types] = [listOf(given, 'Language'), listOf(given, 'ContentType')];
  const [after, before] = [textOf(given, 'DateCreatedAfter'), textOf(given, 'DateCreatedBefore')];
  const found = store.list('twilioContent', account.sid).filter(
    (content) =>
      (name === undefined || name.test(content.friendlyName ?? '')) &&
      (text === undefined || text.test(JSON.stringify(content.types))) &&
      (languages.length === 0 || languages.includes(content.language)) &&
      (types.length === 0 || types.some((type) => type in content.types)) &&
      (after === undefined || Date.parse(content.createdAt) >= Date.parse(after)) &&
      (before === undefined || Date.parse(content.createdAt) <= Date.parse(before)),
  );
  const byName = textOf(given, 'SortByContentName');
  const sorted = byName === undefined ? found.toReversed() : found.toSorted((a, b) => (a.friendlyName ?? '').localeCompare(b.friendlyName ?? '') * (byName === 'desc' ? -1 : 1));
  return pageAnswer(call, 'contents', byName === undefined && textOf(given, 'SortByDate') === 'asc' ? found : sorted, (content) => contentOf(call, content));
}

function patternOf(text: string | undefined): RegExp | undefined {
  try {
    return text === undefined ? undefined : new RegExp(text);
  } catch {
    return refuse(400, 20001, 'The pattern is not valid');
  }
}

function create(call: Call): Answer {
  const content = contentFrom(readJsonParameters(call.json, bodyParameters), call.account.sid, false, call.now);
  call.store.put('twilioContent', content.sid, content);
  return { status: 201, json: contentOf(call, content) };
}

/** Throws Refused when a type lacks what it must have. */
export function contentFrom(given: Readonly<Record<string, unknown>>, accountSid: string, approved: boolean, now: Date): TwilioContent {
  const variables = isRecord(given['variables']) ? given['variables'] : {};
  if (!Object.values(variables).every((value) => typeof value === 'string')) refuse(400, 20001, 'variables have texts only');
  const types = Object.entries(isRecord(given['types']) ? given['types'] : {}).map(([name, value]): [string, Record<string, unknown>] => [name, typeFrom(name, value)]);
  if (types.length === 0) refuse(400, 20001, 'types must have one at least');
  return {
    sid: newSid('HX'),
    accountSid,
    friendlyName: typeof given['friendly_name'] === 'string' ? given['friendly_name'] : null,
    language: String(given['language']),
    // Texts: checked above.
    variables: variables as Record<string, string>,
    types: Object.fromEntries(types),
    approved,
    createdAt: now.toISOString(),
    updatedAt: now.toISOString(),
  };
}

function typeFrom(name: string, value: unknown): Record<string, unknown> {
  const shape = shapes[name];
  if (shape === undefined || !isRecord(value)) return refuse(400, 20001, `${name} is no type of content`);
  const { texts = [], numbers = [], may = [], list, listMax = 10, entry = [], entryMay = [] } = shape;
  checkFields(name, value, texts, [...numbers, ...may, ...(list === undefined ? [] : [list])]);
  for (const number of numbers) if (typeof value[number] !== 'number') refuse(400, 20001, `${name} needs ${number}`);
  if (list === undefined) return value;
  const entries: unknown = value[list];
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > listMax) return refuse(400, 20001, `${name} needs 1 to ${listMax} ${list}`);
  if (entry.length > 0) for (const one of entries as unknown[]) checkFields(`${name}: every one of ${list}`, one, entry, entryMay);
  return value;
}

function checkFields(where: string, value: unknown, texts: readonly string[], may: readonly string[]): void {
  if (!isRecord(value)) return refuse(400, 20001, `${where} is an object`);
  for (const text of texts) if (typeof value[text] !== 'string' || value[text] === '') refuse(400, 20001, `${where} needs ${text}`);
  for (const field of Object.keys(value)) if (!texts.includes(field) && !may.includes(field)) refuse(400, 20001, `${where} has no ${field}`);
}

function remove(call: Call): Answer {
  call.store.remove('twilioContent', call.account.sid, contentAt(call).sid);
  return { status: 204 };
}

/** What a contact sees of it: the first type's text, with its variables filled in. */
export function bodyOfContent(content: TwilioContent, given: Readonly<Record<string, string>>): string {
  const variables = { ...content.variables, ...given };
  const first = Object.values(content.types)[0] ?? {};
  const text = typeof first['body'] === 'string' ? first['body'] : typeof first['title'] === 'string' ? first['title'] : '';
  return text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => variables[name] ?? whole);
}

function contentOf(call: Pick<Call, 'baseUrl'>, content: TwilioContent): Record<string, unknown> {
  const url = `${call.baseUrl}/v1/Content/${content.sid}`;
  return {
    sid: content.sid,
    account_sid: content.accountSid,
    friendly_name: content.friendlyName,
    language: content.language,
    variables: content.variables,
    types: content.types,
    date_created: isoTime(content.createdAt),
    date_updated: isoTime(content.updatedAt),
    url,
    links: { approval_create: `${url}/ApprovalRequests/whatsapp`, approval_fetch: `${url}/ApprovalRequests` },
  };
}
