import { hubError, isSignal, type DeliveryError, type DeliveryStatus, type Envelope, type MessageSend } from '@switchboard/contracts';
import { onEvent, type FailureReason, type Subscription } from '@switchboard/event-bus';
import { deriveEventId } from '../domain/derive-event-id.ts';
import type { ConnectorDefinition, Delivered } from '../port.ts';
import type { ConnectorDeps } from './connector-deps.ts';
import { publishInbound } from './publish-inbound.ts';
import { deliverMessage, deliveryErrorOf, type DeliveryOutcome } from './deliver-message.ts';
import { sendSignal } from './send-signal.ts';

type SendEvent = Envelope<`message.send.${ConnectorDefinition['provider']}`>;

/** Hands a message to the provider and reports what became of it: one transaction stores the outcome, the inbox record and `message.status`. */
export function onMessageSend(definition: ConnectorDefinition, deps: ConnectorDeps): Subscription {
  return onEvent({
    type: `message.send.${definition.provider}`,
    group: deps.name,
    effect: 'external',
    async handle(event: SendEvent, context) {
      if (isSignal(event.payload.content)) {
        await sendSignal(event, definition, deps);
        await context.commit(async () => {});
        return;
      }
      const outcome = await deliverMessage(event, definition, deps);
      let isFirst = false;
      await context.commit(async () => {
        isFirst = true;
        await storeOutcome(event.payload, outcome, deps);
        await publishOutcome(event, outcome, definition, deps);
        if (outcome.kind !== 'nothing') await deps.hooks.onSettled?.(event, outcome.kind, outcome.kind === 'failed' ? outcome.error : undefined);
      });
      if (!isFirst) await storeLateSuccess(event, outcome, definition, deps);
    },
    async giveUp(event: SendEvent, reason) {
      if (isSignal(event.payload.content)) return;
      await deps.hooks.onSettled?.(event, 'failed');
      const parts = await deps.deliveries.find(event.payload);
      // Begun and never settled: it may have arrived, which "given up" would deny.
      // Where it is the connection's to say, the connection may be gone: nobody knows then.
      const isUnknown = definition.sendIsIdempotent !== true && parts.some(({ state }) => state === 'claimed' || state === 'unknown');
      const error = isUnknown ? deliveryErrorOf(hubError('delivery.outcome_unknown')) : givenUp(reason);
      await publishStatus(event, { status: 'failed', error, cause: 'given up' }, definition, deps);
    },
  });
}

async function storeOutcome(command: MessageSend, outcome: DeliveryOutcome, deps: ConnectorDeps): Promise<void> {
  if (outcome.kind === 'nothing' || outcome.part === undefined) return;
  if (outcome.kind === 'sent') await deps.deliveries.settleSent(command, outcome.part, outcome.delivered);
  else await deps.deliveries.settleFailed(command, outcome.part, outcome.state, outcome.error);
}

async function publishOutcome(event: SendEvent, outcome: DeliveryOutcome, definition: ConnectorDefinition, deps: ConnectorDeps): Promise<void> {
  if (outcome.kind === 'nothing') return;
  if (outcome.kind === 'failed') await publishStatus(event, { status: 'failed', error: outcome.error, cause: 'status' }, definition, deps);
  else {
    await publishSent(event, outcome.message, 'status', definition, deps);
    await publishAnswer(event, outcome, deps);
  }
}

/** What the other side answered at once. Of a message of several parts the answer to the last one: a bot is asked in one part. */
async function publishAnswer({ eventId }: SendEvent, { delivered: { inbound }, connection }: Extract<DeliveryOutcome, { kind: 'sent' }>, { bus, hooks }: ConnectorDeps): Promise<void> {
  if (inbound === undefined || connection === undefined) return;
  const kept = (await hooks.onInbound?.(inbound, { cause: eventId, connection })) ?? inbound;
  await publishInbound(kept, { cause: eventId, name: 'answer', connection }, bus);
}

/**
 * Another process took over the event while this one's call was under way, found the claim and settled "unknown". This one knows better:
 * the provider has the message. The status is an event of its own, beside the one that said otherwise.
 */
async function storeLateSuccess(event: SendEvent, outcome: DeliveryOutcome, definition: ConnectorDefinition, deps: ConnectorDeps): Promise<void> {
  if (outcome.kind !== 'sent' || outcome.part === undefined) return;
  const { part, delivered, message } = outcome;
  await deps.db.transaction(async () => {
    if (await deps.deliveries.settleSent(event.payload, part, delivered)) await publishSent(event, message, 'sent after all', definition, deps);
  });
}

async function publishSent(event: SendEvent, { status = 'sent', providerMessageId, providerConversationId }: Delivered, cause: string, definition: ConnectorDefinition, deps: ConnectorDeps): Promise<void> {
  await publishStatus(event, { status, providerMessageId, providerConversationId, cause }, definition, deps);
}

/** `cause` names the event among those that this command may lead to: its id is made from both. */
type Status = { readonly status: DeliveryStatus; readonly error?: DeliveryError; readonly providerMessageId?: string; readonly providerConversationId?: string; readonly cause: string };

async function publishStatus(event: SendEvent, { cause, ...status }: Status, definition: ConnectorDefinition, deps: ConnectorDeps): Promise<void> {
  const { messageId, connectionId, content } = event.payload;
  // No message of a thread: nobody waits for its status.
  if (content.kind === 'handoff') return;
  await deps.bus.publish(
    'message.status',
    { connectionId, provider: definition.provider, messageId, ...status, at: deps.now().toISOString() },
    { orderingKey: event.orderingKey, eventId: deriveEventId(event.eventId, cause) },
  );
}

/** The words of a defect stay in the house. */
function givenUp({ code, message }: FailureReason): DeliveryError {
  const error = deliveryErrorOf(hubError('delivery.given_up'));
  return code === 'internal' ? error : { ...error, message: `${error.message} The last error: ${message}` };
}
