import { connectionIdSchema, type ConnectionId } from '@switchboard/contracts';
import type { ProviderEntry } from '@switchboard/providers';
import { isSameSecret } from '@switchboard/secrets';
import type { RawRoute } from '@switchboard/service-kit';
import type { ServerResponse } from 'node:http';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import { answerEmpty } from './answer-empty.ts';

/** Characters; Meta's token is the tenant's own, its challenge a short random text. */
const tokenLengthMax = 512;
const challengeLengthMax = 1024;

/**
 * `GET /webhooks/<provider>[/<connection>]` with `hub.challenge`: the provider asks whether we know the token before it sends webhooks
 * (developers.facebook.com …/webhooks/create-webhook-endpoint). Echoed byte for byte as plain text, 403 for anything else.
 */
export function answerHandshake(directory: ConnectionDirectory): (entry: ProviderEntry) => RawRoute[] {
  async function isKnown(entry: ProviderEntry, token: string, connectionId: ConnectionId | undefined): Promise<boolean> {
    if (token === '' || token.length > tokenLengthMax) return false;
    const one = connectionId === undefined ? undefined : await directory.findById(connectionId);
    const connections = connectionId === undefined ? await directory.findByVerifyToken(entry.id, token) : one === undefined ? [] : [one];
    // A connection that is not active yet may be asked: tenants set the URL up while they connect.
    return connections.some((connection) => connection.provider === entry.id && connection.isEnabled && connection.secrets.verifyToken !== null && isSameSecret(token, connection.secrets.verifyToken));
  }

  async function answer(entry: ProviderEntry, url: string, response: ServerResponse, connectionId: ConnectionId | undefined): Promise<void> {
    const query = new URLSearchParams(url.slice(url.indexOf('?') + 1));
    const challenge = query.get('hub.challenge') ?? '';
    const isAsked = query.get('hub.mode') === 'subscribe' && challenge !== '' && challenge.length <= challengeLengthMax;
    if (!isAsked || !(await isKnown(entry, query.get('hub.verify_token') ?? '', connectionId))) {
      answerEmpty(response, 403);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', 'content-length': Buffer.byteLength(challenge) }).end(challenge);
  }

  return (entry) =>
    entry.webhook.handshake === undefined
      ? []
      : entry.webhook.paths.map((path) => ({
          method: 'GET',
          name: path === 'shared' ? `/webhooks/${entry.id}` : `/webhooks/${entry.id}/:connectionId`,
          pattern: path === 'shared' ? new RegExp(`^/webhooks/${entry.id}/?$`) : new RegExp(`^/webhooks/${entry.id}/([^/]{1,64})$`),
          handle: async (request, response, match) => {
            const url = request.url ?? '';
            if (path === 'shared') return await answer(entry, url, response, undefined);
            const id = connectionIdSchema.safeParse(match[1]);
            return id.success ? await answer(entry, url, response, id.data) : answerEmpty(response, 403);
          },
        }));
}
