import type { ClientContext } from '@switchboard/connector-kit';
import { hubError, type ConnectionWithSecrets } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';
import { describedOnly } from '../request-schemas.ts';

/** What a call of the client runs with, without tokens and files, which these tests do not send. What Chatwoot's API does not describe is not sent at all. */
export function createClientContext(connection: ConnectionWithSecrets, egress: Egress): ClientContext {
  return {
    connection,
    egress: describedOnly(egress),
    accessToken: () => Promise.reject(hubError('internal')),
    loadMedia: () => Promise.reject(hubError('media.not_found')),
    mediaUrl: () => '',
    fileBytesMax: 1_000_000,
    now: () => new Date(),
  };
}
