import type { DeliveryError, DeliveryStatus, MessageContent } from '../../packages/contracts/src/index.ts';
import { textLengthMax } from '../../packages/contracts/src/index.ts';

/** A row of message_tracking with what its mapping says. */
export type OldMessage = {
  readonly key: string;
  readonly tenant: string | null;
  readonly waId: string | null;
  readonly phoneNumberId: string | null;
  /** Id at WhatsApp. */
  readonly channelMessageId: string | null;
  /** Id at Genesys. */
  readonly deskMessageId: string | null;
  readonly direction: string | null;
  readonly status: string | null;
  readonly createdAt: Date | null;
  readonly deliveredAt: Date | null;
  readonly text: string | null;
  readonly type: string | null;
  readonly mediaUrl: string | null;
  readonly metadata: unknown;
  /** Counts the rows that name the same message at the side it came from, from 1. */
  readonly repetition: number;
};

/** What became of the message at the side it was for; undefined where the old row says nothing of it. */
export type ReadDelivery = { readonly status: DeliveryStatus; readonly error: DeliveryError | null; readonly at: Date; readonly providerMessageId: string | null };

export type ReadMessage = {
  readonly inbound: boolean;
  /** Its id at the side it came from. */
  readonly originMessageId: string | null;
  readonly content: MessageContent;
  readonly sentAt: Date;
  readonly delivery: ReadDelivery | undefined;
};

/** An old row in our words, or why it is none. What the row does not say is not made up. */
export function toMessage(row: OldMessage): ReadMessage | { readonly fault: string } {
  const direction = row.direction?.toLowerCase() ?? '';
  const inbound = direction.startsWith('in');
  if (!inbound && !direction.startsWith('out')) return { fault: `its direction is "${row.direction ?? ''}", neither inbound nor outbound` };
  if (row.createdAt === null) return { fault: 'it has no time' };
  if (row.waId === null || row.waId.trim() === '') return { fault: 'its conversation is not in conversation_mappings' };
  const target = inbound ? row.deskMessageId : row.channelMessageId;
  return { inbound, originMessageId: inbound ? row.channelMessageId : row.deskMessageId, content: contentOf(row), sentAt: row.createdAt, delivery: deliveryOf(row, row.createdAt, inbound, target) };
}

/** The published tables keep no texts: such a message is shown as one that cannot be read, with all that is known of it. */
function contentOf({ text, type, mediaUrl, metadata }: OldMessage): MessageContent {
  if (text !== null && text !== '') return { kind: 'text', text: text.slice(0, textLengthMax) };
  const raw = Object.fromEntries(Object.entries({ type, mediaUrl, metadata }).filter(([, value]) => value !== null && value !== undefined));
  return { kind: 'unsupported', providerType: type ?? 'unknown', reason: 'The installation this message was imported from kept no text of it.', raw };
}

function deliveryOf({ status, deliveredAt }: OldMessage, createdAt: Date, inbound: boolean, providerMessageId: string | null): ReadDelivery | undefined {
  const at = deliveredAt ?? createdAt;
  const said = (delivery: DeliveryStatus, error: DeliveryError | null = null): ReadDelivery => ({ status: delivery, error, at, providerMessageId });
  switch (status?.toLowerCase()) {
    case 'read':
    case 'delivered':
    case 'sent':
      // "read" and "delivered" are WhatsApp's words about an outbound message.
      return inbound ? said('sent') : said(status.toLowerCase() === 'read' ? 'read' : status.toLowerCase() === 'delivered' ? 'delivered' : 'sent');
    case 'failed':
    case 'error':
    case 'undelivered':
      return said('failed', { code: 'provider.rejected', message: 'The installation this message was imported from had it as failed.' });
    default:
      if (providerMessageId !== null) return said('sent');
      // Inbound and never passed on, as far as the row says.
      if (inbound) return undefined;
      // It will not be sent from here: nobody may believe that it waits.
      return said('failed', { code: 'delivery.outcome_unknown', message: 'The installation this message was imported from did not say what became of it.' });
  }
}
