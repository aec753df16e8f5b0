import { channelOf, type TwilioAccount } from '../account-of.ts';
import type { TwilioMessage } from '../api/messages.ts';

export type MissedMessage = TwilioMessage & { readonly at: Date };

/** What a listing is asked for: every way that contacts have to this connection. A service has numbers that only Twilio knows: all of the account is listed. */
export function targetsOf({ phoneNumber, messagingServiceSid, channels }: TwilioAccount): readonly { readonly to?: string }[] {
  if (!channels.has('sms') && !channels.has('whatsapp')) return [];
  if (messagingServiceSid !== undefined || phoneNumber === undefined) return [{}];
  return [...(channels.has('sms') ? [{ to: phoneNumber }] : []), ...(channels.has('whatsapp') ? [{ to: `whatsapp:${phoneNumber}` }] : [])];
}

/** Of what Twilio lists, the messages of contacts to this connection in that time, the oldest first, each once. Pure. */
export function inboundOf(messages: readonly TwilioMessage[], account: TwilioAccount, { since, until }: { readonly since: Date; readonly until: Date }): MissedMessage[] {
  const found = new Map<string, MissedMessage>();
  for (const message of messages) {
    const { sid, at, direction } = message;
    if (at === undefined || at < since || at > until || direction !== 'inbound' || !isFor(message, account)) continue;
    found.set(sid, { ...message, at });
  }
  return [...found.values()].toSorted((a, b) => a.at.getTime() - b.at.getTime() || (a.sid < b.sid ? -1 : 1));
}

function isFor({ to, from, messagingServiceSid: service }: TwilioMessage, { phoneNumber, messagingServiceSid, channels }: TwilioAccount): boolean {
  const channel = channelOf(from) ?? 'sms';
  if (!channels.has(channel)) return false;
  return (phoneNumber !== undefined && to.replace(/^whatsapp:/, '') === phoneNumber) || (messagingServiceSid !== undefined && service === messagingServiceSid);
}
