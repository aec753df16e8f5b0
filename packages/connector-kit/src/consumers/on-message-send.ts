import { isSignal, type DeliveryStatus, type Envelope, type MessageSend } from '@switchboard/contracts';
import { onEvent, type Subscription } from '@switchboard/event-bus';
import { deriveEventId } from '../domain/derive-event-id.ts';
import type { ConnectorDefinition } from '../port.ts';
import type { ConnectorDeps } from './connector-deps.ts';
import { deliverMessage, type DeliveryOutcome } from './deliver-message.ts';
import { sendSignal } from './send-signal.ts';

/** Hands a message to the provider and reports what became of it: one transaction stores the outcome, the inbox record and `message.status`. */
export function onMessageSend(definition: ConnectorDefinition, deps: ConnectorDeps): Subscription {
  return onEvent({
    type: `message.send.${definition.provider}`,
    group: deps.name,
    effect: 'external',
    async handle(event: Envelope<`message.send.${ConnectorDefinition['provider']}`>, context) {
      if (isSignal(event.payload.content)) {
        await sendSignal(event, definition, deps);
        await context.commit(async () => {});
        return;
      }
      const outcome = await deliverMessage(event.payload, definition, deps);
      await context.commit(async () => {
        await storeOutcome(event.payload, outcome, deps);
        await publishOutcome(event, outcome, definition, deps);
      });
    },
  });
}

async function storeOutcome({ messageId }: MessageSend, outcome: DeliveryOutcome, deps: ConnectorDeps): Promise<void> {
  if (outcome.kind === 'nothing' || outcome.part === undefined) return;
  if (outcome.kind === 'sent') await deps.deliveries.settleSent(messageId, outcome.part, outcome.delivered);
  else await deps.deliveries.settleFailed(messageId, outcome.part, outcome.state, outcome.error);
}

async function publishOutcome(event: Envelope, outcome: DeliveryOutcome, definition: ConnectorDefinition, deps: ConnectorDeps): Promise<void> {
  if (outcome.kind === 'nothing') return;
  // The cast is safe: the caller's event is of this type.
  const { messageId, connectionId } = event.payload as MessageSend;
  const status: DeliveryStatus = outcome.kind === 'sent' ? (outcome.message.status ?? 'sent') : 'failed';
  await deps.bus.publish(
    'message.status',
    {
      connectionId,
      provider: definition.provider,
      messageId,
      ...(outcome.kind === 'sent'
        ? { providerMessageId: outcome.message.providerMessageId, providerConversationId: outcome.message.providerConversationId }
        : { error: outcome.error }),
      status,
      at: deps.now().toISOString(),
    },
    { orderingKey: event.orderingKey, eventId: deriveEventId(event.eventId, 'status') },
  );
}
