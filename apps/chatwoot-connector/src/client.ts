import type { ClientContext, Delivered, FetchedMedia, RemoteMedia, RenderedPart } from '@switchboard/connector-kit';
import { hubError, isHubError } from '@switchboard/contracts';
import { withoutSlash } from './api/account.ts';
import { assignAgent, getConversation, listLabels, setCustomAttributes, setLabels, toggleStatus, toggleTyping } from './api/conversations.ts';
import { fetchFile } from './api/files.ts';
import { listAgents, listInboxMembers, type ChatwootAgent } from './api/inboxes.ts';
import { createMessage, findOwnMessage, updateMessageStatus, type NewAttachment } from './api/messages.ts';
import { pacedEgress, type EgressPace } from './api/paced-egress.ts';
import { readPart, type Action, type ActionName, type PartContact } from './part.ts';
import { roomOf, type Room } from './room.ts';
import type { BegunPost, Thread } from './store/threads.ts';
import { openThread, type ThreadDeps } from './threads/open-thread.ts';

export type ClientDeps = ThreadDeps & EgressPace;
export type ChatwootClient = { readonly send: (part: RenderedPart, context: ClientContext) => Promise<Delivered>; readonly fetchMedia: (media: RemoteMedia, context: ClientContext) => Promise<FetchedMedia> };

type Of<N extends ActionName> = Extract<Action, { readonly name: N }>;

/** Milliseconds: a message whose answer was lost may still be on its way into the server's database. */
const settleMs = 2_000;
/** Seconds without a sign of life after which a process that was writing a message is taken for dead, and milliseconds between two signs. */
const postSeconds = 10;
const signOfLifeMs = 3_000;
const busyRetryMs = 3_000;

/** Calls to a connection's inbox, in the rhythm of its server. What it writes twice is there once: see `sendMessage`. */
export function createClient(deps: ClientDeps): ChatwootClient {
  const roomFor = ({ connection, egress }: ClientContext) => roomOf(connection, pacedEgress(egress, deps));
  return {
    send: (part, context) => deliver(readPart(part), { part, context, room: roomFor(context), deps }),
    async fetchMedia(media, context) {
      if (media.url === undefined) throw hubError('media.not_found', { publicMessage: 'The attachment has no address.' });
      return fetchFile(roomFor(context).admin, media.url, context.fileBytesMax);
    },
  };
}

type Setting = { readonly part: RenderedPart; readonly context: ClientContext; readonly room: Room; readonly deps: ClientDeps };

async function deliver(action: Action, setting: Setting): Promise<Delivered> {
  const { room, deps } = setting;
  switch (action.name) {
    case 'message':
      return inThread(action.contact, setting, (thread) => sendMessage(action, thread, setting));
    case 'status':
      return inThread(action.contact, setting, async ({ displayId }) => {
        // Before the call: its echo may be faster than its answer.
        await deps.threads.noteStatus({ inboxKey: room.inboxKey, address: action.contact.address }, action.status);
        await toggleStatus(action.asBot ? room.bot : room.admin, displayId, action.status);
      });
    case 'labels':
      return inThread(action.contact, setting, ({ displayId }) => addLabels(action, displayId, room));
    case 'attributes':
      return inThread(action.contact, setting, async ({ displayId }) => {
        const { custom_attributes: before } = await getConversation(room.admin, displayId);
        await setCustomAttributes(room.admin, displayId, { ...before, ...action.attributes });
      });
    case 'assignment':
      return inThread(action.contact, setting, ({ displayId }) => assign(action, displayId, room));
    case 'typing':
      return ifKnown(action.contact, setting, ({ displayId }) => toggleTyping(action.asBot ? room.bot : room.admin, displayId, action.on));
    case 'contact-typing':
      return ifKnown(action.contact, setting, ({ displayId }) => toggleContactTyping(action, displayId, room));
    case 'receipt':
      return ifKnown(action.contact, setting, ({ displayId }) => updateMessageStatus(room.admin, displayId, action.messageId, { status: action.status, ...(action.externalError === undefined ? {} : { externalError: action.externalError }) }));
  }
}

/** In the contact's conversation, which is made where it is not there (any more). */
async function inThread(contact: PartContact, { room, deps }: Setting, act: (thread: Thread) => Promise<Delivered | void>): Promise<Delivered> {
  const thread = await openThread(room, contact, deps);
  const deliveredIn = async (one: Thread): Promise<Delivered> => ({ providerConversationId: String(one.displayId), ...(await act(one)) });
  try {
    return await deliveredIn(thread);
  } catch (error) {
    if (!isHubError(error) || error.code !== 'provider.not_found' || error.detail['status'] !== 404) throw error;
    // Deleted at Chatwoot, with its messages.
    await deps.threads.forget({ inboxKey: room.inboxKey, address: contact.address }, thread.displayId);
    const next = await openThread(room, contact, deps);
    if (next.displayId === thread.displayId) throw error;
    return deliveredIn(next);
  }
}

