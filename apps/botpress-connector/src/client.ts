import type { ClientContext, Delivered, FetchedMedia, RemoteMedia, RenderedPart } from '@switchboard/connector-kit';
import { hubError } from '@switchboard/contracts';
import { isV12 } from './account.ts';
import { sendToCloud } from './client-cloud.ts';
import { createV12Sender } from './client-v12.ts';
import type { CallAlone } from './turns/call-alone.ts';

/** Bytes; what the largest file of a WhatsApp message has. */
const mediaBytesMax = 100 * 1024 * 1024;

export type ClientOptions = {
  /** Whether a message may have been given to the bot before: then its conversation is read first. */
  readonly isRepeat: (messageId: string) => boolean;
  readonly callAlone: CallAlone;
};

/** The only I/O of the connector. It keeps nothing but the log-ins at v12 servers, and who is in line there. */
export function createClient(options: ClientOptions) {
  const sendToV12 = createV12Sender();
  return {
    send: (part: RenderedPart, context: ClientContext): Promise<Delivered> => (isV12(context.connection) ? sendToV12(part, context) : sendToCloud(part, context, options)),
    fetchMedia,
  };
}

/** A bot's files lie at public addresses: nobody's credentials go along. */
async function fetchMedia({ url }: RemoteMedia, context: ClientContext): Promise<FetchedMedia> {
  if (url === undefined) throw hubError('media.not_found', { publicMessage: 'The file has no address.' });
  const reply = await context.egress.request({ method: 'GET', url, timeoutMs: 30_000, responseMaxBytes: Math.min(mediaBytesMax, context.fileBytesMax) });
  if (reply.status === 404 || reply.status === 410) throw hubError('media.not_found', { retry: 'never', detail: { status: reply.status } });
  if (reply.status >= 300) throw hubError('media.unavailable', { retry: reply.status < 500 && reply.status !== 429 ? 'never' : 'later', detail: { status: reply.status } });
  return { bytes: reply.body, mimeType: reply.headers['content-type']?.split(';')[0] };
}
