import type { ConnectionWithSecrets, HubError } from '@switchboard/contracts';
import { healthOfError } from '../health/health-of-error.ts';
import type { ConnectorDeps } from './connector-deps.ts';

type Deps = Pick<ConnectorDeps, 'health' | 'now'>;

/** The provider took something from the connection. */
export function noteSuccess({ tenantId, connectionId, provider }: ConnectionWithSecrets, { health, now }: Deps): void {
  health.note({ tenantId, connectionId, provider }, { lastSuccessAt: now().toISOString() });
}

/** Noted only where the error is one of the account. Its words have lost the connection's secrets already. */
export function noteError({ tenantId, connectionId, provider }: ConnectionWithSecrets, error: HubError, { health, now }: Deps): void {
  const seen = healthOfError(error, now().toISOString());
  if (seen !== undefined) health.note({ tenantId, connectionId, provider }, seen);
}