/** A signal is worth no conversation of its own. */
async function ifKnown(contact: PartContact, { room, deps }: Setting, act: (thread: Thread) => Promise<void>): Promise<Delivered> {
  const thread = await deps.threads.find({ inboxKey: room.inboxKey, address: contact.address });
  if (thread !== undefined) await act(thread);
  return {};
}

/**
 * Chatwoot has no key for repetition: a message that was tried before is looked for by its `hub_ref`, and written again only where it is absent
 * after a while (contract, 5). That a try was begun is noted before its call, so that a process that died is found out too, and one that lives is waited for.
 */
async function sendMessage({ contact, asBot, message }: Of<'message'>, thread: Thread, { part, context, room, deps }: Setting): Promise<Delivered> {
  const { hub_ref: hubRef } = message.contentAttributes;
  const files = await loadFiles(part, context);
  const place = { inboxKey: room.inboxKey, hubRef };
  const post = await deps.threads.beginPost({ ...place, ...thread, seconds: postSeconds });
  if (post.kind === 'busy') throw hubError('service.unavailable', { publicMessage: 'Another process is sending this message.', retry: { afterMs: busyRetryMs, counted: false }, detail: { sent: false } });
  const signs = setInterval(() => void deps.threads.holdPost(place, postSeconds).catch(() => undefined), signOfLifeMs).unref();
  try {
    const found = post.isFirst ? undefined : await findPosted({ hubRef, thread, post, room, sleep: deps.sleep });
    const id = found ?? (await createMessage(asBot ? room.bot : room.admin, thread.displayId, message, files)).id;
    await deps.threads.learn({ inboxKey: room.inboxKey, address: contact.address }, { displayId: thread.displayId, messageId: id });
    return { status: 'sent', ...(id === undefined ? {} : { providerMessageId: String(id) }) };
  } finally {
    clearInterval(signs);
    await deps.threads.endPost(place);
  }
}

type Search = { readonly hubRef: string; readonly thread: Thread; readonly post: BegunPost; readonly room: Room; readonly sleep: (ms: number) => Promise<void> };

async function findPosted({ hubRef, thread, post, room, sleep }: Search): Promise<number | undefined> {
  if (post.sinceMs < settleMs) await sleep(settleMs - post.sinceMs);
  const inFirst = await findWhereThere(room, post.displayId, hubRef, post.afterMessageId);
  if (inFirst !== undefined || post.displayId === thread.displayId) return inFirst;
  return findWhereThere(room, thread.displayId, hubRef, 0);
}

/** A conversation that is gone has nothing of ours. */
async function findWhereThere(room: Room, displayId: number, hubRef: string, after: number): Promise<number | undefined> {
  try {
    return (await findOwnMessage(room.admin, displayId, hubRef, after))?.id;
  } catch (error) {
    if (isHubError(error) && error.detail['status'] === 404) return undefined;
    throw error;
  }
}

async function loadFiles({ media }: RenderedPart, context: ClientContext): Promise<NewAttachment[]> {
  if (media === undefined) return [];
  return [{ bytes: await context.loadMedia(media), fileName: media.fileName ?? 'file', mimeType: media.mimeType }];
}

/** The call replaces all labels: those that are there stay. */
async function addLabels({ labels }: Of<'labels'>, displayId: number, { admin }: Room): Promise<void> {
  const before = await listLabels(admin, displayId);
  const all = [...new Set([...before, ...labels])];
  if (all.length > before.length) await setLabels(admin, displayId, all);
}

/** An agent by number, or by e-mail address, which is the same at every account. */
/** In an account that tenants share only who sits in this inbox can be named: who else works there is another tenant's matter. */
async function assign({ agentId }: Of<'assignment'>, displayId: number, { admin, inboxId, isShared }: Room): Promise<void> {
  const name = agentId.trim().toLowerCase();
  const isNumber = /^\d{1,15}$/.test(name);
  const find = (agents: readonly ChatwootAgent[]) => agents.find(({ id, email }) => String(id) === name || email?.toLowerCase() === name)?.id;
  const assigneeId = isShared ? find(await listInboxMembers(admin, inboxId)) : isNumber ? Number(name) : find(await listAgents(admin));
  if (assigneeId === undefined) throw hubError('provider.rejected', { publicMessage: 'The conversation is open at Chatwoot, but no such agent sits in its inbox to assign it to.', detail: { sent: false } });
  await assignAgent(admin, displayId, assigneeId);
}

/** By the contacts' own API, which takes no token: with one it would be the token's owner who types. */
async function toggleContactTyping({ contact, on }: Of<'contact-typing'>, displayId: number, { admin, inboxIdentifier }: Room): Promise<void> {
  if (inboxIdentifier === undefined) return;
  const path = [inboxIdentifier, 'contacts', contact.address, 'conversations', String(displayId)].map(encodeURIComponent).join('/');
  await admin.egress.request({ method: 'POST', url: `${withoutSlash(admin.apiUrl)}/public/api/v1/inboxes/${path}/toggle_typing`, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ typing_status: on ? 'on' : 'off' }) });
}
