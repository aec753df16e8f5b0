import { hubError, isHubError, type ConnectionWithSecrets } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';
import { z } from 'zod';
import type { ChatwootAccount } from '../api/account.ts';
import { callChatwoot } from '../api/call-chatwoot.ts';
import { createContact, createContactInbox, findContactBy, findContactBySource, getContact, listConversationsOfContact } from '../api/contacts.ts';
import { assignAgent, createConversation, listConversations, setLabels, toggleStatus } from '../api/conversations.ts';
import { fetchFile } from '../api/files.ts';
import { listAgents, updateInbox } from '../api/inboxes.ts';
import { createMessage, listMessages } from '../api/messages.ts';
import type { ChatwootContact, ChatwootConversation, ChatwootMessage } from '../api/replies.ts';
import { roomOf } from '../room.ts';
import type { ConversationStatus, Side, SideContact, SideConversation, SideMessage } from './side.ts';

/** The mark of a copied conversation, in its custom attributes, where agents see it too. */
const markerAttribute = 'hub_moved_from';

export type SideOptions = { readonly connection: ConnectionWithSecrets; readonly egress: Pick<Egress, 'request'> };

/** One inbox of a move, over the Application API. Throws `provider.not_found` for a connection that has no inbox yet. */
export function createChatwootSide({ connection, egress }: SideOptions): Side {
  const { inboxId, inboxKey, admin: account } = roomOf(connection, egress);
  let agents: Promise<ReadonlyMap<string, number>> | undefined;

  const ofInbox = (conversations: readonly ChatwootConversation[]) => conversations.filter((one) => one.inbox_id === inboxId);
  const find = async (address: string) => {
    const contact = await findContactBySource(account, { inboxId, sourceId: address });
    return contact === undefined ? [] : ofInbox(await listConversationsOfContact(account, contact.id)).toReversed();
  };

  return {
    connectionId: connection.connectionId,
    inboxKey,
    async listConversations(page) {
      const { conversations, count } = await listConversations(account, { inboxId, page, sortBy: 'created_at_asc' });
      return { conversations: conversations.map(conversationOf), total: count };
    },
    listChanged: async (withinSeconds) => (await listConversations(account, { inboxId, updatedWithin: withinSeconds })).conversations.map(conversationOf),
    findByAddress: async (address) => (await find(address)).map((conversation) => ({ ...conversationOf(conversation), address })),
    async readMessages(conversationId, afterId) {
      try {
        return (await listMessages(account, conversationId, { after: afterId })).map(messageOf);
      } catch (error) {
        if (isHubError(error) && error.code === 'provider.not_found' && error.detail['status'] === 404) return undefined;
        throw error;
      }
    },
    async readContact(contactId) {
      const contact = await getContact(account, contactId);
      if (contact === undefined) throw hubError('provider.not_found', { publicMessage: `Contact ${contactId} is gone.`, detail: { scope: 'contact' } });
      return { ...contactOf(contact), address: contact.contact_inboxes?.find(({ inbox }) => inbox?.id === inboxId)?.source_id ?? undefined };
    },
    makeContact: ({ address, ...contact }) => makeContact(account, { inboxId, sourceId: address }, contact),
    async makeConversation({ address, contactId, marker, like }) {
      // A copy that was made before an answer got lost.
      const made = (await find(address)).find((one) => one.custom_attributes?.[markerAttribute] === marker);
      if (made !== undefined) return made.id;
      const customAttributes = { ...like.customAttributes, [markerAttribute]: marker };
      return (await createConversation(account, { inboxId, contactId, sourceId: address, status: 'pending', customAttributes, additionalAttributes: like.additionalAttributes })).id;
    },
    async setFacts(conversationId, { labels, assigneeEmail, status }) {
      if (labels.length > 0) await setLabels(account, conversationId, labels);
      agents ??= agentsOf(account);
      const assignee = assigneeEmail === undefined ? undefined : (await agents).get(assigneeEmail.toLowerCase());
      if (assignee !== undefined) await assignAgent(account, conversationId, assignee);
      await toggleStatus(account, conversationId, status);
    },
    async post(conversationId, { content, type, isPrivate, hubRef, writtenAt, sourceId, files }) {
      const at = new Date(writtenAt * 1000).toISOString();
      const message = { content, messageType: type, isPrivate, contentAttributes: { hub_ref: hubRef, external_created_at: writtenAt }, externalCreatedAt: at, ...(type === 'incoming' && sourceId !== undefined && { sourceId }) };
      const { id } = await createMessage(account, conversationId, message, files);
      // It is there; which one it is, is found as after a lost answer.
      if (id === undefined) throw hubError('provider.unavailable', { publicMessage: 'Chatwoot did not say which message it made.', detail: { sent: true } });
      return id;
    },
    async loadFile(url, bytesMax) {
      try {
        const { bytes, mimeType } = await fetchFile(account, url, bytesMax);
        return { bytes, mimeType };
      } catch (error) {
        if (isHubError(error) && error.retry === 'never') return undefined;
        throw error;
      }
    },
    async quieten() {
      const inbox = await callChatwoot(account, { method: 'GET', path: `/inboxes/${inboxId}`, reply: answeringSchema });
      const before = Object.fromEntries(Object.entries(inbox).filter(([, isOn]) => isOn === true));
      if (Object.keys(before).length > 0) await updateInbox(account, inboxId, Object.fromEntries(Object.keys(before).map((name) => [name, false])));
      return JSON.stringify(before);
    },
    async restore(before) {
      const settingsBefore: unknown = JSON.parse(before);
      const parsed = answeringSchema.parse(settingsBefore);
      if (Object.values(parsed).some((isOn) => isOn === true)) await updateInbox(account, inboxId, parsed);
    },
  };
}

