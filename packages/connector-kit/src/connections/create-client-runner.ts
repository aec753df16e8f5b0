import { hubError, isHubError, type ConnectionWithSecrets, type HubError } from '@switchboard/contracts';
import { withoutSecrets } from '@switchboard/secrets';
import type { Egress } from '@switchboard/service-kit';
import type { FileRoom } from '../media/create-file-room.ts';
import type { MediaLinks } from '../media/create-media-links.ts';
import { loadWithRoom, mediaBytesMax } from '../media/load-with-room.ts';
import type { MediaStore } from '../media/media-store.ts';
import type { ClientContext, ClientErrorDetail, PartMedia } from '../port.ts';
import type { Connections } from './create-connections.ts';

export type ClientRunnerDeps = {
  readonly egress: Egress;
  readonly connections: Pick<Connections, 'loadToken'>;
  readonly mediaStore: MediaStore;
  readonly mediaLinks: MediaLinks;
  readonly fileRoom: FileRoom;
  readonly now: () => Date;
};

/**
 * Runs calls of a connector's client for one connection. What they throw has lost the connection's secrets: providers quote what they were
 * sent, and an error's words reach the tenant, the agents and the log. Files that were loaded for the call count as in memory until it ends.
 */
export type RunClient = <T>(connection: ConnectionWithSecrets, call: (context: ClientContext) => Promise<T>, fileBytesMax?: number) => Promise<T>;

export function createClientRunner(deps: ClientRunnerDeps): RunClient {
  return async (connection, call, fileBytesMax = mediaBytesMax) => {
    const secrets: Record<string, string> = { ...connection.credentials };
    const releases: (() => void)[] = [];
    const context: ClientContext = {
      connection,
      egress: deps.egress,
      fileBytesMax,
      async accessToken(refused) {
        const token = await loadToken(connection, deps, refused);
        secrets[`token ${token.fingerprint}`] = token.accessToken;
        return token;
      },
      async loadMedia(media) {
        const { value, release } = await loadWithRoom(deps.fileRoom, undefined, (bytesMax) => loadFile(media, bytesMax, deps));
        releases.push(release);
        return value;
      },
      mediaUrl({ mediaKey, url, mimeType, fileName }) {
        if (mediaKey !== undefined) return deps.mediaLinks.urlOf({ mediaKey, mimeType, fileName });
        if (url !== undefined) return url;
        throw noFile();
      },
      now: deps.now,
    };
    try {
      return await call(context);
    } catch (error) {
      throw isHubError(error) ? cleaned(error, secrets) : error;
    } finally {
      for (const release of releases) release();
    }
  };
}

/** Whom auth-service gets no token for is refused as an account, whatever is to be sent. */
async function loadToken({ connectionId }: ConnectionWithSecrets, { connections }: ClientRunnerDeps, refused: { readonly fingerprint: string } | undefined) {
  try {
    return await connections.loadToken(connectionId, refused);
  } catch (error) {
    if (!isHubError(error) || (error.code !== 'provider.unauthorized' && error.code !== 'provider.forbidden')) throw error;
    throw withDetail(error, { scope: 'account', sent: false });
  }
}

/** Whatever goes wrong with the file: the message itself was not sent yet, although a request for the file was. */
async function loadFile(media: Pick<PartMedia, 'mediaKey' | 'url'>, bytesMax: number, { mediaStore, egress }: ClientRunnerDeps): Promise<Buffer> {
  try {
    if (media.mediaKey !== undefined) return await mediaStore.load(media.mediaKey, bytesMax);
    if (media.url !== undefined) return await download(media.url, bytesMax, egress);
    throw noFile();
  } catch (error) {
    if (!isHubError(error)) throw error;
    throw withDetail(error, { sent: false });
  }
}

async function download(url: string, bytesMax: number, egress: Egress): Promise<Buffer> {
  const reply = await egress.request({ method: 'GET', url, timeoutMs: 60_000, responseMaxBytes: bytesMax });
  if (reply.status === 200) return reply.body;
  const retry = reply.status >= 500 || reply.status === 429 ? 'later' : 'never';
  throw hubError('media.unavailable', { publicMessage: `The address of the file answered ${reply.status}.`, retry });
}

function noFile(): HubError {
  return hubError('media.not_found', { publicMessage: 'The message has no file: it could not be fetched from the provider it came from.' });
}

function cleaned(error: HubError, secrets: Readonly<Record<string, string>>): HubError {
  const publicMessage = withoutSecrets(error.publicMessage, secrets);
  const entries = Object.entries(error.detail).map(([name, value]) => [name, typeof value === 'string' ? withoutSecrets(value, secrets) : value] as const);
  if (publicMessage === error.publicMessage && entries.every(([name, value]) => value === error.detail[name])) return error;
  // Without the error itself as cause: the log shows causes.
  return hubError(error.code, { publicMessage, retry: error.retry, issues: error.issues, detail: Object.fromEntries(entries), cause: error.cause });
}

function withDetail(error: HubError, detail: ClientErrorDetail): HubError {
  return hubError(error.code, { publicMessage: error.publicMessage, retry: error.retry, detail: { ...error.detail, ...detail }, cause: error.cause });
}
