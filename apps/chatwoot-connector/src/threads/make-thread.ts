import { isHubError } from '@switchboard/contracts';
import { createContact, createContactInbox, findContactBy, findContactBySource, listConversationsOfContact, type NewContact } from '../api/contacts.ts';
import { createConversation } from '../api/conversations.ts';
import type { ChatwootContact, ChatwootConversation } from '../api/replies.ts';
import type { PartContact } from '../part.ts';
import type { Room } from '../room.ts';

/**
 * Contact and conversation at the inbox: found, else made. Chatwoot guarantees neither once (contract, 5): look first, make, and look again
 * where the answer does not say what became of it. The caller sees to it that nobody else does the same meanwhile.
 */
export async function makeThread(room: Room, contact: PartContact): Promise<{ readonly contactId: number; readonly displayId: number }> {
  const place = { inboxId: room.inboxId, sourceId: contact.address };
  const { id: contactId } = (await findContactBySource(room.admin, place)) ?? (await makeContact(room, contact));
  const existing = await newestConversation(room, contactId);
  const { id: displayId } = existing ?? (await makeConversation(room, contactId, contact.address));
  return { contactId, displayId };
}

async function makeContact(room: Room, contact: PartContact): Promise<ChatwootContact> {
  const place = { inboxId: room.inboxId, sourceId: contact.address };
  // Deterministic, and the tenant's: in an account of many tenants one person who writes to two of them stays two contacts (contract, 6.9).
  const identifier = `${room.tenantId}:${contact.address}`;
  const wanted: NewContact = { ...place, name: contact.name ?? contact.address, identifier, ...(room.isShared || contact.phone === undefined ? {} : { phoneNumber: contact.phone }) };
  try {
    return await createContact(room.admin, wanted);
  } catch (error) {
    if (!mayExist(error)) throw error;
    const made = await findContactBySource(room.admin, place);
    if (made !== undefined) return made;
    const namesake = (await findContactBy(room.admin, 'identifier', identifier)) ?? (wanted.phoneNumber === undefined ? undefined : await findContactBy(room.admin, 'phone_number', wanted.phoneNumber));
    if (namesake !== undefined) return adopt(room, namesake, place);
    if (wanted.phoneNumber === undefined || !isRefusal(error)) throw error;
    // A number that this server does not take: the contact matters more.
    const { phoneNumber: _phoneNumber, ...rest } = wanted;
    return createContact(room.admin, rest);
  }
}

/** The contact is known in the account, by its number or from an inbox of before: it gets this source id too. */
async function adopt(room: Room, contact: ChatwootContact, place: { readonly inboxId: number; readonly sourceId: string }): Promise<ChatwootContact> {
  try {
    await createContactInbox(room.admin, contact.id, place);
    return contact;
  } catch (error) {
    // Somebody else's by now: a 500 from the database's own constraint.
    const owner = mayExist(error) ? await findContactBySource(room.admin, place) : undefined;
    if (owner === undefined) throw error;
    return owner;
  }
}

/** The last one, whatever its status: a message of the contact opens it again, as `lock_to_single_conversation` would have it. */
async function newestConversation(room: Room, contactId: number): Promise<ChatwootConversation | undefined> {
  const all = await listConversationsOfContact(room.admin, contactId);
  return all.filter(({ inbox_id }) => inbox_id === room.inboxId).toSorted((a, b) => b.id - a.id)[0];
}

async function makeConversation(room: Room, contactId: number, sourceId: string): Promise<ChatwootConversation> {
  try {
    return await createConversation(room.admin, { inboxId: room.inboxId, contactId, sourceId, status: 'open' });
  } catch (error) {
    const made = mayExist(error) ? await newestConversation(room, contactId) : undefined;
    if (made === undefined) throw error;
    return made;
  }
}

/** A refusal for a name that is taken, a 500 from a race at the server, or no answer: what was to be made may be there. */
function mayExist(error: unknown): boolean {
  return isRefusal(error) || (isHubError(error) && error.detail['sent'] === true);
}

function isRefusal(error: unknown): boolean {
  return isHubError(error) && error.code === 'provider.rejected';
}
