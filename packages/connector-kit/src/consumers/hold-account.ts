import { hubError, isHubError, type Envelope, type HubError, type MessageSend } from '@switchboard/contracts';
import type { ConnectorDeps } from './connector-deps.ts';

/** Somebody must act at the provider or post new credentials: not sooner than a minute, and within ten once it is done. */
const holdMsMin = 60_000;
const holdMsMax = 10 * 60_000;

/**
 * The account is refused, not this message: what to throw, so that the message waits until somebody has mended it. The wait grows with the
 * message's age, and uses up no attempt. Undefined for every other error.
 */
export function holdAccount(error: unknown, event: Envelope, deps: ConnectorDeps): HubError | undefined {
  if (!isHubError(error) || error.detail['scope'] !== 'account') return undefined;
  // The cast is safe: the caller's event is a message.send.
  const { messageId, connectionId } = event.payload as MessageSend;
  const afterMs = holdMsOf(deps.now().getTime() - Date.parse(event.occurredAt));
  deps.metrics.held(error.code);
  deps.log.warn({ messageId, connectionId, code: error.code, reason: error.publicMessage, afterMs }, 'the provider refuses the account; its messages wait until that is mended');
  return hubError(error.code, { publicMessage: error.publicMessage, detail: error.detail, retry: { afterMs, counted: false }, cause: error });
}

function holdMsOf(ageMs: number): number {
  return Math.round(Math.min(holdMsMax, Math.max(holdMsMin, ageMs / 4)));
}
