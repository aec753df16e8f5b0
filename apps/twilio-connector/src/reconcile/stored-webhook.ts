import type { TwilioMessage } from '../api/messages.ts';

/**
 * A message of the Messages resource as ingest would have stored its webhook. What Twilio tells in webhooks alone (the name at WhatsApp, which button was
 * pressed, a location) is not in it. Pure.
 */
export function storedMessage(message: TwilioMessage, files: readonly { readonly url: string; readonly mimeType: string }[], accountSid: string): string {
  const media = files.flatMap(({ url, mimeType }, index): [string, string][] => [[`MediaUrl${index}`, url], [`MediaContentType${index}`, mimeType]]);
  return stored('message', {
    AccountSid: accountSid,
    MessageSid: message.sid,
    SmsStatus: 'received',
    From: message.from,
    To: message.to,
    Body: message.body,
    NumSegments: message.numSegments,
    MessagingServiceSid: message.messagingServiceSid,
    NumMedia: String(files.length),
    ...Object.fromEntries(media),
  });
}

/** What became of a message of ours, as its status callback. Pure. */
export function storedStatus(message: TwilioMessage, accountSid: string): string {
  return stored('status', { AccountSid: accountSid, MessageSid: message.sid, MessageStatus: message.status, ErrorCode: message.errorCode === undefined ? undefined : String(message.errorCode), From: message.from, To: message.to });
}

function stored(kind: 'message' | 'status', form: Readonly<Record<string, string | undefined>>): string {
  // What is not defined is left out.
  return JSON.stringify({ kind, query: {}, form });
}
