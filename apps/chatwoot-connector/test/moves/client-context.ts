import type { ClientContext } from '@switchboard/connector-kit';
import { hubError, type ConnectionWithSecrets } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';
import { findRequestFault } from '../request-schemas.ts';

/** What a call of the client runs with, without tokens and files, which these tests do not send. What Chatwoot's API does not describe is not sent at all. */
export function createClientContext(connection: ConnectionWithSecrets, egress: Egress): ClientContext {
  return {
    connection,
    egress: { ...egress, request: (request) => described(request, egress) },
    accessToken: () => Promise.reject(hubError('internal')),
    loadMedia: () => Promise.reject(hubError('media.not_found')),
    mediaUrl: () => '',
    fileBytesMax: 1_000_000,
    now: () => new Date(),
  };
}

async function described(request: Parameters<Egress['request']>[0], egress: Egress): ReturnType<Egress['request']> {
  const fault = await findRequestFault(request);
  if (fault !== undefined) throw new Error(`${request.method} ${request.url}: ${fault}`);
  return egress.request(request);
}
