import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { ProviderTokens } from '../domain/create-provider-tokens.ts';

/** New credentials make old tokens, and old refusals, worthless. Every process drops its own. */
export function onConnectionChanged(group: string, tokens: ProviderTokens): Subscription {
  return onEvent({
    type: 'connection.changed',
    group,
    effect: 'idempotent',
    delivery: 'broadcast',
    async handle({ payload }) {
      tokens.drop(payload.connectionId);
    },
  });
}