/** What an inbox does by itself when somebody writes; each is off or on. */
const answering = z.boolean().optional().catch(undefined);
const answeringSchema = z.object({ greeting_enabled: answering, working_hours_enabled: answering, csat_survey_enabled: answering, enable_auto_assignment: answering });

/** Identifier, phone number and e-mail address are unique in an account: whoever has one of them there is this contact. */
async function makeContact(account: ChatwootAccount, place: { readonly inboxId: number; readonly sourceId: string }, contact: SideContact): Promise<number> {
  const known = await findContactBySource(account, place);
  if (known !== undefined) return known.id;
  const { name, email, phoneNumber, identifier, customAttributes, additionalAttributes } = contact;
  try {
    return (await createContact(account, { ...place, name, email, phoneNumber, identifier, customAttributes, additionalAttributes })).id;
  } catch (error) {
    if (!isHubError(error) || error.code !== 'provider.rejected') throw error;
    const namesake = await findNamesake(account, contact);
    if (namesake === undefined) throw error;
    await createContactInbox(account, namesake, place);
    return namesake;
  }
}

async function findNamesake(account: ChatwootAccount, { identifier, phoneNumber, email }: SideContact): Promise<number | undefined> {
  const names = [['identifier', identifier], ['phone_number', phoneNumber], ['email', email]] as const;
  for (const [field, value] of names) {
    const found = value === undefined ? undefined : await findContactBy(account, field, value);
    if (found !== undefined) return found.id;
  }
  return undefined;
}

async function agentsOf(account: ChatwootAccount): Promise<ReadonlyMap<string, number>> {
  return new Map((await listAgents(account)).flatMap(({ id, email }) => (email ? [[email.toLowerCase(), id] as const] : [])));
}

const statuses: readonly string[] = ['open', 'resolved', 'pending', 'snoozed'];

function conversationOf(conversation: ChatwootConversation): SideConversation {
  const { id, meta, status, labels, custom_attributes: customAttributes, additional_attributes: additionalAttributes } = conversation;
  return {
    id,
    contactId: meta?.sender?.id ?? 0,
    address: undefined,
    facts: {
      // The cast is safe: it is one of the four.
      status: statuses.includes(status ?? '') ? (status as ConversationStatus) : 'open',
      labels: labels ?? [],
      assigneeEmail: meta?.assignee?.email ?? undefined,
    },
    customAttributes: customAttributes ?? {},
    additionalAttributes: additionalAttributes ?? {},
  };
}

function contactOf(contact: ChatwootContact): SideContact {
  return {
    name: contact.name ?? undefined,
    email: contact.email || undefined,
    phoneNumber: contact.phone_number || undefined,
    identifier: contact.identifier || undefined,
    customAttributes: contact.custom_attributes ?? {},
    additionalAttributes: contact.additional_attributes ?? {},
  };
}

function messageOf(message: ChatwootMessage): SideMessage {
  const type = message.message_type;
  const hubRef = message.content_attributes?.['hub_ref'];
  return {
    id: message.id,
    type: type === 'unknown' ? 'activity' : type,
    content: message.content ?? '',
    isPrivate: message.private === true,
    createdAt: secondsOf(message.created_at),
    senderName: message.sender?.name ?? undefined,
    hubRef: typeof hubRef === 'string' ? hubRef : undefined,
    sourceId: message.source_id ?? undefined,
    attachments: (message.attachments ?? []).flatMap(({ data_url: url, content_type: mimeType }) => (url ? [{ url, fileName: fileNameOf(url), mimeType: mimeType ?? undefined }] : [])),
  };
}

function secondsOf(time: string | number | null | undefined): number {
  const seconds = typeof time === 'string' ? Date.parse(time) / 1000 : (time ?? 0);
  return Number.isFinite(seconds) ? Math.floor(seconds) : 0;
}

function fileNameOf(url: string): string {
  const last = URL.canParse(url) ? (new URL(url).pathname.split('/').at(-1) ?? '') : '';
  try {
    return decodeURIComponent(last).slice(0, 200) || 'file';
  } catch {
    return 'file';
  }
}
