import type { ConnectorHooks, InboundEvent } from '@switchboard/connector-kit';
import type { ConnectionId } from '@switchboard/contracts';
import { accountOf } from '../account-of.ts';
import type { Origins } from '../origins.ts';
import { itemIdOf, type UsageItems } from '../store/usage-items.ts';
import { inboundItems } from './inbound-items.ts';
import { sentItem } from './sent-item.ts';

type InboundStatus = Extract<InboundEvent, { kind: 'status' }>;

/** Milliseconds after which a message that has not been heard of is asked for. Webhooks come within minutes, of a phone that is on. */
export const firstLookMs = 60 * 60_000;

export type UsageDeps = { readonly items: UsageItems; readonly origins: Origins; readonly now: () => Date };

/** Counts what is received and sent, each thing once, in the transaction that publishes it. Goes before whoever takes steps out of the row. */
export function createUsageHooks({ items, origins, now }: UsageDeps): Pick<Required<ConnectorHooks>, 'beforeSend' | 'onSettled' | 'onInbound'> {
  return {
    async beforeSend({ payload: command }, connection) {
      origins.note(connection);
      return { kind: 'send', command };
    },
    // Also of what failed in the end: of three parts two may be at Twilio.
    async onSettled({ payload: { messageId, connectionId } }) {
      const account = origins.of(connectionId);
      // Given up by a process that never sent it.
      if (account === undefined) return;
      const at = now();
      const lookAt = new Date(at.getTime() + firstLookMs);
      const parts = await items.uncounted({ messageId, connectionId }, 'sent');
      await items.add({ connectionId, accountSid: account.accountSid }, parts.flatMap((part) => toItem(sentItem(messageId, part, at), part.sid === undefined ? {} : { lookAt })));
    },
    async onInbound(events, { connection }) {
      const origin = { connectionId: connection.connectionId, accountSid: accountOf(connection).accountSid };
      await items.add(origin, inboundItems(events));
      for (const event of events) if (event.kind === 'status') await countStatus(event, origin, items);
      return events;
    },
  };
}

function toItem<Item extends object, More extends object>(item: Item | undefined, more: More): (Item & More)[] {
  return item === undefined ? [] : [{ ...item, ...more }];
}

/** A status proves that Twilio has the message, also where the answer to the call was lost, or has not been read yet. */
async function countStatus({ messageId, part, providerMessageId, status, at }: InboundStatus, origin: { readonly connectionId: ConnectionId; readonly accountSid: string }, items: UsageItems): Promise<void> {
  const isOver = status === 'delivered' || status === 'read' || status === 'failed';
  const { connectionId } = origin;
  if (messageId !== undefined) {
    const when = new Date(at);
    const more = { ...(providerMessageId === undefined ? {} : { sid: providerMessageId }), ...(isOver ? {} : { lookAt: new Date(when.getTime() + firstLookMs) }) };
    const parts = await items.uncounted({ messageId, connectionId }, 'begun', part ?? 0);
    await items.add(origin, parts.flatMap((one) => toItem(sentItem(messageId, one, when), more)));
  }
  if (isOver) await items.settle(connectionId, { sid: providerMessageId, itemId: messageId === undefined ? undefined : itemIdOf(messageId, part ?? 0) });
}
