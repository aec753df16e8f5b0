import { deriveEventId, type InboundEvent } from '@switchboard/connector-kit';
import type { ChatbotAction, EventId } from '@switchboard/contracts';
import type { Chatbot } from '../chatbot/create-chatbots.ts';
import { requestBooking } from './request-booking.ts';
import { botSpoke, type Session } from './session.ts';
import { escalate, leadIdOf } from './speak.ts';
import type { TurnParts } from './turn-parts.ts';

type InboundMessage = Extract<InboundEvent, { kind: 'message' }>;
/** The webhook, or the turn that was answered, and the action's place in it. */
type Cause = { readonly eventId: EventId; readonly index: number };
type Setting = { readonly chatbot: Chatbot | undefined; readonly cause: Cause };
type Taken = { readonly session: Session; readonly event: InboundEvent };

/** Carries out what a bot asked for and its tenant allows; gives back what is published in its place. In the open transaction. */
export async function takeAction(parts: TurnParts, action: ChatbotAction, event: InboundMessage, session: Session, setting: Setting): Promise<Taken> {
  switch (action) {
    case 'handoff':
      return handOver(parts, event, session, setting);
    case 'lead_capture':
      return captureLead(parts, event, session, setting);
    case 'booking':
      return book(parts, event, session, setting);
  }
}

async function handOver(parts: TurnParts, event: InboundMessage, session: Session, { chatbot, cause }: Setting): Promise<Taken> {
  const { attributes: _attributes, ...said } = event;
  if (said.content.kind !== 'handoff') return { session, event: { kind: 'ignored', reason: 'a handoff without a reason' } };
  const { reason, summary } = said.content;
  const escalation = await escalate(parts, botSpoke(session), chatbot, { reason, ...(summary === undefined ? {} : { summary }) }, causeOf(cause, 'handoff'));
  return { session: escalation.session, event: { ...said, content: escalation.content } };
}

async function captureLead({ bus }: TurnParts, event: InboundMessage, session: Session, { cause }: Setting): Promise<Taken> {
  const { name, phone, email, notes, ...more } = wordsOf(fieldsOf(event));
  const eventId = causeOf(cause, 'lead_capture');
  const contact = { ...(name === undefined ? {} : { name: name.slice(0, 512) }), ...(phone === undefined ? {} : { phone: phone.slice(0, 64) }), ...(email === undefined ? {} : { email: email.slice(0, 320) }) };
  const leadId = leadIdOf(eventId);
  await bus.publish(
    'lead.captured',
    { leadId, source: 'chatbot', conversationId: session.conversationId, contact, ...(notes === undefined ? {} : { notes: notes.slice(0, 8_192) }), attributes: more, at: event.sentAt },
    { orderingKey: leadId, eventId: deriveEventId(eventId, 'lead') },
  );
  return { session: botSpoke(session), event: { kind: 'ignored', reason: 'a lead was captured' } };
}

/** What is asked for is kept, and the contact is told what became of it. */
async function book({ calendar, now }: TurnParts, event: InboundMessage, session: Session, { chatbot, cause }: Setting): Promise<Taken> {
  if (chatbot === undefined) return { session, event: { kind: 'ignored', reason: 'a booking without a chatbot' } };
  const { attributes: _attributes, ...said } = event;
  const content = await requestBooking(calendar, { fields: fieldsOf(event), chatbot, session, requestKey: causeOf(cause, 'booking'), now: now() });
  return { session: botSpoke(session), event: { ...said, content } };
}

/** Logged and audited; nothing of it is carried out. */
export async function refuseAction({ bus, log, now, name }: TurnParts, action: ChatbotAction, event: InboundMessage, reason: string, cause: Cause): Promise<void> {
  const { conversationId = '', providerMessageId } = event;
  log.warn({ action, reason, conversationId, providerMessageId }, 'a bot asked for an action that it may not have');
  await bus.publish(
    'audit.recorded',
    { at: now().toISOString(), actor: { kind: 'service', subject: name, from: null }, action: 'chatbot_action.refused', subject: conversationId, facts: { action, reason, providerMessageId } },
    { orderingKey: conversationId, eventId: causeOf(cause, 'refused') },
  );
}

function causeOf({ eventId, index }: Cause, name: string): EventId {
  return deriveEventId(eventId, `${name}${index}`);
}

function fieldsOf({ content }: InboundMessage): Readonly<Record<string, unknown>> {
  return content.kind === 'form_reply' ? content.fields : {};
}

/** Flat, as leads have it: text as it is, anything else as JSON; as many and as long as a person would fill in. */
function wordsOf(fields: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = Object.entries(fields).slice(0, 50).flatMap(([name, value]): [string, string][] => {
    if (value === null || value === undefined || value === '') return [];
    return [[name.slice(0, 128), (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 8_192)]];
  });
  return Object.fromEntries(entries);
}
