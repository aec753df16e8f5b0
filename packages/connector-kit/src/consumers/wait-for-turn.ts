import { hubError, type ConnectionWithSecrets, type HubError, type MessageSend } from '@switchboard/contracts';
import type { Pace } from '../domain/create-pace.ts';
import type { ConnectorDeps } from './connector-deps.ts';

/** When a provider throttles without saying for how long. */
const pauseDefaultMs = 1_000;

/**
 * Waits until the contact and the connection may be called. Throws `provider.throttled` when that is so far away that the bus should come
 * back; nobody's place is used up then, nor an attempt of the message, which was not tried.
 */
export async function waitForTurn(command: MessageSend, connection: Pick<ConnectionWithSecrets, 'settings'>, deps: ConnectorDeps, waitMaxMs?: number): Promise<void> {
  const pair = pairOf(command);
  await sleepUntil(deps.pairPace.take(pair, { waitMaxMs }), deps);
  const turn = deps.pace.take(command.connectionId, { perMinute: callsPerMinuteOf(connection), waitMaxMs });
  if (turn.kind === 'too_long') deps.pairPace.giveBack(pair);
  await sleepUntil(turn, deps);
}

/** What the provider grants this account, where its tenant has told; undefined for the connector's own rate. */
function callsPerMinuteOf({ settings }: Pick<ConnectionWithSecrets, 'settings'>): number | undefined {
  const calls = Number(settings['callsPerMinute']);
  return calls > 0 ? calls : undefined;
}

async function sleepUntil(turn: ReturnType<Pace['take']>, deps: ConnectorDeps): Promise<void> {
  if (turn.kind === 'too_long') throw hubError('provider.throttled', { retry: { afterMs: turn.retryAfterMs, counted: false }, detail: { sent: false, by: 'own pace' } });
  if (turn.waitMs > 0) await deps.sleep(turn.waitMs);
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
