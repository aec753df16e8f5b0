import { randomBytes } from 'node:crypto';
import type { Answer, Exchange } from '../exchange.ts';
import { accountInPath, authenticate } from './authenticate.ts';
import { orMissing, pageAnswer2010, paging, rfc2822, type Call, type TwilioRoute } from './call.ts';
import { messageAt } from './message-routes.ts';
import { listOf, textOf, type Kinds } from './parameters.ts';
import { notFound, Refused, refusal } from './refusals.ts';
import type { TwilioCallRow, TwilioMedia, TwilioRecording } from './rows.ts';
import { silentMp3, silentWav } from './silence.ts';
import type { TwilioStore } from './twilio-store.ts';

const dateCreated: Kinds = { DateCreated: 'time', 'DateCreated<': 'time', 'DateCreated>': 'time' };

export const fileRoutes: TwilioRoute[] = [
  { operation: 'ListMedia', method: 'GET', path: '/Messages/:sid/Media.json', parameters: { ...dateCreated, ...paging }, handle: listMedia },
  { operation: 'FetchMedia', method: 'GET', path: '/Messages/:sid/Media/:media.json', handle: (call) => ({ status: 200, json: mediaOf(mediaAt(call)) }) },
  { operation: 'DeleteMedia', method: 'DELETE', path: '/Messages/:sid/Media/:media.json', handle: removeMedia },
  { operation: 'ListRecording', method: 'GET', path: '/Recordings.json', parameters: { ...dateCreated, CallSid: 'sid:CA', ConferenceSid: 'sid:CF', IncludeSoftDeleted: 'boolean', ...paging }, handle: listRecordings },
  { operation: 'FetchRecording', method: 'GET', path: '/Recordings/:sid.json', parameters: { IncludeSoftDeleted: 'boolean' }, handle: (call) => ({ status: 200, json: recordingOf(recordingAt(call)) }) },
  { operation: 'DeleteRecording', method: 'DELETE', path: '/Recordings/:sid.json', handle: removeRecording },
  { operation: 'FetchCall', method: 'GET', path: '/Calls/:sid.json', handle: (call) => ({ status: 200, json: callOf(orMissing(call.store.find('twilioCall', call.account.sid, call.match[1] ?? ''), call)) }) },
];

function mediaAt(call: Call): TwilioMedia {
  const media = call.store.find('twilioMedia', call.account.sid, call.match[2] ?? '');
  return orMissing(media?.parentSid === messageAt(call).sid ? media : undefined, call);
}

function listMedia(call: Call): Answer {
  const message = messageAt(call);
  return pageAnswer2010(call, 'media_list', call.store.list('twilioMedia', call.account.sid).filter((media) => media.parentSid === message.sid), mediaOf);
}

function removeMedia(call: Call): Answer {
  call.store.remove('twilioMedia', call.account.sid, mediaAt(call).sid);
  return { status: 204 };
}

function mediaOf(media: TwilioMedia): Record<string, unknown> {
  return {
    sid: media.sid,
    account_sid: media.accountSid,
    parent_sid: media.parentSid,
    content_type: media.contentType,
    date_created: rfc2822(media.createdAt),
    date_updated: rfc2822(media.createdAt),
    uri: `/2010-04-01/Accounts/${media.accountSid}/Messages/${media.parentSid}/Media/${media.sid}.json`,
  };
}

/** A deleted one keeps its row for 40 days, and is found with `IncludeSoftDeleted` alone. */
function recordingAt(call: Call): TwilioRecording {
  const recording = call.store.find('twilioRecording', call.account.sid, call.match[1] ?? '');
  const isSeen = recording?.status !== 'deleted' || textOf(call.given, 'IncludeSoftDeleted')?.toLowerCase() === 'true';
  return orMissing(isSeen ? recording : undefined, call);
}

function listRecordings(call: Call): Answer {
  const callSid = listOf(call.given, 'CallSid')[0];
  const deleted = textOf(call.given, 'IncludeSoftDeleted')?.toLowerCase() === 'true';
  const found = call.store.list('twilioRecording', call.account.sid).filter((recording) => (callSid === undefined || recording.callSid === callSid) && (deleted || recording.status !== 'deleted'));
  return pageAnswer2010(call, 'recordings', found.toReversed(), recordingOf);
}

function removeRecording(call: Call): Answer {
  const recording = recordingAt(call);
  call.store.put('twilioRecording', recording.sid, { ...recording, status: 'deleted', base64: '' });
  return { status: 204 };
}

function recordingOf(recording: TwilioRecording): Record<string, unknown> {
  const uri = `/2010-04-01/Accounts/${recording.accountSid}/Recordings/${recording.sid}`;
  const isThere = recording.status === 'completed';
  return {
    sid: recording.sid,
    account_sid: recording.accountSid,
    call_sid: recording.callSid,
    conference_sid: null,
    api_version: '2010-04-01',
    status: recording.status === 'failed' ? 'absent' : recording.status,
    source: 'RecordVerb',
    channels: 1,
    duration: isThere ? String(recording.durationSeconds) : '-1',
    start_time: rfc2822(recording.createdAt),
    date_created: rfc2822(recording.createdAt),
    date_updated: rfc2822(recording.createdAt),
    price: isThere ? `-${(0.0025 * Math.ceil(recording.durationSeconds / 60)).toFixed(5)}` : null,
    price_unit: 'USD',
    error_code: recording.status === 'failed' ? 31500 : null,
    encryption_details: null,
    media_url: `https://api.twilio.com${uri}`,
    uri: `${uri}.json`,
    subresource_uris: { add_on_results: `${uri}/AddOnResults.json`, transcriptions: `${uri}/Transcriptions.json` },
  };
}

