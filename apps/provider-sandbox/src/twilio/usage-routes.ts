import type { Answer } from '../exchange.ts';
import { pageAnswer2010, paging, type Call, type TwilioRoute } from './call.ts';
import { textOf, type Kinds } from './parameters.ts';
import { refuse } from './refusals.ts';
import type { TwilioMessage } from './rows.ts';
import type { TwilioStore } from './twilio-store.ts';

const usageParameters: Kinds = { Category: 'text', StartDate: 'date', EndDate: 'date', IncludeSubaccounts: 'boolean', ...paging };

/** What a path behind `Records` covers when no dates are given, and by what it is cut. */
const spans = ['', 'Daily', 'Monthly', 'Yearly', 'AllTime', 'ThisMonth', 'LastMonth', 'Today', 'Yesterday'] as const;
type Span = (typeof spans)[number];

export const usageRoutes: TwilioRoute[] = spans.map((span) => ({
  operation: `ListUsageRecord${span}`,
  method: 'GET',
  path: `/Usage/Records${span === '' ? '' : `/${span}`}.json`,
  parameters: usageParameters,
  handle: (call) => list(call, span),
}));

/** One thing that is billed. */
type Item = { readonly at: string; readonly categories: readonly string[]; readonly usage: number; readonly price: number };
type Unit = { readonly count: string; readonly usage: string; readonly text: string };

/** Twilio writes whole minutes and segments as whole numbers. */
const units: Readonly<Record<string, Unit>> = {
  sms: { count: 'messages', usage: 'segments', text: 'SMS' },
  'sms-inbound': { count: 'messages', usage: 'segments', text: 'Inbound SMS' },
  'sms-inbound-longcode': { count: 'messages', usage: 'segments', text: 'Inbound Long Code SMS' },
  'sms-outbound': { count: 'messages', usage: 'segments', text: 'Outbound SMS' },
  'sms-outbound-longcode': { count: 'messages', usage: 'segments', text: 'Outbound Long Code SMS' },
  mms: { count: 'messages', usage: 'messages', text: 'MMS' },
  'mms-inbound': { count: 'messages', usage: 'messages', text: 'Inbound MMS' },
  'mms-outbound': { count: 'messages', usage: 'messages', text: 'Outbound MMS' },
  channels: { count: 'messages', usage: 'messages', text: 'Channels' },
  'channels-messaging': { count: 'messages', usage: 'messages', text: 'Channels Messages' },
  'channels-messaging-inbound': { count: 'messages', usage: 'messages', text: 'Channels Inbound Messages' },
  'channels-messaging-outbound': { count: 'messages', usage: 'messages', text: 'Channels Outbound Messages' },
  // Meta's own fees, for templates: nothing here is charged them.
  'channels-whatsapp': { count: 'messages', usage: 'messages', text: 'WhatsApp' },
  calls: { count: 'calls', usage: 'minutes', text: 'Voice Minutes' },
  'calls-inbound': { count: 'calls', usage: 'minutes', text: 'Inbound Voice Minutes' },
  'calls-inbound-local': { count: 'calls', usage: 'minutes', text: 'Inbound Local Calls' },
  recordings: { count: 'recordings', usage: 'minutes', text: 'Recordings' },
  'calls-recordings': { count: 'recordings', usage: 'minutes', text: 'Call Recordings' },
  transcriptions: { count: 'transcriptions', usage: 'minutes', text: 'Transcriptions' },
  totalprice: { count: '', usage: 'usd', text: 'Total Price' },
};

/** Counted from what really went through; subaccounts' things with the parent's unless it says otherwise. Days are in GMT. */
function list(call: Call, span: Span): Answer {
  const { given, account, store, now } = call;
  const withSubaccounts = textOf(given, 'IncludeSubaccounts')?.toLowerCase() !== 'false';
  const accounts = [account.sid, ...(withSubaccounts ? store.accounts().filter(({ ownerSid, sid }) => ownerSid === account.sid && sid !== account.sid).map(({ sid }) => sid) : [])];
  const { from, to } = daysOf(span, dayOf(textOf(given, 'StartDate'), now), dayOf(textOf(given, 'EndDate'), now), account.createdAt, now);
  const category = textOf(given, 'Category');
  if (category !== undefined && units[category] === undefined) refuse(400, 20001, `Category is not valid: ${category}`);
  const items = accounts.flatMap((sid) => itemsOf(store, sid)).filter(({ at }) => at.slice(0, 10) >= from && at.slice(0, 10) <= to);
  const records = cut(span, from, to).toReversed().flatMap((days) =>
    Object.keys(units)
      .filter((name) => category === undefined || name === category)
      .map((name) => ({ name, ...days, items: items.filter(({ at, categories }) => categories.includes(name) && at.slice(0, 10) >= days.from && at.slice(0, 10) <= days.to) })),
  );
  return pageAnswer2010(call, 'usage_records', records, (record) => recordOf(call, record));
}

