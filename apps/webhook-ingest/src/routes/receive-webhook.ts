import { connectionIdSchema, isHubError, type ConnectionId } from '@switchboard/contracts';
import type { ProviderEntry, RawWebhook, WebhookAuth } from '@switchboard/providers';
import type { RawRoute } from '@switchboard/service-kit';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AcceptWebhook } from '../accept/accept-webhook.ts';
import type { BodyReader } from '../accept/create-body-reader.ts';
import type { IngestMetrics } from '../accept/ingest-metrics.ts';
import { answerContent } from './answer-content.ts';
import { answerEmpty } from './answer-empty.ts';

/** Seconds after which a provider may try again what could not be stored. Genesys repeats after 5 by itself, Meta at once and then ever later. */
const retryAfterSeconds = 5;

/**
 * `POST /webhooks/<provider>[/<connection>]` and the registry's aliases, each with `/<token>` where the provider may prove itself by its URL; a connection's
 * goes on as it likes where the registry says so. Before Express and any parser: signatures are over the raw bytes, and over the address that the provider
 * was given: PUBLIC_WEBHOOK_URL and the request's target as it came, whatever its headers say. The names are labels of metrics and logs: no token and
 * no id ever stands in one.
 */
export function receiveWebhook(options: { readonly accept: AcceptWebhook; readonly bodies: BodyReader; readonly metrics: IngestMetrics; readonly publicUrl: string }): (entry: ProviderEntry) => RawRoute[] {
  const { accept, bodies, metrics, publicUrl } = options;

  async function receive(entry: ProviderEntry, request: IncomingMessage, response: ServerResponse, addressed: Addressed): Promise<void> {
    const read = await bodies.read(request, entry.webhook.bodyMaxBytes);
    if (read.kind === 'aborted') return;
    if (read.kind === 'too-large') {
      metrics.count(entry.id, 'too_large');
      // The rest of the body is still coming; the connection cannot serve another request.
      answerEmpty(response, 413, { connection: 'close' });
      return;
    }
    if (read.kind === 'no-room') {
      metrics.count(entry.id, 'unavailable');
      answerEmpty(response, 503, { 'retry-after': String(retryAfterSeconds), connection: 'close' });
      return;
    }
    const { addresseeId, pathToken } = addressed;
    const webhook: RawWebhook = { method: 'POST', url: publicUrl + (request.url ?? ''), headers: textHeaders(request), body: read.body, ...(pathToken === undefined ? {} : { pathToken }) };
    try {
      const answer = await accept(entry, webhook, addresseeId);
      if ('body' in answer && answer.body !== undefined) answerContent(response, answer.status, answer.contentType, answer.body);
      else answerEmpty(response, answer.status, answer.status === 429 ? { 'retry-after': String(answer.retryAfterSeconds) } : {});
    } catch (error) {
      // The error middleware would answer with a problem; a provider wants to know only when to come again.
      if (!isHubError(error) || !unavailableCodes.has(error.code)) throw error;
      metrics.count(entry.id, 'unavailable');
      answerEmpty(response, 503, { 'retry-after': String(retryAfterSeconds) });
    } finally {
      read.release();
    }
  }

  return (entry) => {
    const token = takesPathToken(entry.webhook.auth) ? { pattern: '(?:/([^/]{1,1024}))?', name: '[/:token]' } : { pattern: '', name: '' };
    const route = (name: string, path: string, handle: RawRoute['handle']): RawRoute => ({ method: 'POST', name, pattern: new RegExp(`^${path}/?$`), handle });
    const shared = (path: string, ending: typeof token) =>
      route(path + ending.name, path + ending.pattern, async (request, response, match) => {
        const pathToken = decoded(match[1]);
        if (pathToken === null) return answerEmpty(response, 404);
        await receive(entry, request, response, { addresseeId: undefined, pathToken });
      });
    const below = entry.webhook.hasSubpaths === true ? { pattern: '(?:/[^/]{1,64}){0,4}', name: '[/…]' } : { pattern: '', name: '' };
    const ofConnection = route(`/webhooks/${entry.id}/:connectionId${token.name}${below.name}`, `/webhooks/${entry.id}/([^/]{1,64})${token.pattern}${below.pattern}`, async (request, response, match) => {
      const id = connectionIdSchema.safeParse(match[1]);
      const pathToken = decoded(match[2]);
      if (!id.success || pathToken === null) return answerEmpty(response, 404);
      await receive(entry, request, response, { addresseeId: id.data, pathToken });
    });
    return [
      // Here a segment more is a connection.
      ...entry.webhook.paths.map((path) => (path === 'shared' ? shared(`/webhooks/${entry.id}`, { pattern: '', name: '' }) : ofConnection)),
      ...(entry.webhook.aliases ?? []).map((alias) => shared(alias, token)),
    ];
  };
}

type Addressed = { readonly addresseeId: ConnectionId | undefined; readonly pathToken: string | undefined };

function takesPathToken(auth: WebhookAuth): boolean {
  return auth.scheme === 'any-of' ? auth.schemes.some(({ scheme }) => scheme === 'path-token') : auth.scheme === 'path-token';
}

/** Null: not a way to write a segment of a URL. */
function decoded(segment: string | undefined): string | undefined | null {
  try {
    return segment === undefined ? undefined : decodeURIComponent(segment);
  } catch {
    return null;
  }
}

const unavailableCodes: ReadonlySet<string> = new Set(['storage.unavailable', 'service.unavailable', 'service.timeout']);

function textHeaders(request: IncomingMessage): RawWebhook['headers'] {
  // Node joins what is sent twice, except for set-cookie, which no scheme reads.
  return request.headers as RawWebhook['headers'];
}
