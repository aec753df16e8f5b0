import type { InboundEvent } from '@switchboard/connector-kit';
import { messageIdSchema, type DeliveryStatus } from '@switchboard/contracts';
import { deliveryErrorOf } from './read-twilio-error.ts';
import type { Form } from './wire.ts';

/** Twilio's words in the hub's: api/v2010 message_enum_status. */
const statuses: ReadonlyMap<string, DeliveryStatus> = new Map([
  ['accepted', 'queued'],
  ['scheduled', 'queued'],
  ['queued', 'queued'],
  ['sending', 'queued'],
  ['sent', 'sent'],
  // Some segments of an SMS, or some recipients of a group: more than sent, less than delivered.
  ['partially_delivered', 'sent'],
  ['delivered', 'delivered'],
  ['read', 'read'],
  ['undelivered', 'failed'],
  ['failed', 'failed'],
  ['canceled', 'failed'],
]);

/** A status callback: what became of a message of ours. Pure. */
export function parseStatus(form: Form, query: Form, receivedAt: string): InboundEvent {
  // Some channels say READ as the event beside a status that has not moved.
  const said = form['EventType']?.toLowerCase() === 'read' ? 'read' : (form['MessageStatus'] ?? form['SmsStatus'] ?? '').toLowerCase();
  const status = statuses.get(said);
  const { MessageSid: sid, To: to, ErrorCode: code, ChannelStatusMessage: words } = form;
  if (status === undefined || !sid) return { kind: 'ignored', reason: `status ${said}` };
  return {
    kind: 'status',
    providerMessageId: sid,
    ...echoOf(query['m']),
    ...(to ? { contactAddress: to } : {}),
    status,
    ...(status === 'failed' ? { error: said === 'canceled' && !code ? canceled : deliveryErrorOf(code || undefined, words) } : {}),
    at: receivedAt,
  };
}

const canceled = { code: 'provider.rejected', message: 'The message was canceled at Twilio before it was sent.' };

/** Our message id, with `.<part>` for a message of several parts, as we put it into the callback's address. */
function echoOf(echo: string | undefined): Pick<Extract<InboundEvent, { kind: 'status' }>, 'messageId' | 'part'> {
  const [id, part] = (echo ?? '').split('.');
  const messageId = messageIdSchema.safeParse(id);
  if (!messageId.success) return {};
  return part !== undefined && /^\d{1,4}$/.test(part) ? { messageId: messageId.data, part: Number(part) } : { messageId: messageId.data };
}
