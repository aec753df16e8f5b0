import type { PublicConnection } from '@switchboard/connector-kit';

/** What a connection sends from. */
export type TwilioAccount = {
  readonly accountSid: string;
  readonly phoneNumber: string | undefined;
  readonly messagingServiceSid: string | undefined;
  /** What of `whatsapp`, `sms`, `voice` is connected. */
  readonly channels: ReadonlySet<string>;
};

/** The account of a connection by its settings, else by its routing identifiers (`sender`, `service`: `<account>/<number or service>`). Pure. */
export function accountOf({ settings, routingIdentifiers }: Pick<PublicConnection, 'settings' | 'routingIdentifiers'>): TwilioAccount {
  const named = [routingIdentifiers['sender'], routingIdentifiers['service']].flatMap((identifier) => identifier?.split('/')[1] ?? []);
  const channels = (settings['channels'] ?? '').split(',').map((channel) => channel.trim().replaceAll(/[[\]"]/g, '')).filter(Boolean);
  return {
    accountSid: routingIdentifiers['accountSid'] ?? settings['accountSid'] ?? routingIdentifiers['account'] ?? '',
    phoneNumber: settings['phoneNumber'] ?? named.find((name) => name.startsWith('+')),
    messagingServiceSid: settings['messagingServiceSid'] ?? named.find((name) => name.startsWith('MG')),
    // As in the form: SMS when nothing is said.
    channels: new Set(channels.length === 0 ? ['sms'] : channels),
  };
}

/** Which of the contact's ways an address is: `whatsapp:…`, a number (`sms`), or none that messages go to (a caller without a number). */
export function channelOf(address: string): 'whatsapp' | 'sms' | undefined {
  if (/^whatsapp:\S+$/.test(address)) return 'whatsapp';
  return /^\+?\d{3,15}$/.test(address) ? 'sms' : undefined;
}
