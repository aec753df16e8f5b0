import { isRecord, type Answer } from '../exchange.ts';
import { idOf, recordOf, textOf, type Call, type CallRoute } from './call.ts';
import { brokenServer, invalidRecord, notFound, refusal, Refused, throttled } from './refusals.ts';
import { contactInboxOf, restContact } from './render-people.ts';
import { restConversation } from './render-conversation.ts';
import type { ChatwootContact, ChatwootInbox } from './rows.ts';

const pageSize = 15;
const conversationsMax = 20;
const searchesPerMinute = 100;

export const contactRoutes: CallRoute[] = [
  { method: 'POST', path: '/contact_inboxes/filter', bots: 'never', handle: findByLink },
  { method: 'GET', path: '/contacts', bots: 'never', handle: (call) => pageOf(call, call.store.contacts(call.account.id).filter(({ email, phoneNumber, identifier }) => email ?? phoneNumber ?? identifier)) },
  { method: 'GET', path: '/contacts/search', bots: 'never', handle: search },
  { method: 'POST', path: '/contacts/filter', bots: 'never', handle: filter },
  { method: 'POST', path: '/contacts', bots: 'never', handle: create },
  { method: 'GET', path: '/contacts/:id', bots: 'never', handle: (call) => ({ status: 200, json: { payload: restContact(call.site, contactAt(call)) } }) },
  { method: 'PUT', path: '/contacts/:id', bots: 'never', handle: update },
  { method: 'PATCH', path: '/contacts/:id', bots: 'never', handle: update },
  { method: 'POST', path: '/contacts/:id/contact_inboxes', bots: 'never', handle: link },
  { method: 'GET', path: '/contacts/:id/conversations', bots: 'never', handle: conversations },
];

function contactAt({ store, account, match }: Call): ChatwootContact {
  const contact = store.contact(account.id, idOf(match[0]) ?? 0);
  if (contact === undefined) throw new Refused(notFound());
  return contact;
}

function inboxFor({ store, account }: Call, id: unknown): ChatwootInbox {
  const inbox = store.inbox(idOf(id) ?? 0);
  if (inbox === undefined || inbox.accountId !== account.id) throw new Refused(notFound());
  return inbox;
}

/** Exact look-up by inbox and source id; an empty 404 where there is none. */
function findByLink(call: Call): Answer {
  const inbox = inboxFor(call, call.params.fields['inbox_id']);
  const found = call.store.contactInbox(inbox.id, textOf(call.params.fields['source_id']) ?? '');
  const contact = found && call.store.contact(call.account.id, found.contactId);
  return contact ? { status: 200, json: restContact(call.site, contact) } : { status: 404 };
}

function pageOf({ query, site }: Call, contacts: readonly ChatwootContact[]): Answer {
  const page = Math.max(idOf(query.get('page')) ?? 1, 1);
  const shown = contacts.slice((page - 1) * pageSize, page * pageSize);
  return { status: 200, json: { meta: { count: contacts.length, current_page: page, has_more: page * pageSize < contacts.length }, payload: shown.map((contact) => restContact(site, contact)) } };
}

/** Substrings, in the whole account. */
function search(call: Call): Answer {
  if (!call.store.within('contacts-search', call.account.id, searchesPerMinute, call.now)) return throttled();
  const words = call.query.get('q')?.trim();
  if (!words) return refusal(422, 'Specify search string with parameter q');
  const folded = words.toLowerCase();
  return pageOf(call, call.store.contacts(call.account.id).filter(({ name, email, phoneNumber, identifier }) => [name, email, phoneNumber].some((value) => value?.toLowerCase().includes(folded)) || identifier?.includes(words)));
}

const filterable: Readonly<Record<string, (contact: ChatwootContact) => string | null>> = {
  identifier: ({ identifier }) => identifier,
  email: ({ email }) => email,
  phone_number: ({ phoneNumber }) => phoneNumber,
  name: ({ name }) => name,
};

function filter(call: Call): Answer {
  const { payload } = call.params.fields;
  const rules = Array.isArray(payload) ? (payload as unknown[]).filter(isRecord) : [];
  if (rules.length === 0) return brokenServer();
  const checks = rules.map((rule) => {
    const column = filterable[textOf(rule['attribute_key']) ?? ''];
    if (column === undefined) throw new Refused(refusal(422, `Invalid attribute key - [${textOf(rule['attribute_key']) ?? ''}]. The key should be one of [name,email,phone_number,identifier,country_code,city,created_at,last_activity_at,referer,blocked]`));
    const values = Array.isArray(rule['values']) ? (rule['values'] as unknown[]).map(String) : [];
    const isContained = rule['filter_operator'] === 'contains';
    if (!isContained && rule['filter_operator'] !== 'equal_to') throw new Refused(refusal(422, 'Invalid operator.'));
    // Compared without case; a number with and without its plus.
    const folded = (value: string) => value.toLowerCase().replace(/^\+/, '');
    return (contact: ChatwootContact) => {
      const held = folded(column(contact) ?? '');
      return held !== '' && values.some((value) => (isContained ? held.includes(folded(value)) : held === folded(value)));
    };
  });
  return pageOf(call, call.store.contacts(call.account.id).filter((contact) => checks.every((check) => check(contact))));
}

