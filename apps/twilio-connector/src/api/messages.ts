import { instantOf, type ClientContext } from '@switchboard/connector-kit';
import { accountOf } from '../account-of.ts';
import { readTwilio } from './read-twilio.ts';

/** A message as the Messages resource has it. Twilio writes numbers as text. */
export type TwilioMessage = {
  readonly sid: string;
  readonly direction: string;
  readonly from: string;
  readonly to: string;
  readonly body: string;
  readonly status: string;
  readonly errorCode: number | undefined;
  readonly numMedia: string;
  readonly numSegments: string;
  readonly messagingServiceSid: string | undefined;
  /** When it was sent, or came; undefined while Twilio does not say. */
  readonly at: Date | undefined;
};

/** What the library gives; it promises more than there need be. */
type Resource = { readonly [Name in 'sid' | 'direction' | 'from' | 'to' | 'body' | 'status' | 'numMedia' | 'numSegments' | 'messagingServiceSid']?: string | null } & {
  readonly errorCode?: number | null;
  readonly dateSent?: Date | null;
  readonly dateCreated?: Date | null;
};

/** `to` with `whatsapp:` before a WhatsApp number. */
export type MessageFilter = { readonly to?: string; readonly since: Date; readonly until: Date };

/** Messages that are read at once: of a page of Twilio's largest twenty. */
const pageSize = 1_000;
const messagesMax = 20_000;

/** Messages of a time, newest first as Twilio lists them. Undefined when there are more than can be read at once: ask for less of the time. */
export function listMessages(context: ClientContext, { to, since, until }: MessageFilter): Promise<TwilioMessage[] | undefined> {
  // Twilio's times have no fractions.
  const dateSentBefore = new Date(until.getTime() + 1_000);
  return readTwilio(context, async (twilio) => {
    const messages = await twilio.messages.list({ ...(to === undefined ? {} : { to }), dateSentAfter: since, dateSentBefore, pageSize, limit: messagesMax + 1 });
    return messages.length > messagesMax ? undefined : messages.map(messageOf);
  });
}

export function readMessage(context: ClientContext, sid: string): Promise<TwilioMessage> {
  return readTwilio(context, async (twilio) => messageOf(await twilio.messages(sid).fetch()));
}

/** The files of a message as its webhook names them: where they are, and what they are. */
export function listMedia(context: ClientContext, sid: string): Promise<{ readonly url: string; readonly mimeType: string }[]> {
  const { accountSid } = accountOf(context.connection);
  return readTwilio(context, async (twilio) => {
    const files = await twilio.messages(sid).media.list({ limit: 10 });
    return files.map((file) => ({ url: `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Messages/${sid}/Media/${file.sid}`, mimeType: file.contentType ?? '' }));
  });
}

function messageOf(resource: Resource): TwilioMessage {
  const { sid, direction, from, to, body, status, errorCode, numMedia, numSegments, messagingServiceSid, dateSent, dateCreated } = resource;
  return {
    sid: sid ?? '',
    direction: direction ?? '',
    from: from ?? '',
    to: to ?? '',
    body: body ?? '',
    status: status ?? '',
    errorCode: errorCode ?? undefined,
    numMedia: numMedia ?? '0',
    numSegments: numSegments ?? '1',
    messagingServiceSid: messagingServiceSid ?? undefined,
    at: timeOf(dateSent) ?? timeOf(dateCreated),
  };
}

/** The library leaves a time that it cannot read as it came. */
function timeOf(time: Date | string | null | undefined): Date | undefined {
  const at = instantOf(time instanceof Date ? time.getTime() / 1_000 : time);
  return at === undefined ? undefined : new Date(at);
}
