import type { PublicConnection } from '@switchboard/connector-kit';

/** What a connection sends from: its messaging service, whichever number of the pool that takes, else its number. */
export function senderOf({ settings, routingIdentifiers }: Pick<PublicConnection, 'settings' | 'routingIdentifiers'>): string {
  // `<account SID>/<number or service>`
  return settings['messagingServiceSid'] ?? settings['phoneNumber'] ?? routingIdentifiers['sender']?.split('/')[1] ?? '';
}

/** The subaccount of a connection. */
export function accountSidOf({ settings, routingIdentifiers }: Pick<PublicConnection, 'settings' | 'routingIdentifiers'>): string {
  return settings['accountSid'] ?? routingIdentifiers['accountSid'] ?? '';
}

/** `whatsapp:+55…` and `whatsapp:US.1234` are WhatsApp's, everything else is a telephone's. */
export function channelOf(address: string): 'sms' | 'whatsapp' {
  return address.startsWith('whatsapp:') ? 'whatsapp' : 'sms';
}
