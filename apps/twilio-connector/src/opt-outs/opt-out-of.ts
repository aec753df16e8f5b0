/** What a contact's word asks for. `onlyWhenOut`: it says so to whom has asked for no messages, and is a plain word to everybody else. */
export type OptOutWish = { readonly wish: 'out' | 'in'; readonly word: string; readonly onlyWhenOut: boolean };

export type OptOutSettings = { readonly whatsappOptOut: boolean };

/** Twilio's own, for SMS: whole messages, in any case (contract, section 7). OPTOUT and REVOKE since 2025. */
const smsStop: ReadonlySet<string> = new Set(['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'OPTOUT', 'REVOKE']);
const smsStart: ReadonlySet<string> = new Set(['START', 'UNSTOP', 'YES']);
/** Twilio has none for WhatsApp. Fewer than for SMS: bots ask their contacts for "cancel", "end" and "yes". */
const whatsappStop: ReadonlySet<string> = new Set(['STOP', 'STOPALL', 'UNSUBSCRIBE', 'OPTOUT']);
const whatsappStart: ReadonlySet<string> = new Set(['START', 'UNSTOP']);

/**
 * What an inbound message says of messages to its contact: undefined when nothing. `optOutType` is Twilio's own verdict (STOP, START, HELP), sent where a
 * messaging service has Advanced Opt-Out, with the tenant's own words; where it is sent it decides. Pure.
 */
export function optOutOf(text: string, optOutType: string | undefined, channel: 'sms' | 'whatsapp', settings: OptOutSettings): OptOutWish | undefined {
  const word = text.trim().toUpperCase();
  const verdict = optOutType?.trim().toUpperCase() ?? '';
  if (verdict !== '') return verdict === 'STOP' ? wishFor('out', word || verdict) : verdict === 'START' ? wishFor('in', word || verdict) : undefined;
  const [stop, start] = channel === 'whatsapp' ? [whatsappStop, whatsappStart] : [smsStop, smsStart];
  const isKept = channel === 'sms' || settings.whatsappOptOut;
  if (isKept && stop.has(word)) return wishFor('out', word);
  // Also where no list is kept any more: who is still on it has no other way back.
  if (start.has(word)) return { ...wishFor('in', word), onlyWhenOut: word === 'YES' || !isKept };
  return undefined;
}

/** Characters of a word that are kept: a tenant's own words may be sentences. */
const wordMax = 64;

function wishFor(wish: OptOutWish['wish'], word: string): OptOutWish {
  return { wish, word: word.slice(0, wordMax), onlyWhenOut: false };
}
