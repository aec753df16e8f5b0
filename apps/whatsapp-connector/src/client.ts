import { parseJson, type ClientContext, type Delivered, type FetchedMedia, type PartMedia, type ProviderFate, type RemoteMedia, type RenderedPart } from '@switchboard/connector-kit';
import { hubError, isHubError, type HubError } from '@switchboard/contracts';
import type { EgressReply, EgressRequest } from '@switchboard/service-kit';
import { isTokenHost } from './is-token-host.ts';
import { readMetaError } from './read-meta-error.ts';
import { graphErrorSchema, mediaReplySchema, sendReplySchema, uploadReplySchema } from './wire.ts';

/** The calls to Meta's Graph API; the only I/O of the connector. Translates every failure to a HubError that says its fate. */
export const client = { send, fetchMedia };

const apiVersionDefault = 'v25.0';
const graphBase = 'https://graph.facebook.com';
/** Meta fetches nothing from us here: an upload of 100 MB takes its time. */
const uploadTimeoutMs = 120_000;

/** Uploads the part's file, if it has one, and posts the message. An error after which Meta may have the message says so (`detail.sent`). */
async function send(part: RenderedPart, context: ClientContext): Promise<Delivered> {
  const body = part.media === undefined ? part.body : withMediaId(part.body, await upload(part.media, context));
  const reply = await call(context, { method: 'POST', url: graphUrl(context, `${phoneNumberIdOf(context)}/messages`), headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const parsed = sendReplySchema.safeParse(parseJson(reply.body));
  // Read and typing answer {"success":true}. A 200 that cannot be read still means accepted; its id comes with the status.
  const id = parsed.success ? parsed.data.messages?.[0]?.id : undefined;
  return id === undefined ? {} : { providerMessageId: id };
}

/** Meta keeps an uploaded file for 30 days; a repeated upload leaves one behind and harms nobody. */
async function upload(media: PartMedia, context: ClientContext): Promise<string> {
  const bytes = await context.loadMedia(media);
  const form = new FormData();
  form.set('messaging_product', 'whatsapp');
  form.set('type', media.mimeType);
  // The cast is safe: files are read into memory of their own, never shared between threads. A copy of 100 MB would be one too many.
  form.set('file', new Blob([bytes as Buffer<ArrayBuffer>], { type: media.mimeType }), media.fileName ?? 'file');
  const reply = await beforeSending(() => call(context, { method: 'POST', url: graphUrl(context, `${phoneNumberIdOf(context)}/media`), body: form, timeoutMs: uploadTimeoutMs }));
  const parsed = uploadReplySchema.safeParse(parseJson(reply.body));
  if (!parsed.success) throw hubError('provider.unavailable', { publicMessage: 'WhatsApp took the file without naming it; it is tried again.', detail: { sent: false } });
  return parsed.data.id;
}

function withMediaId(body: RenderedPart['body'], id: string): RenderedPart['body'] {
  const type = String(body['type']);
  // The cast is safe: renderMessage puts an object under the type of a part with media.
  return { ...body, [type]: { id, ...(body[type] as object) } };
}

/** Asks where the file is (that URL lives five minutes) and downloads it with the connection's token, which goes to Meta's hosts alone. */
async function fetchMedia(media: RemoteMedia, context: ClientContext): Promise<FetchedMedia> {
  try {
    return await download(media, context);
  } catch (error) {
    if (!isHubError(error) || error.code !== 'media.unavailable' || media.id === undefined) throw error;
    // The URL ran out between the two calls: ask once more, then the bus comes back later.
    return download({ id: media.id }, context);
  }
}

async function download(media: RemoteMedia, context: ClientContext): Promise<FetchedMedia> {
  const place = media.id === undefined ? { url: media.url ?? '' } : await resolve(media.id, context);
  if ((place.file_size ?? 0) > context.fileBytesMax) throw hubError('media.too_large', { publicMessage: `The file is larger than ${Math.floor(context.fileBytesMax / 1024 / 1024)} MB.` });
  if (!isTokenHost(place.url, context.connection.settings['apiBaseUrl'])) {
    throw hubError('media.unavailable', { publicMessage: 'WhatsApp named a host for the file that is not its own.', retry: 'never', detail: { url: place.url } });
  }
  const reply = await egress(context, { method: 'GET', url: place.url, timeoutMs: 60_000, responseMaxBytes: context.fileBytesMax });
  if (reply.status === 200) return { bytes: reply.body, mimeType: place.mime_type ?? reply.headers['content-type'] };
  if (reply.status === 401 || reply.status === 403) throw graphFailure(reply);
  throw hubError('media.unavailable', { publicMessage: `WhatsApp answered ${reply.status} for the file.` });
}

async function resolve(mediaId: string, context: ClientContext): Promise<{ url: string; mime_type?: string; file_size?: number }> {
  const reply = await call(context, { method: 'GET', url: graphUrl(context, `${encodeURIComponent(mediaId)}?phone_number_id=${phoneNumberIdOf(context)}`) });
  const parsed = mediaReplySchema.safeParse(parseJson(reply.body));
  if (!parsed.success) throw hubError('media.unavailable', { publicMessage: 'WhatsApp did not say where the file is.' });
  return parsed.data;
}

function graphUrl({ connection }: ClientContext, path: string): string {
  const base = (connection.settings['apiBaseUrl'] ?? graphBase).replace(/\/+$/, '');
  return `${base}/${connection.settings['apiVersion'] ?? apiVersionDefault}/${path}`;
}

function phoneNumberIdOf({ connection }: ClientContext): string {
  return encodeURIComponent(connection.routingIdentifiers['phoneNumberId'] ?? '');
}

/** A call of the Graph API that must succeed. */
async function call(context: ClientContext, request: EgressRequest): Promise<EgressReply> {
  const reply = await egress(context, request);
  if (reply.status >= 200 && reply.status < 300) return reply;
  throw graphFailure(reply);
}

async function egress(context: ClientContext, request: EgressRequest): Promise<EgressReply> {
  return context.egress.request({ ...request, headers: { ...request.headers, authorization: `Bearer ${context.connection.credentials['accessToken'] ?? ''}` } });
}

/** Meta decides by its code, not by the HTTP status (contract, section 8.1); the status decides where there is no code or an unknown one. */
function graphFailure(reply: EgressReply): HubError {
  const parsed = graphErrorSchema.safeParse(parseJson(reply.body));
  const error = parsed.success ? parsed.data.error : undefined;
  const fate = (error && readMetaError(error)) ?? fateOfStatus(reply.status);
  const details = error?.error_data?.details ?? error?.message;
  return hubError(fate.code, {
    publicMessage: details === undefined ? fate.message : `${fate.message} (WhatsApp: ${details})`,
    retry: fate.retry === 'never' ? 'never' : (retryAfter(reply) ?? fate.retry),
    detail: {
      httpStatus: reply.status,
      // A gateway's own answer says nothing of what the machine behind it did; Meta's words, and a plain refusal, do.
      sent: error === undefined && (reply.status === 502 || reply.status === 504),
      ...(fate.scope === undefined ? {} : { scope: fate.scope }),
      ...(error === undefined ? {} : { providerCode: String(error.code) }),
    },
  });
}

function fateOfStatus(status: number): ProviderFate {
  const refused = { retry: 'never', scope: 'account' } as const;
  if (status === 401) return { ...refused, code: 'provider.unauthorized', message: 'WhatsApp refuses the access token. Post new credentials for this connection.' };
  if (status === 403) return { ...refused, code: 'provider.forbidden', message: 'WhatsApp refuses the permission for this number.' };
  if (status === 404) return { ...refused, code: 'provider.not_found', message: 'WhatsApp does not know this phone number id or API version.' };
  if (status === 429) return { retry: 'later', code: 'provider.throttled', message: 'WhatsApp is throttling; it is tried again.' };
  if (status >= 500) return { retry: 'later', code: 'provider.unavailable', message: 'WhatsApp is not available; it is tried again.' };
  return { retry: 'never', code: 'provider.rejected', message: `WhatsApp answered ${status}.` };
}

function retryAfter(reply: EgressReply): { readonly afterMs: number } | undefined {
  const seconds = Number(reply.headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? { afterMs: seconds * 1000 } : undefined;
}

/** Whatever goes wrong here, the message itself was not sent yet. */
async function beforeSending<T>(fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    if (!isHubError(error)) throw error;
    throw hubError(error.code, { publicMessage: error.publicMessage, retry: error.retry, detail: { ...error.detail, sent: false }, cause: error });
  }
}
