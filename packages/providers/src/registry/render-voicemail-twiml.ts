import { baseOf, chooseGreeting } from './choose-greeting.ts';
import type { AnswerContext } from '../provider.ts';

/** What of a call decides how it is answered. */
export type AnsweredCall = { readonly accountSid: string; /** Twilio's `FromCountry`, where it knows it. */ readonly callerCountry: string };

/** Seconds; Twilio transcribes nothing longer (twilio.com/docs/voice/twiml/record). */
const transcribedSecondsMax = 120;

/** Instructions for a call: greet, then record a message. What Twilio tells of it comes to the connection's own address. Pure, never throws. */
export function renderVoicemailTwiml({ accountSid, callerCountry }: AnsweredCall, { connectionId, settings, publicUrl }: AnswerContext): string {
  const { language, greeting } = chooseGreeting(settings, callerCountry);
  // The part behind `#` is for Twilio: come again three times, whatever went wrong. It is sent to nobody.
  const url = (path: string) => `${publicUrl}/webhooks/twilio/${connectionId}/${path}?account=${accountSid}#rc=3&rp=all`;
  const greet = 'url' in greeting ? element('Play', {}, greeting.url) : element('Say', { language }, greeting.text);
  const record = element('Record', {
    action: url('after'),
    method: 'POST',
    maxLength: String(secondsOf(settings['voicemailMaxSeconds'], { least: 5, most: 3600, otherwise: 120 })),
    timeout: String(secondsOf(settings['voicemailSilenceSeconds'], { least: 1, most: 60, otherwise: 5 })),
    finishOnKey: '#',
    playBeep: 'true',
    trim: 'trim-silence',
    recordingStatusCallback: url('recording'),
    recordingStatusCallbackMethod: 'POST',
    recordingStatusCallbackEvent: 'completed absent',
    ...(isVoicemailTranscribed(settings, callerCountry) ? { transcribe: 'true', transcribeCallback: url('transcription') } : {}),
  });
  return twiml(greet + record);
}

/** Whether Twilio is asked for a transcript of what a caller from this country records: it costs, and knows American English only. Pure. */
export function isVoicemailTranscribed(settings: Readonly<Record<string, string>>, callerCountry = ''): boolean {
  const languages = [settings['language'] ?? 'en-US', chooseGreeting(settings, callerCountry).language];
  const seconds = secondsOf(settings['voicemailMaxSeconds'], { least: 5, most: 3600, otherwise: 120 });
  return settings['transcribe'] === 'true' && languages.every((language) => baseOf(language) === 'en') && seconds <= transcribedSecondsMax;
}

/** A whole answer of these verbs; without any, nothing is done and nothing sent. */
export function twiml(verbs: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>${verbs === '' ? '<Response/>' : `<Response>${verbs}</Response>`}`;
}

function element(name: string, attributes: Readonly<Record<string, string>>, text?: string): string {
  const opened = `<${name}${Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`).join('')}`;
  return text === undefined ? `${opened}/>` : `${opened}>${escaped(text)}</${name}>`;
}

/** Text for XML 1.0: characters that it cannot say are left out, those that mean something are escaped. */
function escaped(text: string): string {
  return text.replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '').replaceAll(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function secondsOf(text: string | undefined, bounds: { readonly least: number; readonly most: number; readonly otherwise: number }): number {
  const seconds = text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : bounds.otherwise;
  return Math.min(Math.max(seconds, bounds.least), bounds.most);
}
