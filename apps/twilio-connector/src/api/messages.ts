import { instantOf, type ClientContext } from '@switchboard/connector-kit';
import { z } from 'zod';
import { accountPathOf, apiUrlOf, readTwilio } from './call-twilio.ts';

const text = z.preprocess((value) => (value === null || value === undefined ? undefined : String(value)), z.string().optional());

/** A message as the Messages resource has it; numbers are text there. */
const messageSchema = z.object({
  sid: z.string(),
  direction: text,
  from: text,
  to: text,
  body: text,
  status: text,
  error_code: text,
  num_media: text,
  num_segments: text,
  messaging_service_sid: text,
  /** RFC 2822. */
  date_sent: text,
  date_created: text,
});
export type TwilioMessage = z.output<typeof messageSchema>;

const pageSchema = z.object({ messages: z.array(messageSchema), next_page_uri: z.string().nullish() });
const mediaPageSchema = z.object({ media_list: z.array(z.object({ sid: z.string().regex(/^ME[0-9a-f]{32}$/i), content_type: text })) });

/** A thousand messages each. */
const pagesMax = 20;

/** `to` with `whatsapp:` before a WhatsApp number. */
export type MessageFilter = { readonly to?: string; readonly since: Date; readonly until: Date };

/** Messages of a time, newest first as Twilio lists them. Undefined when there are more than can be read at once: ask for less of the time. */
export async function listMessages(context: ClientContext, { to, since, until }: MessageFilter): Promise<TwilioMessage[] | undefined> {
  const query = new URLSearchParams({ ...(to === undefined ? {} : { To: to }), 'DateSent>': secondsOf(since), 'DateSent<': secondsOf(new Date(until.getTime() + 1_000)), PageSize: '1000' });
  const messages: TwilioMessage[] = [];
  let path: string | null | undefined = `${accountPathOf(context)}/Messages.json?${query.toString()}`;
  for (let page = 0; path; page++) {
    if (page === pagesMax) return undefined;
    const reply: z.output<typeof pageSchema> = await readTwilio(context, path, pageSchema);
    messages.push(...reply.messages);
    path = reply.next_page_uri;
  }
  return messages;
}

export function readMessage(context: ClientContext, sid: string): Promise<TwilioMessage> {
  return readTwilio(context, `${accountPathOf(context)}/Messages/${encodeURIComponent(sid)}.json`, messageSchema);
}

/** The files of a message as its webhook names them: where they are, and what they are. */
export async function listMedia(context: ClientContext, sid: string): Promise<{ readonly url: string; readonly mimeType: string }[]> {
  const path = `${accountPathOf(context)}/Messages/${encodeURIComponent(sid)}/Media`;
  const { media_list: files } = await readTwilio(context, `${path}.json`, mediaPageSchema);
  return files.map((file) => ({ url: `${apiUrlOf(context)}${path}/${file.sid}`, mimeType: file.content_type ?? '' }));
}

/** When it was sent, or came; undefined while Twilio does not say. */
export function timeOf({ date_sent: sent, date_created: created }: TwilioMessage): Date | undefined {
  const at = instantOf(sent) ?? instantOf(created);
  return at === undefined ? undefined : new Date(at);
}

/** `2026-11-22T03:00:00Z`: Twilio's times have no fractions. */
function secondsOf(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
