import type { EventBus } from '@switchboard/event-bus';
import type { Egress } from '@switchboard/service-kit';
import type { Config } from '../config.ts';
import type { Audit } from '../store/audit.ts';
import type { TenantDatabase } from '../store/client.ts';
import type { ConnectionStore } from '../store/connections.ts';
import type { IdentifierStore } from '../store/identifiers.ts';
import type { PlatformConnectionStore } from '../store/platform-connections.ts';
import type { PreviousSecretStore } from '../store/previous-secrets.ts';
import type { RouteStore } from '../store/routes.ts';
import type { TenantStore } from '../store/tenants.ts';
import type { createTurns } from './create-turns.ts';

/** What connecting accounts works with. */
export type AccountDependencies = {
  readonly db: TenantDatabase;
  readonly bus: EventBus;
  readonly egress: Egress;
  readonly config: Config;
  readonly tenants: TenantStore;
  readonly connections: ConnectionStore;
  readonly identifiers: IdentifierStore;
  readonly platformConnections: PlatformConnectionStore;
  readonly previousSecrets: PreviousSecretStore;
  readonly routes: RouteStore;
  readonly audit: Audit;
  /** Two checks of one connection at once would each make at the provider what they do not find there yet. */
  readonly takeTurn: ReturnType<typeof createTurns>;
  readonly now: () => Date;
};
