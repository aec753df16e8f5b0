import type { ClientContext, FetchedMedia, RemoteMedia } from '@switchboard/connector-kit';
import { hubError } from '@switchboard/contracts';
import type { EgressReply } from '@switchboard/service-kit';
import { accountOf } from './account-of.ts';
import { addressOf } from './address-of.ts';
import { authorizationOf } from './client-library.ts';
import { failureOf } from './failure-of.ts';

const timeoutMs = 60_000;

/**
 * A file of a message or a recording. Twilio's API alone sees the credentials; it may lead on to where the file lies once, which sees none (contract,
 * section 6.6).
 */
export async function fetchMedia(media: RemoteMedia, context: ClientContext): Promise<FetchedMedia> {
  const url = ownUrlOf(media, context);
  const first = await get(url, context, { authorization: authorizationOf(context) });
  if (first.status === 401 || first.status === 403) throw failureOf(first);
  const location = first.status >= 300 && first.status < 400 ? first.headers['location'] : undefined;
  const reply = location === undefined ? first : await get(new URL(location, url).href, context, {});
  if (reply.status === 200) return { bytes: reply.body, mimeType: reply.headers['content-type'] };
  // A recording may be named before its file is there.
  throw hubError('media.unavailable', { publicMessage: `Twilio answered ${reply.status} for the file.`, retry: reply.status === 410 ? 'never' : 'later', detail: { httpStatus: reply.status } });
}

function get(url: string, { egress, fileBytesMax }: ClientContext, headers: Readonly<Record<string, string>>): Promise<EgressReply> {
  return egress.request({ method: 'GET', url, headers, timeoutMs, responseMaxBytes: fileBytesMax });
}

/** The file's address at the connection's API, as MP3 for a recording (Twilio serves WAV otherwise, ten times as large). Throws for any other host. */
function ownUrlOf({ id, url }: RemoteMedia, { connection }: ClientContext): string {
  const isRecording = id?.startsWith('RE') === true;
  const named = url ?? (isRecording ? `https://api.twilio.com/2010-04-01/Accounts/${accountOf(connection).accountSid}/Recordings/${encodeURIComponent(id)}` : '');
  const own = isApi(named) ? addressOf(named, connection.settings) : undefined;
  if (own === undefined) throw hubError('media.unavailable', { publicMessage: 'Twilio named a host for the file that is not its own.', retry: 'never', detail: { url: named } });
  const { pathname } = new URL(own);
  return isRecording && !/\.[a-z0-9]{3,4}$/i.test(pathname) ? own.replace(/(\?|$)/, '.mp3$1') : own;
}

/** Of Twilio's hosts the API alone; any other is judged by the connection's settings. */
function isApi(url: string): boolean {
  return URL.canParse(url) && (!new URL(url).hostname.endsWith('.twilio.com') || new URL(url).hostname === 'api.twilio.com');
}
