import type { RawWebhook, RoutingIdentifier, WebhookPart, WebhookSplit, WrittenPart } from '../provider.ts';
import { isForm, readForm, type Form } from '../webhook-auth/read-form.ts';
import { withoutFragment } from '../webhook-auth/twilio.ts';
import { isJsonObject, keyOf, readJsonWebhook, routingIdentifier, type JsonObject } from './read-json-webhook.ts';

/** What a webhook of Twilio is, by its fields. */
export type TwilioWebhookKind = 'message' | 'status' | 'call' | 'call_status' | 'call_action' | 'recording' | 'transcription' | 'other';

/** A webhook of Twilio as it is stored; of a repeated field all values. `query`: the parameters of its URL that mean something to us. */
export type StoredTwilioWebhook = { readonly kind: TwilioWebhookKind; readonly query: Readonly<Record<string, string>>; readonly form: Readonly<Record<string, string | readonly string[]>> };

/**
 * Twilio sends one thing a webhook, as a form, or as JSON whose hash stands in the URL. What it is and whose it is say its fields, not its path; the URL's
 * `account` must agree. Form fields are signed without anything between them, so that two different bodies can have one signature: every id must have its
 * exact shape. Pure, never throws.
 */
export function splitTwilioWebhook(webhook: RawWebhook): WebhookSplit {
  const query = queryOf(webhook.url);
  if (!isForm(webhook)) return readJsonWebhook(webhook, (body) => splitFields(fieldsOf(body), query));
  const form = readForm(webhook.body);
  return form === undefined ? { kind: 'unreadable', reason: 'too many fields' } : splitFields(form, query);
}

/** Twilio's ids: two letters for the kind of thing and 32 hexadecimal digits. */
const sids = { AccountSid: 'AC', MessageSid: '(?:SM|MM)', CallSid: 'CA', RecordingSid: 'RE', TranscriptionSid: 'TR' } as const;
type SidName = keyof typeof sids;
type Sids = Readonly<Partial<Record<SidName, string>>>;

const shapes = new Map(Object.entries(sids).map(([name, prefix]) => [name, new RegExp(`^${prefix}[0-9a-f]{32}$`, 'i')]));

/** What a call can end as. */
const ended: ReadonlySet<string> = new Set(['completed', 'busy', 'failed', 'no-answer', 'canceled']);

/** Parameters of our own URLs that every webhook has, and that nobody needs twice. */
const urlOnly: ReadonlySet<string> = new Set(['account', 'bodySHA256']);

function splitFields(form: Form, query: URLSearchParams): WebhookSplit {
  const found: Partial<Record<SidName, string>> = {};
  for (const [name, shape] of shapes) {
    const values = new Set((form.get(name) ?? []).filter((value) => value !== ''));
    const [value] = values;
    if (value === undefined) continue;
    if (values.size > 1 || !shape.test(value)) return { kind: 'unreadable', reason: `its ${name} is none` };
    found[name as SidName] = value; // the names of `shapes` are those of `sids`
  }
  const { AccountSid: account } = found;
  if (account === undefined) return { kind: 'unreadable', reason: 'it has no AccountSid' };
  if (query.getAll('account').some((named) => named !== account)) return { kind: 'contradictory', reason: 'its URL names another account' };
  return { kind: 'parts', parts: [partOf(kindOf(form, found), form, query, { ...found, AccountSid: account })] };
}

function kindOf(form: Form, found: Sids): TwilioWebhookKind {
  const status = first(form, 'MessageStatus');
  if (found.TranscriptionSid !== undefined) return 'transcription';
  // Of a recording that never was there may be no id.
  if (first(form, 'RecordingStatus') !== '' && (found.RecordingSid ?? found.CallSid) !== undefined) return 'recording';
  if (found.CallSid !== undefined) {
    if (['RecordingUrl', 'Digits', 'RecordingDuration'].some((name) => first(form, name) !== '')) return 'call_action';
    return ended.has(first(form, 'CallStatus').toLowerCase()) ? 'call_status' : 'call';
  }
  if (found.MessageSid === undefined) return 'other';
  return status === '' || status === 'received' || status === 'receiving' ? 'message' : 'status';
}

