import type { TwilioChannel } from '@switchboard/providers';
import type { Account, AskContext } from './connect-strategy.ts';

/** Where Twilio shall send what, each with the account it is about: Twilio signs the URL, so nobody can change it. */
export type TwilioUrls = Readonly<Record<TwilioChannel, string>>;

/**
 * Twilio repeats a webhook only where the URL's fragment says so, on any failure three times within 15 seconds. The fragment is neither sent nor
 * signed. twilio.com/docs/usage/webhooks/webhooks-connection-overrides (2026)
 */
const retries = '#rc=3&rp=all';

export function twilioUrls(context: Pick<AskContext, 'connectionId' | 'webhookUrl'>, accountSid: string): TwilioUrls {
  const to = (path: string) => `${publicUrlOf(context)}/api/webhooks/${path}?account=${accountSid}${retries}`;
  return { sms: to('sms'), voice: to('voicemail'), whatsapp: to('whatsapp') };
}

/** Whether an address at Twilio leads to where the hub's does, whatever is said there about retries. */
export function isSameAddress(found: string | null | undefined, ours: string): boolean {
  return (found ?? '').split('#')[0] === ours.split('#')[0];
}

/** The same address, told the same way about retries. */
export function isSameUrl(found: string | null | undefined, ours: string): boolean {
  return (found ?? '') === ours;
}

/** Why Twilio could not reach the hub at its public address; undefined where it can, and where it is not Twilio that sends (the sandbox, an address of the API of its own). */
export function publicUrlFault(context: Pick<AskContext, 'connectionId' | 'webhookUrl'>, { settings }: Pick<Account, 'settings'>): string | undefined {
  if (settings['sandbox'] === 'true' || settings['apiBaseUrl'] !== undefined) return undefined;
  const text = publicUrlOf(context);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isReachable = url?.protocol === 'https:' && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(url.hostname) && !/^[\d.]+$/.test(url.hostname);
  if (isReachable) return undefined;
  return `Twilio sends webhooks only to an https address with a valid host name (no underscore), and the hub's is ${text}. Ask the platform to set its public address (PUBLIC_WEBHOOK_URL). It is tried again.`;
}

/** The identifiers of a subaccount, and of the sender in it where there is one. `sender`: the number, or the messaging service without one. */
export function twilioIdentifiers(accountSid: string, { phoneNumber, messagingServiceSid }: { readonly phoneNumber?: string | undefined; readonly messagingServiceSid?: string | undefined }): Record<string, string> {
  const sender = phoneNumber ?? messagingServiceSid;
  return {
    ...(sender !== undefined && { sender: `${accountSid}/${sender}` }),
    accountSid,
    ...(messagingServiceSid !== undefined && { service: `${accountSid}/${messagingServiceSid}` }),
    account: accountSid,
  };
}

function publicUrlOf({ connectionId, webhookUrl }: Pick<AskContext, 'connectionId' | 'webhookUrl'>): string {
  const own = `/webhooks/twilio/${connectionId}`;
  return webhookUrl.endsWith(own) ? webhookUrl.slice(0, -own.length) : webhookUrl;
}