/** What the model refuses, in its own words: unique in the account, an e-mail, a number in E.164. */
function assertUnique({ store, account }: Call, id: number, given: Pick<ChatwootContact, 'email' | 'phoneNumber' | 'identifier'>): void {
  const others = store.contacts(account.id).filter((contact) => contact.id !== id);
  const refuse = (message: string, attribute: string): never => {
    throw new Refused(invalidRecord(message, attribute));
  };
  if (given.email !== null && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(given.email)) refuse('Email Invalid email', 'email');
  if (given.phoneNumber !== null && !/^\+[1-9]\d{1,14}$/.test(given.phoneNumber)) refuse('Phone number should be in e164 format', 'phone_number');
  if (given.email !== null && others.some(({ email }) => email === given.email)) refuse('Email has already been taken', 'email');
  if (given.identifier !== null && others.some(({ identifier }) => identifier === given.identifier)) refuse('Identifier has already been taken', 'identifier');
  if (given.phoneNumber !== null && others.some(({ phoneNumber }) => phoneNumber === given.phoneNumber)) refuse('Phone number has already been taken', 'phone_number');
}

/** A given field, or the one that was there; blank is none. */
function given(value: unknown, before: string | null): string | null {
  if (value === undefined) return before;
  return textOf(value)?.trim() || null;
}

function create(call: Call): Answer {
  const { fields } = call.params;
  const inbox = fields['inbox_id'] === undefined ? undefined : inboxFor(call, fields['inbox_id']);
  const sourceId = textOf(fields['source_id']);
  const at = call.now.toISOString();
  const draft = {
    accountId: call.account.id,
    name: textOf(fields['name']) ?? '',
    email: given(fields['email'], null)?.toLowerCase() ?? null,
    phoneNumber: given(fields['phone_number'], null),
    identifier: given(fields['identifier'], null),
    blocked: fields['blocked'] === true,
    customAttributes: recordOf(fields['custom_attributes']),
    additionalAttributes: recordOf(fields['additional_attributes']),
    createdAt: at,
    lastActivityAt: null,
  };
  assertUnique(call, 0, draft);
  // One transaction: a source id of another contact leaves no contact behind.
  if (inbox !== undefined && sourceId !== undefined && call.store.contactInbox(inbox.id, sourceId) !== undefined) return brokenServer();
  const contact: ChatwootContact = { id: call.store.next('contact'), ...draft };
  call.store.putContact(contact);
  const made = inbox && call.actions.linkContact(inbox, contact.id, sourceId);
  call.actions.contactChanged('contact_created', contact);
  return { status: 200, json: { payload: { contact: restContact(call.site, contact), contact_inbox: inbox && made ? contactInboxOf(inbox, made.sourceId) : { inbox: null, source_id: null } } } };
}

/** Attributes are merged, unlike a conversation's. */
function update(call: Call): Answer {
  const contact = contactAt(call);
  const { fields } = call.params;
  const changed: ChatwootContact = {
    ...contact,
    name: textOf(fields['name']) ?? contact.name,
    email: given(fields['email'], contact.email)?.toLowerCase() ?? null,
    phoneNumber: given(fields['phone_number'], contact.phoneNumber),
    identifier: given(fields['identifier'], contact.identifier),
    blocked: typeof fields['blocked'] === 'boolean' ? fields['blocked'] : contact.blocked,
    customAttributes: { ...contact.customAttributes, ...recordOf(fields['custom_attributes']) },
    additionalAttributes: { ...contact.additionalAttributes, ...recordOf(fields['additional_attributes']) },
  };
  assertUnique(call, contact.id, changed);
  call.store.putContact(changed);
  call.actions.contactChanged('contact_updated', changed);
  return { status: 200, json: { payload: restContact(call.site, changed) } };
}

function link(call: Call): Answer {
  const contact = contactAt(call);
  const inbox = inboxFor(call, call.params.fields['inbox_id']);
  const made = call.actions.linkContact(inbox, contact.id, textOf(call.params.fields['source_id']));
  return made ? { status: 200, json: contactInboxOf(inbox, made.sourceId) } : brokenServer();
}

/** The newest twenty of all inboxes; there is no second page. */
function conversations(call: Call): Answer {
  const contact = contactAt(call);
  const own = call.store.conversations(call.account.id).filter(({ contactId }) => contactId === contact.id);
  return { status: 200, json: { payload: own.reverse().slice(0, conversationsMax).map((conversation) => restConversation(call.site, conversation, call.now)) } };
}