function partOf(kind: TwilioWebhookKind, form: Form, query: URLSearchParams, found: Sids & { readonly AccountSid: string }): WebhookPart {
  const account = found.AccountSid;
  let written: WrittenPart | undefined;
  return {
    routingIdentifiers: identifiersOf(kind, form, account),
    // By which an account that nobody has connected is counted, whatever number was written to.
    relatedIdentifiers: routingIdentifier('accountSid', account),
    write: () => (written ??= { providerEventId: eventIdOf(kind, form, found), orderingKey: orderingKeyOf(kind, form, found), body: JSON.stringify(storedOf(kind, form, query)) }),
  };
}

/**
 * Most specific first. What contacts send is the number's they wrote to or called, else its service's, else the subaccount's: the connection's own URL does not
 * make another number's message its own. What comes back about something of ours is the connection's whose URL it comes to, which `accountSid` settles;
 * at a URL of all it is our number's.
 */
function identifiersOf(kind: TwilioWebhookKind, form: Form, account: string): RoutingIdentifier[] {
  const sender = (name: 'From' | 'To') => within('sender', account, first(form, name).replace(/^whatsapp:/i, ''));
  const service = within('service', account, first(form, 'MessagingServiceSid'));
  const subaccount = routingIdentifier('accountSid', account);
  switch (kind) {
    case 'message':
    case 'call':
      return [...sender('To'), ...service, ...routingIdentifier('account', account)];
    case 'status':
      return [...sender('From'), ...service, ...subaccount];
    case 'call_status':
    case 'call_action':
    case 'transcription':
      return [...sender('To'), ...subaccount];
    default:
      return subaccount;
  }
}

function within(name: string, account: string, value: string): RoutingIdentifier[] {
  return value === '' ? [] : routingIdentifier(name, `${account}/${value}`);
}

/** By what the thing is, never by `I-Twilio-Idempotency-Token`, of which nobody says whether it stays the same (contract, section 5). */
function eventIdOf(kind: TwilioWebhookKind, form: Form, found: Sids): string | undefined {
  const word = (name: string) => first(form, name).toLowerCase() || '-';
  const { MessageSid: message = '', CallSid: call = '', RecordingSid: recording = call, TranscriptionSid: transcription = '' } = found;
  switch (kind) {
    case 'message':
      return keyOf(kind, message);
    case 'status':
      // After `delivered` WhatsApp's `read` comes as another type of event, which may repeat the status before it.
      return keyOf(kind, message, word('EventType') === 'read' ? 'read' : word('MessageStatus'), word('ErrorCode'));
    case 'call':
    case 'call_action':
      return keyOf(kind, call);
    case 'call_status':
      return keyOf(kind, call, word('CallStatus'));
    case 'recording':
      return keyOf(kind, recording, word('RecordingStatus'));
    case 'transcription':
      return keyOf(kind, transcription, word('TranscriptionStatus'));
    default:
      return undefined;
  }
}

/** The contact of a message; of a call the call, since a recording names no contact. */
function orderingKeyOf(kind: TwilioWebhookKind, form: Form, found: Sids): string {
  const named = kind === 'message' ? first(form, 'From') : kind === 'status' ? first(form, 'To') : (found.CallSid ?? found.RecordingSid ?? '');
  return keyOf(named === '' ? 'account' : named);
}

function storedOf(kind: TwilioWebhookKind, form: Form, query: URLSearchParams): StoredTwilioWebhook {
  return {
    kind,
    query: Object.fromEntries([...query].toReversed().filter(([name]) => !urlOnly.has(name))),
    form: Object.fromEntries([...form].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values])),
  };
}

/** The first value of a field; empty where there is none. */
function first(form: Form, name: string): string {
  return form.get(name)?.[0] ?? '';
}

/** What a client writes behind `#` was signed by nobody. */
function queryOf(url: string): URLSearchParams {
  const plain = withoutFragment(url);
  const at = plain.indexOf('?');
  return new URLSearchParams(at === -1 ? '' : plain.slice(at));
}

/** A JSON object's fields, as a form would have them; what is no text is written as JSON. */
function fieldsOf(body: JsonObject): Form {
  return new Map(Object.entries(body).map(([name, value]) => [name, Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : [textOf(value)]]));
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : isJsonObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value);
}
