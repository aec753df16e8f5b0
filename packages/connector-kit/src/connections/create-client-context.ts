import { hubError, type ConnectionWithSecrets } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';
import type { MediaLinks } from '../media/create-media-links.ts';
import type { MediaStore } from '../media/media-store.ts';
import type { ClientContext } from '../port.ts';
import type { Connections } from './create-connections.ts';

/** Bytes of one file, in or out: the most that a provider takes (WhatsApp documents). */
export const mediaBytesMax = 100 * 1024 * 1024;

export type ClientContextDeps = { readonly egress: Egress; readonly connections: Connections; readonly mediaStore: MediaStore; readonly mediaLinks: MediaLinks; readonly now: () => Date };

/** What the client of a connector may use for one connection. */
export function createClientContext(connection: ConnectionWithSecrets, deps: ClientContextDeps): ClientContext {
  return {
    connection,
    egress: deps.egress,
    accessToken: (refused) => deps.connections.loadToken(connection.connectionId, refused),
    loadMedia: ({ mediaKey, url }) => {
      if (mediaKey !== undefined) return deps.mediaStore.load(mediaKey);
      if (url !== undefined) return download(url, deps.egress);
      throw hubError('media.not_found', { publicMessage: 'The message has no file: it could not be fetched from the provider it came from.' });
    },
    mediaUrl: ({ mediaKey, url, mimeType, fileName }) => {
      if (mediaKey !== undefined) return deps.mediaLinks.urlOf({ mediaKey, mimeType, fileName });
      if (url !== undefined) return url;
      throw hubError('media.not_found', { publicMessage: 'The message has no file: it could not be fetched from the provider it came from.' });
    },
    now: deps.now,
  };
}

async function download(url: string, egress: Egress): Promise<Buffer> {
  const reply = await egress.request({ method: 'GET', url, timeoutMs: 60_000, responseMaxBytes: mediaBytesMax });
  if (reply.status === 200) return reply.body;
  const retry = reply.status >= 500 || reply.status === 429 ? 'later' : 'never';
  throw hubError('media.unavailable', { publicMessage: `The address of the file answered ${reply.status}.`, retry, detail: { sent: false } });
}
