import type { PublicConnection } from '@switchboard/connector-kit';
import { isVoicemailTranscribed } from '@switchboard/providers';

/** What of a connection's settings decides about a call's voicemail. */
export type VoicemailSettings = {
  /** Longest recording. */
  readonly secondsMax: number;
  /** Twilio was asked for a transcript. */
  readonly isTranscribed: boolean;
};

/** As in the form, for a connection of before it had them. */
const defaults = { voicemailMaxSeconds: '120', transcribe: 'true' };

/** For a caller from this country, as Twilio names it; empty where it does not. Pure. */
export function voicemailSettings({ settings }: Pick<PublicConnection, 'settings'>, callerCountry: string): VoicemailSettings {
  const all = { ...defaults, ...settings };
  return { secondsMax: Number(all.voicemailMaxSeconds) || Number(defaults.voicemailMaxSeconds), isTranscribed: isVoicemailTranscribed(all, callerCountry) };
}
