import { isHubError, type Envelope, type MessageSend } from '@switchboard/contracts';
import type { ConnectorDefinition } from '../port.ts';
import type { ConnectorDeps } from './connector-deps.ts';
import { holdAccount } from './hold-account.ts';
import { holdBack, waitForTurn } from './wait-for-turn.ts';

/** A typing signal older than this says nothing any more; WhatsApp shows one for 25 s. */
const typingLifeMs = 20_000;

/**
 * Sends a typing signal or a receipt. Signals are not messages: no claim, no status, and twice does no harm. Typing gives way under any
 * pressure; a receipt is repeated while the provider says "later".
 */
export async function sendSignal(event: Envelope, definition: ConnectorDefinition, deps: ConnectorDeps): Promise<void> {
  // The cast is safe: the caller's event is a message.send.
  const command = event.payload as MessageSend;
  const isTyping = command.content.kind === 'typing';
  if (isTyping && deps.now().getTime() - Date.parse(event.occurredAt) > typingLifeMs) return;
  try {
    const connection = await deps.connections.load(command.connectionId);
    const rendered = definition.renderMessage(command, connection);
    if (connection.status !== 'active' || rendered.kind !== 'parts') return;
    for (const part of rendered.parts) {
      await waitForTurn(command, connection, deps, isTyping ? 0 : undefined);
      await deps.runClient(connection, (context) => definition.client.send(part, context));
    }
  } catch (error) {
    if (!isHubError(error)) throw error;
    holdBack(error, command, deps);
    const hold = isTyping ? undefined : holdAccount(error, event, deps);
    if (hold !== undefined) throw hold;
    if (!isTyping && error.retry !== 'never') throw error;
    deps.log.warn({ messageId: command.messageId, connectionId: command.connectionId, kind: command.content.kind, code: error.code }, 'signal was not sent');
  }
}
