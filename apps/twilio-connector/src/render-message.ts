import type { PublicConnection, Rendered, RenderedPart } from '@switchboard/connector-kit';
import type { MessageSend } from '@switchboard/contracts';
import { accountOf, channelOf, type TwilioAccount } from './account-of.ts';
import type { MessageBody } from './part.ts';
import { renderPieces } from './render-pieces.ts';

/**
 * A message as parameters of Twilio's Messages resource: by WhatsApp to `whatsapp:…`, by SMS or MMS to a number. Each part carries our message id,
 * which comes back in its statuses. Pure.
 */
export function renderMessage(command: MessageSend, connection: PublicConnection): Rendered {
  const { content, contact: { address: to }, messageId, replyToProviderMessageId: replyTo } = command;
  const account = accountOf(connection);
  const channel = channelOf(to);
  // The contact hears of a handoff from whoever answers next. Twilio marks messages as read with the typing indicator alone.
  if (content.kind === 'handoff' || content.kind === 'receipt') return { kind: 'nothing' };
  if (content.kind === 'typing') {
    const isShown = content.on && channel === 'whatsapp' && account.channels.has('whatsapp') && replyTo !== undefined;
    return isShown ? { kind: 'parts', parts: [{ body: { kind: 'typing', messageId: replyTo } }] } : { kind: 'nothing' };
  }
  if (channel === undefined) return impossible(to.startsWith('anonymous:') ? 'The caller showed no number, so there is nothing to answer to.' : `"${to}" is neither a phone number nor a WhatsApp address.`);
  if (!account.channels.has(channel)) return impossible(`${channel === 'sms' ? 'SMS is' : 'WhatsApp is'} not connected: add "${channel}" to the channels of this connection.`);
  const sender = senderOf(channel, account);
  if (sender === undefined) return impossible('This connection has neither a phone number nor a messaging service to send from.');

  const pieces = renderPieces(content, { channel, isMmsPossible: isMmsPossible(recipientOf(to), account) });
  if (!Array.isArray(pieces)) return impossible(pieces.reason);
  const parts = pieces.map(({ media, ...piece }, index): RenderedPart => {
    const body: MessageBody = { kind: 'message', to: recipientOf(to), ...sender, ...piece, ref: pieces.length === 1 ? messageId : `${messageId}.${index}` };
    return { body, ...(media === undefined ? {} : { media }) };
  });
  return { kind: 'parts', parts };
}

/** With `+`, where an address that a tenant gave has none. A short code has no country, and a WhatsApp user id no number. */
function recipientOf(address: string): string {
  return address.replace(/^(whatsapp:)?(\d{7,15})$/, '$1+$2');
}

/** SMS go out by the service, which has a pool of numbers; WhatsApp from the number that the contact has written to, which need not be in it. */
function senderOf(channel: 'whatsapp' | 'sms', { phoneNumber, messagingServiceSid }: TwilioAccount): Pick<MessageBody, 'from' | 'messagingServiceSid'> | undefined {
  if (messagingServiceSid !== undefined && (channel === 'sms' || phoneNumber === undefined)) return { messagingServiceSid };
  if (phoneNumber === undefined) return undefined;
  return { from: channel === 'whatsapp' ? `whatsapp:${phoneNumber}` : phoneNumber };
}

/** MMS are of the USA and Canada alone; elsewhere a file goes as a link. */
function isMmsPossible(to: string, { phoneNumber, messagingServiceSid }: TwilioAccount): boolean {
  return to.startsWith('+1') && (messagingServiceSid !== undefined || phoneNumber?.startsWith('+1') === true);
}

function impossible(message: string): Rendered {
  return { kind: 'impossible', error: { code: 'message.unsupported_content', message } };
}
