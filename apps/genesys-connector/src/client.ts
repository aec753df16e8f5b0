import { parseJson, type ClientContext, type ClientErrorDetail, type Delivered, type FetchedMedia, type RemoteMedia, type RenderedPart } from '@switchboard/connector-kit';
import { hubError, type HubError } from '@switchboard/contracts';
import { providers } from '@switchboard/providers';
import type { EgressReply } from '@switchboard/service-kit';
import { errorBodySchema, messageReplySchema } from './wire.ts';

/** Milliseconds; what the vendor's own client waits. */
const timeoutMs = 16_000;
/** Bytes; the largest attachment of open messaging. */
const mediaSizeMax = 25 * 1024 * 1024;
/** Milliseconds, when a 429 does not say how long. The limit is counted by the minute. */
const throttleDefaultMs = 10_000;
/** Milliseconds added: what comes right after Retry-After is throttled again (contract, 1.4); then the kit's pace goes on. */
const throttleMarginMs = 500;

/** Delivers one part to the connection's integration. Throws HubErrors by the table of the contract's section 1.5. */
export async function send(part: RenderedPart, context: ClientContext): Promise<Delivered> {
  const path = part.path ?? 'message';
  const integrationId = context.connection.routingIdentifiers['integrationId'] ?? '';
  const query = path === 'message' ? '?prefetchConversationId=true' : '';
  const url = `${apiBaseUrl(context)}/api/v2/conversations/messages/${encodeURIComponent(integrationId)}/inbound/open/${path}${query}`;
  const body = JSON.stringify(part.media === undefined ? part.body : withMediaUrl(part.body, context.mediaUrl(part.media)));
  const reply = await callWithToken(context, (accessToken) =>
    context.egress.request({ method: 'POST', url, headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }, body, timeoutMs }),
  );
  if (reply.status >= 300) throw refusalOf(reply, path);
  const answer = messageReplySchema.safeParse(parseJson(reply.body));
  // An answer that does not parse is a success all the same: the message is there, its id is learnt from the first webhook.
  return { status: 'sent', providerMessageId: path === 'message' ? answer.data?.id : undefined, providerConversationId: answer.data?.conversationId };
}

/** Fetches an agent's attachment: without credentials first, then with the organization's token, which goes to Genesys' own hosts alone. */
export async function fetchMedia(media: RemoteMedia, context: ClientContext): Promise<FetchedMedia> {
  if (media.url === undefined) throw hubError('media.not_found', { publicMessage: 'The attachment has no address.' });
  const { url } = media;
  const get = (headers: Record<string, string>) => context.egress.request({ method: 'GET', url, headers, timeoutMs: 30_000, responseMaxBytes: Math.min(mediaSizeMax, context.fileBytesMax) });
  let reply = await get({});
  if ((reply.status === 401 || reply.status === 403) && isGenesysHost(url, context)) reply = await callWithToken(context, (accessToken) => get({ authorization: `Bearer ${accessToken}` }));
  if (reply.status === 404 || reply.status === 410) throw hubError('media.not_found', { retry: 'never', detail: { status: reply.status } });
  if (reply.status >= 300) throw hubError('media.unavailable', { detail: { status: reply.status } });
  return { bytes: reply.body, mimeType: reply.headers['content-type']?.split(';')[0] };
}

/** One new token after a 401, then the answer stands: a disabled OAuth client invalidates its tokens at once (contract, 1.2). */
async function callWithToken(context: ClientContext, call: (accessToken: string) => Promise<EgressReply>): Promise<EgressReply> {
  const token = await context.accessToken();
  const reply = await call(token.accessToken);
  if (reply.status !== 401) return reply;
  const renewed = await context.accessToken({ fingerprint: token.fingerprint });
  return call(renewed.accessToken);
}

function apiBaseUrl(context: ClientContext): string {
  return context.connection.settings['apiBaseUrl'] ?? providers.genesys.hosts(context.connection.settings)['api'] ?? '';
}

/** The token goes to the API's own address and, encrypted, to hosts of the connection's region (downloads), never elsewhere. */
function isGenesysHost(url: string, context: ClientContext): boolean {
  const { protocol, hostname, origin } = new URL(url);
  const { region, apiBaseUrl: ownAddress } = context.connection.settings;
  if (origin === new URL(apiBaseUrl(context)).origin) return true;
  return protocol === 'https:' && ownAddress === undefined && region !== undefined && hostname.endsWith(`.${region}`);
}

function withMediaUrl(body: RenderedPart['body'], url: string): Record<string, unknown> {
  // The cast names the form that render-message gives to a part with media.
  const [item] = body['content'] as [{ attachment: Record<string, unknown> }];
  return { ...body, content: [{ ...item, attachment: { ...item.attachment, url } }] };
}

function refusalOf(reply: EgressReply, path: string): HubError {
  const error = errorBodySchema.safeParse(parseJson(reply.body)).data;
  const detail: ClientErrorDetail = { status: reply.status, providerCode: error?.code, contextId: error?.contextId };
  const said = error?.message === undefined ? '' : `: ${error.message}`;
  switch (reply.status) {
    case 401:
      return hubError('provider.unauthorized', { publicMessage: 'Genesys refuses the OAuth client of this connection.', detail: { ...detail, scope: 'account' } });
    case 403:
      return hubError('provider.forbidden', { publicMessage: 'The role of the OAuth client lacks the permission conversation:message:receive.', detail: { ...detail, scope: 'account' } });
    case 404:
      // A message names nothing but the integration; a receipt or an answer to a question also names a message, which may be the one that is gone.
      if (path === 'message') return hubError('provider.not_found', { publicMessage: 'The open messaging integration does not exist any more.', detail: { ...detail, scope: 'account' } });
      return hubError('provider.not_found', { publicMessage: 'The open messaging integration does not exist any more, or the conversation has ended.', detail });
    case 429:
      return hubError('provider.throttled', { publicMessage: 'Genesys throttles this OAuth client; the message is sent when it allows.', retry: { afterMs: retryAfterMs(reply) }, detail });
    case 408:
    case 500:
    case 502:
    case 503:
    case 504:
      // The outcome is unknown; the same messageId and time are sent again.
      return hubError('provider.unavailable', { publicMessage: 'Genesys did not take the message in time; it is sent again under the same id.', detail: { ...detail, sent: true } });
    default:
      return hubError('provider.rejected', { publicMessage: `Genesys rejected the message${said}`, detail });
  }
}

function retryAfterMs(reply: EgressReply): number {
  const seconds = Number(reply.headers['retry-after']);
  return (Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : throttleDefaultMs) + throttleMarginMs;
}
