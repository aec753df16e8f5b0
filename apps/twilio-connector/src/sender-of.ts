import { channelOf, type TwilioAccount } from './account-of.ts';

/** What messages to this address are sent from, as `renderMessage` does: SMS by the messaging service, WhatsApp from the number, where there are both. Pure. */
export function senderOf({ messagingServiceSid, phoneNumber }: TwilioAccount, address: string): string {
  const [first, second] = channelOf(address) === 'whatsapp' ? [phoneNumber, messagingServiceSid] : [messagingServiceSid, phoneNumber];
  return first ?? second ?? '';
}

/**
 * What a contact has written to: the sender of the answers, but where the message came to a number that nobody connected, and the connection has it only
 * because it is of the subaccount. `attributes` are those of the inbound message. Pure.
 */
export function senderWrittenTo(account: TwilioAccount, address: string, attributes: Readonly<Record<string, string>>): string {
  const { messagingServiceSid, phoneNumber } = account;
  const number = attributes['to']?.replace(/^whatsapp:/, '');
  if (number === undefined || number === phoneNumber) return senderOf(account, address);
  if (messagingServiceSid === undefined) return number;
  const service = attributes['messagingServiceSid'];
  const isOfService = service === messagingServiceSid || (service === undefined && phoneNumber === undefined);
  return isOfService ? senderOf(account, address) : number;
}