function callOf(row: TwilioCallRow): Record<string, unknown> {
  const uri = `/2010-04-01/Accounts/${row.accountSid}/Calls/${row.sid}`;
  const parts = ['notifications', 'recordings', 'payments', 'events', 'siprec', 'streams', 'transcriptions', 'user_defined_message_subscriptions', 'user_defined_messages'];
  return {
    sid: row.sid,
    account_sid: row.accountSid,
    parent_call_sid: null,
    phone_number_sid: row.numberSid,
    from: row.from,
    from_formatted: row.from,
    to: row.to,
    to_formatted: row.to,
    status: row.status,
    direction: 'inbound',
    duration: row.endedAt === null ? null : String(row.durationSeconds),
    start_time: rfc2822(row.startedAt),
    end_time: row.endedAt === null ? null : rfc2822(row.endedAt),
    date_created: rfc2822(row.startedAt),
    date_updated: rfc2822(row.endedAt ?? row.startedAt),
    price: row.status === 'completed' ? `-${(0.0085 * Math.ceil(row.durationSeconds / 60)).toFixed(5)}` : null,
    price_unit: 'USD',
    answered_by: null,
    api_version: '2010-04-01',
    forwarded_from: null,
    group_sid: null,
    caller_name: null,
    queue_time: '0',
    trunk_sid: null,
    uri: `${uri}.json`,
    subresource_uris: Object.fromEntries(parts.map((name) => [name, `${uri}/${name.replaceAll(/(^|_)([a-z])/g, (_all, _bar, letter: string) => letter.toUpperCase())}.json`])),
  };
}

/** Files themselves, which need no credentials unless the account says so. Undefined: the path is of no file. */
export function answerFile(store: TwilioStore, exchange: Pick<Exchange, 'method' | 'headers'>, path: string): Answer | undefined {
  const [, accountSid = '', messageSid, mediaSid, recordingSid, extension] = /^\/2010-04-01\/Accounts\/(AC\w+)\/(?:Messages\/(\w+)\/Media\/(\w+)|Recordings\/(\w+)(\.wav|\.mp3)?)$/.exec(path) ?? [];
  const pass = /^\/files\/(\w+)$/.exec(path)?.[1];
  if (exchange.method !== 'GET') return undefined;
  if (pass !== undefined) return answerRedirected(exchange, pass);
  const account = store.account(accountSid);
  if (accountSid === '') return undefined;
  if (account === undefined) return notFound(path);
  if (account.mediaAuth) accountInPath(store, authenticate(store, exchange), accountSid, path, false);
  const file = mediaSid === undefined ? recordingFile(store, accountSid, recordingSid ?? '', extension ?? '.wav') : mediaFile(store, accountSid, messageSid ?? '', mediaSid);
  if (file === undefined) throw new Refused(notFound(path));
  if (account.mediaRedirect === null) return { status: 200, bytes: file.bytes, headers: { 'content-type': file.contentType } };
  const signed = randomBytes(16).toString('hex');
  passes.set(signed, file);
  return { status: 307, headers: { location: `${account.mediaRedirect}/twilio/files/${signed}` } };
}

type StoredFile = { readonly contentType: string; readonly bytes: Buffer };

/** Files that were pointed to and not yet fetched. */
const passes = new Map<string, StoredFile>();

/** As a CDN with a signed URL: it takes no other credentials, and each URL once. */
function answerRedirected(exchange: Pick<Exchange, 'headers'>, pass: string): Answer {
  if (exchange.headers.authorization !== undefined) return refusal(400, 20001, 'Only one way of authentication is allowed: the Authorization header does not belong here');
  const file = passes.get(pass);
  passes.delete(pass);
  return file === undefined ? { status: 403 } : { status: 200, bytes: file.bytes, headers: { 'content-type': file.contentType } };
}

function mediaFile(store: TwilioStore, accountSid: string, messageSid: string, mediaSid: string): StoredFile | undefined {
  const media = store.find('twilioMedia', accountSid, mediaSid);
  return media?.parentSid === messageSid ? { contentType: media.contentType, bytes: Buffer.from(media.base64, 'base64') } : undefined;
}

/** Not there for as many times as the call's script says. */
function recordingFile(store: TwilioStore, accountSid: string, sid: string, extension: string): StoredFile | undefined {
  const recording = store.find('twilioRecording', accountSid, sid);
  if (recording?.status !== 'completed') return undefined;
  if (recording.missingFetches > 0) {
    store.put('twilioRecording', sid, { ...recording, missingFetches: recording.missingFetches - 1 });
    return undefined;
  }
  const contentType = extension === '.mp3' ? 'audio/mpeg' : 'audio/x-wav';
  if (recording.base64 !== '') return { contentType: recording.contentType, bytes: Buffer.from(recording.base64, 'base64') };
  return { contentType, bytes: extension === '.mp3' ? silentMp3(recording.durationSeconds) : silentWav(recording.durationSeconds) };
}
