import { hubError, type ConversationId, type PayloadOf } from '@switchboard/contracts';
import { onEvent, type Subscription } from '@switchboard/event-bus';
import { contactKeys } from '../domain/contact-keys.ts';
import type { Parts } from '../flow/parts.ts';
import { findConversationOfContact } from '../store/find-conversation.ts';
import { storeLead } from '../store/leads.ts';
import { findReplacement } from '../store/replace-connection.ts';

/** Tries until a lead is kept without its conversation: with the bus's waits about a minute. What the contact said with it is on its way at the same moment. */
const attemptsMax = 8;

type Lead = PayloadOf<'lead.captured'>;

/** A contact left details: kept under the id it came with, once, however often it is told. */
export function onLeadCaptured(parts: Pick<Parts, 'db' | 'routings' | 'log'>): Subscription {
  return onEvent({
    type: 'lead.captured',
    group: 'state-manager',
    effect: 'transaction',
    handle: async ({ payload: { at, from, ...lead } }, { attempt }) => {
      const conversationId = lead.conversationId ?? (from && (await findConversationOf(parts, from)));
      if (conversationId === undefined && from !== undefined) {
        if (attempt < attemptsMax) throw hubError('service.unavailable', { publicMessage: 'The lead\'s conversation is not there yet.', retry: { afterMs: 500, planned: true } });
        parts.log.warn({ leadId: lead.leadId, connectionId: from.connectionId }, 'a lead is kept without the conversation it came from');
      }
      await storeLead(parts.db.sql, { ...storable(lead), conversationId, capturedAt: new Date(at) });
    },
  });
}

/** By the contact's address; at the connection that has replaced the one it was captured at, if any. */
async function findConversationOf({ db, routings }: Pick<Parts, 'db' | 'routings'>, { connectionId, address }: NonNullable<Lead['from']>): Promise<ConversationId | undefined> {
  const provider = (await routings.current(connectionId)).connections.find((connection) => connection.connectionId === connectionId)?.provider;
  if (provider === undefined) return undefined;
  const keys = contactKeys(provider, { address, aliases: {} }).map(({ key }) => key);
  const find = (at: typeof connectionId) => findConversationOfContact(db.sql, provider, at, keys, 'read');
  const known = await find(connectionId);
  if (known !== undefined) return known.conversationId;
  const replacedBy = await findReplacement(db.sql, connectionId);
  return replacedBy && (await find(replacedBy))?.conversationId;
}

/** What a contact typed may hold what Postgres takes no text with; it must not lose the lead. */
function storable<L extends Pick<Lead, 'contact' | 'attributes' | 'notes'>>(lead: L): L {
  const clean = (text: string) => text.toWellFormed().replaceAll('\0', '');
  const cleanAll = <T extends object>(texts: T): T => Object.fromEntries(Object.entries(texts).map(([name, text]) => [clean(name), clean(String(text))])) as T; // the same names, all of texts
  return { ...lead, contact: cleanAll(lead.contact), attributes: cleanAll(lead.attributes), ...(lead.notes === undefined ? {} : { notes: clean(lead.notes) }) };
}
