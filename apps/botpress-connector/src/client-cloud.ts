import { parseJson, type ClientContext, type Delivered, type InboundEvent, type RenderedPart } from '@switchboard/connector-kit';
import { hubError, isHubError, type HubError } from '@switchboard/contracts';
import type { EgressReply } from '@switchboard/service-kit';
import jwt from 'jsonwebtoken';
import type { z } from 'zod';
import { apiBaseUrl } from './account.ts';
import type { ClientOptions } from './client.ts';
import { parseFid } from './fid.ts';
import { parseItems } from './parse-items.ts';
import { toEvents } from './parse-webhook.ts';
import { hubMessageIdOf, readPart, withFile, type PartBody } from './part-body.ts';
import { refusalOfCloud } from './refusals.ts';
import { withAddress } from './with-address.ts';
import { cloudErrorSchema, messageListSchema, messageReplySchema } from './wire.ts';

/** Milliseconds: the echo webhook is awaited before createMessage answers (contract, 2.4), and Botpress itself gives up after half a minute. */
const timeoutMs = 30_000;

/** Who writes, in personal mode: the id of the user, signed with the integration's key (contract, 2.2). Anyone with the key can be any user. */
export function signUserKey(userId: string, encryptionKey: string): string {
  return jwt.sign({ id: userId }, encryptionKey, { algorithm: 'HS256', noTimestamp: true });
}

/**
 * Gives one turn to a bot at Botpress Cloud. There is no key for repetition: a turn that may have arrived is looked for in its conversation before it is
 * sent again. User and conversation are made before the first turn, and when the bot does not know them (another bot behind the connection).
 */
export async function sendToCloud(part: RenderedPart, context: ClientContext, { isRepeat, callAlone }: ClientOptions): Promise<Delivered> {
  const body = readPart(part);
  const call = callerOf(body.fid, context);
  if (part.path === 'events') {
    await call('POST', 'events', body.request);
    return { providerConversationId: body.fid };
  }
  const conversationId = parseFid(body.fid)?.conversationId;
  const messageId = hubMessageIdOf(body.request['metadata']);
  if (conversationId === undefined || messageId === undefined) return giveTurn(part, context, call, true);
  return callAlone(conversationId, messageId, (isCalledBefore) => giveTurn(part, context, call, isCalledBefore || isRepeat(messageId)));
}

async function giveTurn(part: RenderedPart, context: ClientContext, call: Call, isRepeat: boolean): Promise<Delivered> {
  const body = readPart(part);
  const messageId = hubMessageIdOf(body.request['metadata']);
  const found = messageId !== undefined && isRepeat ? await findSent(messageId, body, call) : undefined;
  if (found !== undefined) return deliveredAs(found, body);
  if (body.user !== undefined) await introduce(body, call);
  // The cast names the form that render-message writes.
  const request = JSON.stringify({ ...body.request, payload: withFile(body.request['payload'] as Record<string, unknown>, part, context, 'Url') });
  const reply = await post(request, body, call, messageId);
  return deliveredAs(reply, body);
}

/**
 * What the bot has said since this message of ours, oldest first: its webhooks are sent once, and gone when the hub was away (contract, 2.4). What it asks
 * the hub to do is left out: unlike words, that would be done twice when the webhook comes after all.
 */
export async function findAnswers(fid: string, messageId: string, context: ClientContext): Promise<InboundEvent[]> {
  const messages = await listMessages(fid, callerOf(fid, context));
  const asked = messages.findIndex((message) => isOurs(message, messageId));
  const answers = messages.slice(0, Math.max(asked, 0)).filter(({ userId }) => userId !== fid).toReversed();
  return answers.flatMap(({ id, createdAt, payload = {} }) => {
    const sentAt = new Date(Date.parse(createdAt ?? '') || context.now()).toISOString();
    const events = toEvents(parseItems([payload], undefined), { fid, id, sentAt }, context.connection);
    // Left out last: each has the name that it has in a webhook which comes after all.
    return events.filter((event) => event.kind !== 'message' || event.attributes?.['botAction'] === undefined).map(withAddress);
  });
}

