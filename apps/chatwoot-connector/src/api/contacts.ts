import { isHubError } from '@switchboard/contracts';
import { z } from 'zod';
import type { ChatwootAccount } from './account.ts';
import { callChatwoot } from './call-chatwoot.ts';
import { contactSchema, conversationSchema, type ChatwootContact, type ChatwootConversation } from './replies.ts';

export type NewContact = {
  readonly inboxId: number;
  readonly sourceId: string;
  readonly name?: string;
  /** E.164; unique in the account, like `email` and `identifier`. */
  readonly phoneNumber?: string;
  readonly email?: string;
  readonly identifier?: string;
  readonly customAttributes?: Readonly<Record<string, unknown>>;
  readonly additionalAttributes?: Readonly<Record<string, unknown>>;
};

/** The contact with this source id at the inbox; undefined when there is none. The one exact look-up that Chatwoot has. */
export async function findContactBySource(account: ChatwootAccount, { inboxId, sourceId }: { readonly inboxId: number; readonly sourceId: string }): Promise<ChatwootContact | undefined> {
  const found = await orUndefined(callChatwoot(account, { method: 'POST', path: '/contact_inboxes/filter', json: { inbox_id: inboxId, source_id: sourceId }, reply: contactReply }));
  return found;
}

/** The contact of the account whose `phone_number`, `email` or `identifier` is exactly this. */
export async function findContactBy(account: ChatwootAccount, field: 'phone_number' | 'email' | 'identifier', value: string): Promise<ChatwootContact | undefined> {
  const json = { payload: [{ attribute_key: field, filter_operator: 'equal_to', values: [value] }] };
  const { payload } = await callChatwoot(account, { method: 'POST', path: '/contacts/filter', json, reply: z.object({ payload: z.array(contactSchema) }) });
  // Chatwoot compares texts without case, and phone numbers with and without their plus.
  return payload.find((contact) => contact[field]?.toLowerCase() === value.toLowerCase());
}

/** Throws `provider.rejected` with `detail.attributes` when phone, e-mail or identifier are taken in the account. */
export async function createContact(account: ChatwootAccount, contact: NewContact): Promise<ChatwootContact> {
  const json = {
    inbox_id: contact.inboxId,
    source_id: contact.sourceId,
    name: contact.name,
    phone_number: contact.phoneNumber,
    email: contact.email,
    identifier: contact.identifier,
    custom_attributes: contact.customAttributes,
    additional_attributes: contact.additionalAttributes,
  };
  return callChatwoot(account, { method: 'POST', path: '/contacts', json, reply: contactReply });
}

export async function getContact(account: ChatwootAccount, contactId: number): Promise<ChatwootContact | undefined> {
  return orUndefined(callChatwoot(account, { method: 'GET', path: `/contacts/${contactId}`, reply: contactReply }));
}

/** Finds or makes the source id of this contact at the inbox. Another contact's source id is a 500. */
export async function createContactInbox(account: ChatwootAccount, contactId: number, { inboxId, sourceId }: { readonly inboxId: number; readonly sourceId: string }): Promise<void> {
  await callChatwoot(account, { method: 'POST', path: `/contacts/${contactId}/contact_inboxes`, json: { inbox_id: inboxId, source_id: sourceId }, reply: z.unknown() });
}

/** The newest 20 of all inboxes that the token's owner sees: whoever calls looks at `inbox_id`. */
export async function listConversationsOfContact(account: ChatwootAccount, contactId: number): Promise<readonly ChatwootConversation[]> {
  const { payload } = await callChatwoot(account, { method: 'GET', path: `/contacts/${contactId}/conversations`, reply: z.object({ payload: z.array(conversationSchema) }) });
  return payload;
}

/** Wrapped in two ways: `{payload: {contact}}` when made, `{payload}` when read; bare when found by its source id. */
const contactReply = z.union([
  z.object({ payload: z.object({ contact: contactSchema }) }).transform(({ payload }) => payload.contact),
  z.object({ payload: contactSchema }).transform(({ payload }) => payload),
  contactSchema,
]);

async function orUndefined<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isHubError(error) && error.code === 'provider.not_found' && error.detail['status'] === 404) return undefined;
    throw error;
  }
}
