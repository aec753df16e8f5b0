import type { PublicConnection } from '@switchboard/connector-kit';
import type { ConnectionId } from '@switchboard/contracts';
import { accountOf, type TwilioAccount } from './account-of.ts';

/** What messages of a connection are sent from: told before each sending, asked when it is settled, a moment later in the same process. */
export interface Origins {
  note(connection: PublicConnection & { readonly connectionId: ConnectionId }): void;
  of(connectionId: ConnectionId): TwilioAccount | undefined;
}

/** Connections, some hundred bytes each. */
const originsMax = 20_000;

export function createOrigins(): Origins {
  const origins = new Map<ConnectionId, TwilioAccount>();
  return {
    note(connection) {
      // The ones that were not noted for longest go first.
      origins.delete(connection.connectionId);
      origins.set(connection.connectionId, accountOf(connection));
      const [oldest] = origins.keys();
      if (origins.size > originsMax && oldest !== undefined) origins.delete(oldest);
    },
    of: (connectionId) => origins.get(connectionId),
  };
}
