import { connectionIdSchema, isHubError, type ConnectionId } from '@switchboard/contracts';
import type { ProviderEntry, RawWebhook } from '@switchboard/providers';
import type { RawRoute } from '@switchboard/service-kit';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AcceptWebhook } from '../accept/accept-webhook.ts';
import type { BodyReader } from '../accept/create-body-reader.ts';
import type { IngestMetrics } from '../accept/ingest-metrics.ts';
import { answerEmpty } from './answer-empty.ts';

/** Seconds after which a provider may try again what could not be stored. Genesys repeats after 5 by itself, Meta at once and then ever later. */
const retryAfterSeconds = 5;

/** `POST /webhooks/<provider>[/<connection>]`, as the registry says. Before Express and any parser: signatures are over the raw bytes. */
export function receiveWebhook(options: { readonly accept: AcceptWebhook; readonly bodies: BodyReader; readonly metrics: IngestMetrics; readonly publicUrl: string }): (entry: ProviderEntry) => RawRoute[] {
  const { accept, bodies, metrics, publicUrl } = options;

  async function receive(entry: ProviderEntry, request: IncomingMessage, response: ServerResponse, addresseeId: ConnectionId | undefined): Promise<void> {
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
    const webhook: RawWebhook = { method: 'POST', url: publicUrl + (request.url ?? ''), headers: textHeaders(request), body: read.body };
    try {
      answerEmpty(response, await accept(entry, webhook, addresseeId));
    } catch (error) {
      // The error middleware would answer with a problem; a provider wants to know only when to come again.
      if (!isHubError(error) || !unavailableCodes.has(error.code)) throw error;
      metrics.count(entry.id, 'unavailable');
      answerEmpty(response, 503, { 'retry-after': String(retryAfterSeconds) });
    } finally {
      read.release();
    }
  }

  return (entry) =>
    entry.webhook.paths.map((path) => ({
      method: 'POST',
      name: path === 'shared' ? `/webhooks/${entry.id}` : `/webhooks/${entry.id}/:connectionId`,
      pattern: path === 'shared' ? new RegExp(`^/webhooks/${entry.id}/?$`) : new RegExp(`^/webhooks/${entry.id}/([^/]{1,64})$`),
      handle: async (request, response, match) => {
        if (path === 'shared') return await receive(entry, request, response, undefined);
        const id = connectionIdSchema.safeParse(match[1]);
        if (!id.success) return answerEmpty(response, 404);
        return await receive(entry, request, response, id.data);
      },
    }));
}

const unavailableCodes: ReadonlySet<string> = new Set(['storage.unavailable', 'service.unavailable', 'service.timeout']);

function textHeaders(request: IncomingMessage): RawWebhook['headers'] {
  // Node joins what is sent twice, except for set-cookie, which no scheme reads.
  return request.headers as RawWebhook['headers'];
}
