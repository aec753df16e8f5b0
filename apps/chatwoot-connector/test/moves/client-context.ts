import type { ClientContext } from '@switchboard/connector-kit';
import { hubError, type ConnectionWithSecrets } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';

/** What a call of the client runs with, without tokens and files, which these tests do not send. */
export function createClientContext(connection: ConnectionWithSecrets, egress: Egress): ClientContext {
  return {
    connection,
    egress,
    accessToken: () => Promise.reject(hubError('internal')),
    loadMedia: () => Promise.reject(hubError('media.not_found')),
    mediaUrl: () => '',
    fileBytesMax: 1_000_000,
    now: () => new Date(),
  };
}