type Listed = z.infer<typeof messageListSchema>['messages'][number];

/** Newest first. */
async function listMessages(fid: string, call: Call): Promise<readonly Listed[]> {
  return messageListSchema.catch({ messages: [] }).parse(await call('GET', `conversations/${encodeURIComponent(fid)}/messages`)).messages;
}

function isOurs({ metadata, payload }: Listed, messageId: string): boolean {
  return hubMessageIdOf(metadata) === messageId || hubMessageIdOf(payload?.['metadata']) === messageId;
}

type Call = (method: 'GET' | 'POST', path: string, body?: object | string) => Promise<unknown>;

async function post(request: string, body: PartBody, call: Call, messageId: string | undefined): Promise<string | undefined> {
  const send = async () => messageReplySchema.safeParse(await call('POST', 'messages', request)).data?.message.id;
  try {
    return await send();
  } catch (error) {
    if (!isHubError(error)) throw error;
    if (error.detail['scope'] === undefined && (error.code === 'provider.not_found' || error.code === 'provider.forbidden')) {
      if (body.user !== undefined) throw error;
      await introduce(body, call);
      return send();
    }
    // No answer, or none that says what became of it: the conversation knows.
    const found = error.detail['sent'] === true && messageId !== undefined ? await lookAfter(error, messageId, body, call) : undefined;
    if (found === undefined) throw error;
    return found;
  }
}

/** What cannot be seen now is looked for again before the next try. */
async function lookAfter(lost: HubError, messageId: string, body: PartBody, call: Call): Promise<string | undefined> {
  try {
    return await findSent(messageId, body, call);
  } catch (error) {
    if (!isHubError(error)) throw error;
    throw lost;
  }
}

async function introduce({ fid, user = {} }: PartBody, call: Call): Promise<void> {
  await call('POST', 'users/get-or-create', user);
  await call('POST', 'conversations/get-or-create', { id: fid });
}

/** The message's id at Botpress, when the conversation has it. A conversation that does not exist has nothing. */
async function findSent(messageId: string, { fid }: PartBody, call: Call): Promise<string | undefined> {
  try {
    return (await listMessages(fid, call)).find((message) => isOurs(message, messageId))?.id;
  } catch (error) {
    if (isHubError(error) && (error.code === 'provider.not_found' || error.code === 'provider.forbidden') && error.detail['scope'] === undefined) return undefined;
    throw error;
  }
}

function deliveredAs(providerMessageId: string | undefined, { fid }: PartBody): Delivered {
  return { status: 'sent', providerConversationId: fid, ...(providerMessageId === undefined ? {} : { providerMessageId }) };
}

/** Calls the Chat API as this conversation's user. Throws for every refusal, whatever HTTP status it came with. */
function callerOf(fid: string, context: ClientContext): Call {
  const { connection, egress } = context;
  const webhookId = connection.settings['webhookId'] ?? connection.routingIdentifiers['bot']?.split('/').at(-1);
  const { encryptionKey } = connection.credentials;
  if (webhookId === undefined || encryptionKey === undefined) {
    throw hubError('provider.unauthorized', { publicMessage: 'The connection has no webhook id or no encryption key of the Chat integration.', detail: { scope: 'account', sent: false } });
  }
  const base = `${apiBaseUrl(connection)}/${encodeURIComponent(webhookId)}`;
  const headers = { 'x-user-key': signUserKey(fid, encryptionKey), 'content-type': 'application/json' };
  return async (method, path, body) => {
    const reply = await egress.request({ method, url: `${base}/${path}`, headers, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }), timeoutMs });
    const json = parseJson(reply.body);
    const refusal = refusalIn(reply, json, path);
    if (refusal !== undefined) throw refusal;
    return json;
  };
}

function refusalIn(reply: EgressReply, json: unknown, path: string): HubError | undefined {
  const error = cloudErrorSchema.safeParse(json).data;
  const code = error?.code ?? error?.status;
  const status = reply.status >= 200 && reply.status < 300 ? code : (code ?? reply.status);
  return status === undefined ? undefined : refusalOfCloud({ ...reply, status }, error ?? {}, path);
}