function recordOf(call: Call, { name, from, to, items }: { name: string; from: string; to: string; items: readonly Item[] }): Record<string, unknown> {
  const unit = units[name] ?? { count: '', usage: '', text: name };
  const price = items.reduce((sum, item) => sum + item.price, 0);
  const uri = `/2010-04-01/Accounts/${call.account.sid}/Usage/Records`;
  return {
    account_sid: call.account.sid,
    api_version: '2010-04-01',
    as_of: `${call.now.toISOString().slice(0, 19)}+00:00`,
    category: name,
    description: unit.text,
    count: name === 'totalprice' ? null : String(items.length),
    count_unit: unit.count,
    usage: name === 'totalprice' ? price.toFixed(5) : String(items.reduce((sum, item) => sum + item.usage, 0)),
    usage_unit: unit.usage,
    price: price.toFixed(5),
    price_unit: 'usd',
    start_date: from,
    end_date: to,
    uri: `${uri}.json?Category=${name}&StartDate=${from}&EndDate=${to}`,
    subresource_uris: Object.fromEntries(spans.filter((span) => span !== '').map((span) => [span.replaceAll(/(?!^)([A-Z])/g, '_$1').toLowerCase(), `${uri}/${span}.json?Category=${name}`])),
  };
}

/** Messages that went out or came in, calls that were answered, and what was recorded of them. */
function itemsOf(store: TwilioStore, accountSid: string): Item[] {
  const messages = store.list('twilioMessage', accountSid).filter(({ price }) => price !== null);
  return [
    ...messages.map((message): Item => ({ at: message.sentAt ?? message.createdAt, categories: [...categoriesOf(message), 'totalprice'], usage: usageOf(message), price: Math.abs(Number(message.price)) })),
    ...store
      .list('twilioCall', accountSid)
      .filter(({ status }) => status === 'completed')
      .map((one): Item => ({ at: one.startedAt, categories: ['calls', 'calls-inbound', 'calls-inbound-local', 'totalprice'], usage: minutesOf(one.durationSeconds), price: 0.0085 * minutesOf(one.durationSeconds) })),
    ...store
      .list('twilioRecording', accountSid)
      .filter(({ status }) => status === 'completed' || status === 'deleted')
      .map((one): Item => ({ at: one.createdAt, categories: ['recordings', 'calls-recordings', 'totalprice'], usage: minutesOf(one.durationSeconds), price: 0.0025 * minutesOf(one.durationSeconds) })),
    ...store.list('twilioTranscription', accountSid).map((one): Item => ({ at: one.createdAt, categories: ['transcriptions', 'totalprice'], usage: 1, price: one.status === 'completed' ? 0.05 : 0 })),
  ];
}

function categoriesOf(message: TwilioMessage): string[] {
  const side = message.direction === 'inbound' ? 'inbound' : 'outbound';
  if (message.from.startsWith('whatsapp:') || message.to.startsWith('whatsapp:')) return ['channels', 'channels-messaging', `channels-messaging-${side}`];
  return message.numMedia > 0 ? ['mms', `mms-${side}`] : ['sms', `sms-${side}`, `sms-${side}-longcode`];
}

function usageOf(message: TwilioMessage): number {
  return message.numMedia > 0 ? 1 : message.numSegments;
}

const minutesOf = (seconds: number): number => Math.max(Math.ceil(seconds / 60), 1);
const day = (date: Date): string => date.toISOString().slice(0, 10);

/** `2026-11-01`, or days from now such as `-30days`. */
function dayOf(text: string | undefined, now: Date): string | undefined {
  const offset = /^([-+]?\d+)days?$/.exec(text ?? '')?.[1];
  return offset === undefined ? text : day(new Date(now.getTime() + Number(offset) * 86_400_000));
}

function daysOf(span: Span, start: string | undefined, end: string | undefined, createdAt: string, now: Date): { from: string; to: string } {
  const today = day(now);
  const first = (monthsBack: number) => day(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - monthsBack, 1)));
  const yesterday = day(new Date(now.getTime() - 86_400_000));
  const whole: Partial<Record<Span, { from: string; to: string }>> = {
    ThisMonth: { from: first(0), to: today },
    LastMonth: { from: first(1), to: day(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 0))) },
    Today: { from: today, to: today },
    Yesterday: { from: yesterday, to: yesterday },
  };
  return whole[span] ?? { from: start ?? createdAt.slice(0, 10), to: end ?? today };
}

function cut(span: Span, from: string, to: string): { from: string; to: string }[] {
  const length = { Daily: 10, Monthly: 7, Yearly: 4 }[span as 'Daily'];
  if (length === undefined) return [{ from, to }];
  const pieces = new Map<string, { from: string; to: string }>();
  for (let at = Date.parse(from); at <= Date.parse(to) && pieces.size < 4000; at += 86_400_000) {
    const one = day(new Date(at));
    const known = pieces.get(one.slice(0, length));
    pieces.set(one.slice(0, length), { from: known?.from ?? one, to: one });
  }
  return [...pieces.values()];
}
