import type { ClientContext, ConnectorDefinition, Delivered, RenderedPart } from '@switchboard/connector-kit';
import { isHubError } from '@switchboard/contracts';
import type { Twilio } from 'twilio';
import { accountOf } from './account-of.ts';
import { fetchMedia } from './client-media.ts';
import { openTwilio } from './client-library.ts';
import { createContents, type Contents } from './contents.ts';
import { beforeSending } from './failure-of.ts';
import { bodyOf, type MessageBody } from './part.ts';

export type ClientDeps = {
  /** Where Twilio reaches ingest, without a slash at the end: status callbacks go there. */
  readonly publicWebhookUrl: string;
};

/** The calls to Twilio's REST API, by its own library; the only I/O of the connector. Failures are HubErrors that say their fate, and whether Twilio may have the message. */
export function createClient(deps: ClientDeps): ConnectorDefinition['client'] {
  const contents = createContents();
  const publicWebhookUrl = deps.publicWebhookUrl.replace(/\/+$/, '');

  return {
    fetchMedia,
    async send(part, context) {
      const body = bodyOf(part);
      const twilio = await openTwilio(context);
      if (body.kind === 'message') return sendMessage({ body, part, twilio, context, contents, publicWebhookUrl });
      await twilio.messaging.v2.typingIndicator.create({ channel: 'whatsapp', messageId: body.messageId });
      return {};
    },
  };
}

type Sending = { readonly body: MessageBody; readonly part: RenderedPart; readonly twilio: Twilio; readonly context: ClientContext; readonly contents: Contents; readonly publicWebhookUrl: string };

async function sendMessage(sending: Sending): Promise<Delivered> {
  const contentSid = await contentSidOf(sending);
  try {
    return await createMessage(sending, contentSid);
  } catch (error) {
    if (contentSid === undefined || sending.body.contentSid !== undefined || !isContentGone(error)) throw error;
    // Somebody deleted it at Twilio since it was looked up; nothing was sent.
    await sending.contents.forget(contentSid, sending.context);
    return createMessage(sending, await contentSidOf(sending));
  }
}

async function createMessage({ body, part, twilio, context, publicWebhookUrl }: Sending, contentSid: string | undefined): Promise<Delivered> {
  const { to, from, messagingServiceSid, persistentAction, contentVariables, ref } = body;
  const url = part.media === undefined ? undefined : context.mediaUrl(part.media);
  const text = body.file === 'link' ? [body.body, url].filter(Boolean).join('\n') : body.body;
  const message = await twilio.messages.create({
    to,
    ...(from === undefined ? {} : { from }),
    ...(messagingServiceSid === undefined ? {} : { messagingServiceSid }),
    ...(text === undefined ? {} : { body: text }),
    ...(url === undefined || body.file !== 'media' ? {} : { mediaUrl: [url] }),
    ...(persistentAction === undefined ? {} : { persistentAction: [persistentAction] }),
    ...(contentSid === undefined ? {} : { contentSid }),
    ...(contentVariables === undefined ? {} : { contentVariables }),
    statusCallback: statusCallbackOf(ref, context, publicWebhookUrl),
  });
  // An answer that cannot be read still means accepted; its SID comes with the status.
  return message.sid ? { providerMessageId: message.sid } : {};
}

/** The fragment tells Twilio to try again, which it does not by itself; it never reaches us and is no part of the signature (contract, section 5). */
function statusCallbackOf(ref: string, { connection }: ClientContext, publicWebhookUrl: string): string {
  return `${publicWebhookUrl}/webhooks/twilio/${connection.connectionId}/status?account=${accountOf(connection).accountSid}&m=${ref}#rc=3&rp=all`;
}

async function contentSidOf({ body, twilio, context, contents }: Sending): Promise<string | undefined> {
  const { contentSid, content, template } = body;
  return beforeSending(async () => {
    if (content !== undefined) return contents.sidOfContent(content, twilio, context);
    return template === undefined ? contentSid : contents.sidOfTemplate(template, twilio, context);
  });
}

/** 21655: the content SID is not valid. */
function isContentGone(error: unknown): boolean {
  return isHubError(error) && error.detail['providerCode'] === '21655';
}
