import { deriveEventId, type InboundEvent } from '@switchboard/connector-kit';
import type { ContactRef, EventId, LeadId, MessageContent } from '@switchboard/contracts';
import type { Chatbot } from '../chatbot/create-chatbots.ts';
import { isOpen } from '../chatbot/business-hours.ts';
import { fidOf } from '../fid.ts';
import { afterHoursLeadEveryMs, askedForPerson, handoffPendingMs, type Session } from './session.ts';
import type { TurnParts } from './turn-parts.ts';
import { wordsOfLanguage } from './words-by-language.ts';

/** What the hub says in the bot's place. All of it runs in the open transaction, and under ids made from `cause`: said twice, it is said once. */

type Saying = { readonly cause: EventId; /** What it is among the things that `cause` leads to. */ readonly name: string };

/** As the bot's own message. */
export async function sayAsBot({ publishInbound, now }: TurnParts, session: Session, content: MessageContent, { cause, name }: Saying): Promise<void> {
  await publishInbound([messageOfBot(session, content, `${name}-${cause}`, now())], { cause, name, connection: { connectionId: session.connectionId, provider: 'botpress', role: 'bot' } });
}

function messageOfBot(session: Session, content: MessageContent, providerMessageId: string, at: Date): InboundEvent {
  const fid = fidOf(session);
  return { kind: 'message', providerMessageId, providerConversationId: fid, conversationId: session.conversationId, contact: { address: fid, aliases: {} }, author: 'bot', content, sentAt: at.toISOString() };
}

/** Once in a conversation's life, before the bot hears of it. */
export async function welcome(parts: TurnParts, session: Session, chatbot: Chatbot, cause: EventId): Promise<Session> {
  const { welcomeMessage } = chatbot.config;
  if (session.welcomedAt !== null || welcomeMessage === undefined) return session;
  await sayAsBot(parts, session, { kind: 'text', text: welcomeMessage }, { cause, name: 'welcome' });
  return { ...session, welcomedAt: parts.now().getTime() };
}

export type PersonWanted = { readonly reason: string; readonly summary?: string; readonly contact?: ContactRef };

/** What comes of a wish for a person: the desk is asked, or, while nobody is there, the contact is told so and becomes a lead. */
export type Escalation = { readonly session: Session; readonly content: MessageContent };

/** The desk is asked by the conversation's `handoff`; what is returned is to be published as the bot's. */
export async function escalate(parts: TurnParts, session: Session, chatbot: Chatbot | undefined, wanted: PersonWanted, cause: EventId): Promise<Escalation> {
  const now = parts.now();
  const { businessHours, escalationRules, language = 'en' } = chatbot?.config ?? {};
  if (isOpen(businessHours, now)) {
    if (chatbot !== undefined) await lookForDesk(parts, session, cause);
    return { session: askedForPerson(session, now.getTime()), content: handoffOf(wanted, escalationRules) };
  }
  const text = businessHours?.closedMessage ?? wordsOfLanguage(language).closed;
  return { session: await captureAfterHours(parts, session, wanted, cause), content: { kind: 'text', text } };
}

/** Whether a desk takes the conversation: a route may have none. */
async function lookForDesk({ bus, now }: TurnParts, { conversationId, connectionId }: Session, cause: EventId): Promise<void> {
  const eventId = deriveEventId(cause, 'desk check');
  const dueAt = new Date(now().getTime() + handoffPendingMs).toISOString();
  // Behind none of the looks at turns, which are due sooner.
  await bus.publish('bot_turn.check', { conversationId, connectionId, messageId: `msg_${eventId.slice('evt_'.length)}`, dueAt }, { orderingKey: `desk check:${conversationId}`, eventId });
}

/** No desk took the conversation: the contact is told so, becomes a lead, and has the bot again. */
export async function endWait(parts: TurnParts, waiting: Session, chatbot: Chatbot, cause: EventId): Promise<Session> {
  const session = await captureAfterHours(parts, waiting, { reason: 'no desk took the conversation' }, cause);
  await sayAsBot(parts, session, { kind: 'text', text: wordsOfLanguage(chatbot.config.language).closed }, { cause, name: 'nobody' });
  return session;
}

function handoffOf({ reason, summary }: PersonWanted, rules: { readonly agentId?: string | undefined; readonly labels?: readonly string[] | undefined } = {}): MessageContent {
  const { agentId, labels } = rules;
  const hasAssignment = agentId !== undefined || labels !== undefined;
  return {
    kind: 'handoff',
    to: 'desk',
    reason,
    ...(summary === undefined ? {} : { summary }),
    ...(hasAssignment ? { assignment: { ...(agentId === undefined ? {} : { agentId }), ...(labels === undefined ? {} : { labels: [...labels] }) } } : {}),
  };
}

async function captureAfterHours({ bus, now }: TurnParts, session: Session, { reason, summary, contact }: PersonWanted, cause: EventId): Promise<Session> {
  const at = now();
  if (session.afterHoursLeadAt !== null && at.getTime() - session.afterHoursLeadAt < afterHoursLeadEveryMs) return session;
  const leadId = leadIdOf(cause);
  await bus.publish(
    'lead.captured',
    { leadId, source: 'after_hours', conversationId: session.conversationId, contact: contactDetails(contact), notes: summary ?? reason, attributes: { reason }, at: at.toISOString() },
    { orderingKey: leadId, eventId: deriveEventId(cause, 'lead') },
  );
  return { ...session, afterHoursLeadAt: at.getTime() };
}

/** Always the same for the same cause. */
export function leadIdOf(cause: EventId): LeadId {
  return `led_${deriveEventId(cause, 'lead').slice('evt_'.length)}`;
}

function contactDetails(contact: ContactRef | undefined) {
  if (contact === undefined) return {};
  const phone = contact.aliases['phone'] ?? (/^\+?\d{7,15}$/.test(contact.address) ? contact.address : undefined);
  return { ...(contact.name ? { name: contact.name.slice(0, 512) } : {}), ...(phone === undefined ? {} : { phone }) };
}
