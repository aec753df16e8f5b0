import { isRecord, type Answer } from '../exchange.ts';
import { isoTime, orMissing, pageAnswer, paging, type Call, type TwilioRoute } from './call.ts';
import { listOf, readJsonParameters, textOf } from './parameters.ts';
import { refuse } from './refusals.ts';
import type { TwilioContent } from './rows.ts';
import { newSid } from './twilio-store.ts';

/** What a type must have (texts) and how many entries its list may; types beyond these are kept as they are. */
const shapes: Readonly<Record<string, { texts: readonly string[]; list?: string; listMax?: number; entry?: readonly string[] }>> = {
  'twilio/text': { texts: ['body'] },
  'twilio/media': { texts: [], list: 'media', listMax: 10 },
  'twilio/location': { texts: [] },
  'twilio/quick-reply': { texts: ['body'], list: 'actions', listMax: 10, entry: ['title'] },
  'twilio/list-picker': { texts: ['body', 'button'], list: 'items', listMax: 10, entry: ['id', 'item'] },
  'twilio/call-to-action': { texts: ['body'], list: 'actions', listMax: 5, entry: ['type', 'title'] },
  'twilio/card': { texts: [] },
  'twilio/catalog': { texts: ['body'] },
  'twilio/carousel': { texts: ['body'], list: 'cards', listMax: 10, entry: ['body', 'media'] },
  'twilio/flows': { texts: ['body', 'button_text', 'type'], list: 'pages', listMax: 100, entry: ['id', 'title'] },
  'twilio/schedule': { texts: ['id', 'title', 'timeSlots'] },
  'whatsapp/card': { texts: ['body'] },
  'whatsapp/authentication': { texts: [], list: 'actions', listMax: 1, entry: ['type', 'copy_code_text'] },
  'whatsapp/flows': { texts: ['body', 'button_text', 'flow_id'] },
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
  for (const text of shape.texts) if (typeof value[text] !== 'string' || value[text] === '') refuse(400, 20001, `${name} needs ${text}`);
  if (shape.list === undefined) return value;
  const entries: unknown = value[shape.list];
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > (shape.listMax ?? 10)) return refuse(400, 20001, `${name} needs 1 to ${shape.listMax} ${shape.list}`);
  for (const entry of entries as unknown[]) for (const text of shape.entry ?? []) if (!isRecord(entry) || typeof entry[text] !== 'string' || entry[text] === '') refuse(400, 20001, `${name}: every one of ${shape.list} needs ${text}`);
  return value;
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
