import type { PublicConnection } from '@switchboard/connector-kit';

/** What of a connection's settings decides about its voicemail. */
export type VoicemailSettings = {
  /** Longest recording. */
  readonly secondsMax: number;
  /** Twilio was asked for transcripts. */
  readonly isTranscribed: boolean;
};

/** The form's own defaults, for a connection of before it had them. */
const defaults = { voicemailMaxSeconds: '120', language: 'en-US', transcribe: 'true' };

/** Twilio transcribes American English only, and nothing longer (contract, section 3). */
const transcribedSecondsMax = 120;

/** Pure. The same rule as in the answer to a call, which asks Twilio for the transcript. */
export function voicemailSettings({ settings }: Pick<PublicConnection, 'settings'>): VoicemailSettings {
  const { voicemailMaxSeconds, language, transcribe } = { ...defaults, ...settings };
  const secondsMax = Number(voicemailMaxSeconds) || Number(defaults.voicemailMaxSeconds);
  return { secondsMax, isTranscribed: transcribe === 'true' && language.startsWith('en') && secondsMax <= transcribedSecondsMax };
}
