import type { MessageContent } from '@switchboard/contracts';
import type { Calendar, Slot } from '../chatbot/calendar.ts';
import type { Chatbot } from '../chatbot/create-chatbots.ts';
import type { Session } from './session.ts';
import { wordsOfLanguage } from './words-by-language.ts';

/** Minutes of a booking, where the bot does not say. */
const durationMinutesDefault = 30;
const durationMinutesMax = 24 * 60;
/** What a contact is offered to choose from, of the next two weeks. */
const proposals = { days: 14, count: 5 } as const;
const minuteMs = 60_000;

/** A time with its distance from UTC: a bot that says "tomorrow at ten" means a clock that nobody here knows. */
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/;

export type BookingWish = { readonly fields: Readonly<Record<string, unknown>>; readonly chatbot: Chatbot; readonly session: Session; readonly requestKey: string; readonly now: Date };

/**
 * Books what a bot asked for in the contact's name (`startsAt`, `durationMinutes`, `name`, `phone`, `email`, `notes`) and gives back what the contact reads:
 * that it is noted, or the times there are to choose from. A wish without a time is noted once for the conversation.
 */
export async function requestBooking(calendar: Calendar, { fields, chatbot, session, requestKey, now }: BookingWish): Promise<MessageContent> {
  const { businessHours, language } = chatbot.config;
  const words = wordsOfLanguage(language).booking;
  const slotMinutes = minutesOf(fields['durationMinutes']);
  const from = timeOf(fields['startsAt']);
  const { conversationId, connectionId } = session;
  const contact = { name: wordOf(fields['name'], 512), phone: wordOf(fields['phone'], 64), email: wordOf(fields['email'], 320) };
  const whose = { conversationId, connectionId, contact, notes: wordOf(fields['notes'], 8_192) };
  if (from !== undefined) {
    const booked = await calendar.book(businessHours, { ...whose, requestKey, startsAt: from, endsAt: new Date(from.getTime() + slotMinutes * minuteMs) });
    if (booked.kind === 'booked') return { kind: 'text', text: words.noted(shown(from, chatbot)) };
  } else {
    await calendar.book(businessHours, { ...whose, requestKey: `${conversationId}/open` });
  }
  const slots = await calendar.propose(businessHours, { from: now, slotMinutes, ...proposals });
  if (slots.length === 0) return { kind: 'text', text: from === undefined ? words.open : words.taken };
  return { kind: 'choice', text: from === undefined ? words.choose : `${words.taken} ${words.choose}`, options: slots.map((slot) => optionOf(slot, chatbot)) };
}

/** The bot gets the chosen time back as it is to be booked. */
function optionOf({ from }: Slot, chatbot: Chatbot) {
  return { id: from.toISOString(), title: shown(from, chatbot) };
}

function shown(at: Date, { config: { language, businessHours } }: Chatbot): string {
  const timeZone = businessHours?.timezone ?? 'UTC';
  return new Intl.DateTimeFormat(language, { timeZone, weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', ...(timeZone === 'UTC' ? { timeZoneName: 'short' } : {}) }).format(at);
}

function minutesOf(value: unknown): number {
  const minutes = Math.trunc(Number(value));
  return minutes > 0 && minutes <= durationMinutesMax ? minutes : durationMinutesDefault;
}

function timeOf(value: unknown): Date | undefined {
  const at = typeof value === 'string' && instant.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : new Date(at);
}

function wordOf(value: unknown, lengthMax: number): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, lengthMax) : undefined;
}
