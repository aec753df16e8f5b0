import { hubError, type HubError, type MessageSend } from '@switchboard/contracts';
import type { ConnectorDeps } from './connector-deps.ts';

/** When a provider throttles without saying for how long. */
const pauseDefaultMs = 1_000;

/** Waits until the connection and the contact may be called. Throws `provider.throttled` when that is so far away that the bus should come back. */
export async function waitForTurn(command: MessageSend, deps: ConnectorDeps, waitMaxMs?: number): Promise<void> {
  for (const turn of [deps.pairPace.take(pairOf(command), waitMaxMs), deps.pace.take(command.connectionId, waitMaxMs)]) {
    if (turn.kind === 'too_long') throw hubError('provider.throttled', { retry: { afterMs: turn.retryAfterMs }, detail: { sent: false, by: 'own pace' } });
    if (turn.waitMs > 0) await deps.sleep(turn.waitMs);
  }
}

/** Remembers that the provider throttled: what it holds back waits here instead of being refused there. */
export function holdBack(error: HubError, command: MessageSend, deps: ConnectorDeps): void {
  if (error.code !== 'provider.throttled' || error.detail['by'] === 'own pace') return;
  const afterMs = typeof error.retry === 'object' ? error.retry.afterMs : pauseDefaultMs;
  if (error.detail['scope'] === 'pair') deps.pairPace.pause(pairOf(command), afterMs);
  else deps.pace.pause(command.connectionId, afterMs);
}

function pairOf(command: MessageSend): string {
  return `${command.connectionId}:${command.contact.address}`;
}
