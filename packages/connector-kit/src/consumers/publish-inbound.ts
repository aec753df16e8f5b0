import type { ConnectionWithSecrets, EventId } from '@switchboard/contracts';
import type { EventBus } from '@switchboard/event-bus';
import { deriveEventId } from '../domain/derive-event-id.ts';
import { toStorable } from '../domain/to-storable.ts';
import type { InboundEvent } from '../port.ts';
import { isSaid, toInboundPayload, type Publication } from './to-inbound-payload.ts';

type Source = { readonly cause: EventId; readonly name: string; readonly connection: Pick<ConnectionWithSecrets, 'connectionId' | 'provider' | 'role'> };

/** Publishes what a provider's side said, in the open transaction, under ids made from `cause` and `name`: the same things said twice are published once. */
export async function publishInbound(events: readonly InboundEvent[], { cause, name, connection }: Source, bus: Pick<EventBus, 'publish'>): Promise<void> {
  for (const [index, event] of events.map(toStorable).entries()) {
    if (isSaid(event)) await publish(toInboundPayload(event, connection), deriveEventId(cause, `${name}${index}`), bus);
  }
}

export async function publish({ type, payload, orderingKey }: Publication, eventId: EventId, bus: Pick<EventBus, 'publish'>): Promise<void> {
  // The cast is safe: `payload` was made for `type`, and publish parses it again.
  await bus.publish(type, payload as never, { orderingKey, eventId });
}
