import { onEvent } from '@switchboard/event-bus';
import type { CallerLookup } from '../caller-lookup.ts';

/** Every gateway forgets a key that was made or revoked: a revoked one must not live on in any of them. */
export function onApiKeyChanged(callers: Pick<CallerLookup, 'forgetKey'>) {
  return onEvent({
    type: 'api_key.changed',
    group: 'api-gateway',
    effect: 'idempotent',
    delivery: 'broadcast',
    handle: async ({ payload }) => callers.forgetKey(payload.keyId),
  });
}
