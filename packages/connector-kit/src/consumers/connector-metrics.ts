import type { ErrorCode, ProviderId } from '@switchboard/contracts';
import { Counter, type Registry } from 'prom-client';

export interface ConnectorMetrics {
  /** A message was put off because the provider refuses the account. */
  held(code: ErrorCode): void;
}

export function createConnectorMetrics(provider: ProviderId, registry: Registry): ConnectorMetrics {
  const held = new Counter({ name: 'connector_messages_held_total', help: 'Times that a message was put off because the provider refuses the account', labelNames: ['provider', 'code'], registers: [registry] });
  return { held: (code) => held.inc({ provider, code }) };
}
