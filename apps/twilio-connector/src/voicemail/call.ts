import type { ConnectionId, Media } from '@switchboard/contracts';
import type { CallStep } from '../voicemail-step.ts';
import type { VoicemailSettings } from './voicemail-settings.ts';

/** What is known of a call to a tenant's number: the same whatever the order in which its steps came, and however often each of them. Times are milliseconds since 1970. */
export type Call = {
  readonly connectionId: ConnectionId;
  readonly callSid: string;
  /** When the first word of it came. */
  readonly seenAt: number;
  readonly caller: Caller | null;
  /** The caller hung up, or never got through. */
  readonly end: { readonly at: number; readonly isAnswered: boolean } | null;
  /** Twilio says that there is nothing to hear. */
  readonly absentAt: number | null;
  readonly recordings: Readonly<Record<string, Recording>>;
  /** By the recording's SID. */
  readonly transcripts: Readonly<Record<string, Transcript>>;
  /** Recordings that other steps than their own have named, by SID. */
  readonly named: Readonly<Record<string, NamedRecording>>;
  /** As the connection had them with the last step. */
  readonly settings: VoicemailSettings;
  /** The contact that it was told of under: it stays, whatever is learned of the caller later. */
  readonly toldAs: string | null;
  /** Names of what was told. */
  readonly told: readonly string[];
  /** Until when is waited, by what is waited for. */
  readonly waits: Readonly<Record<string, number>>;
};

export type Caller = {
  /** Of the conversation: `+…`, or `anonymous:<CallSid>`. */
  readonly address: string;
  readonly name: string | null;
  /** The number that was called. */
  readonly to: string | null;
  /** Two letters, where Twilio knows it. */
  readonly country: string | null;
};

export type Recording = {
  readonly status: 'completed' | 'failed';
  readonly at: number;
  /** Null: Twilio does not say. */
  readonly seconds: number | null;
  readonly media: Media;
};

/** Of one that failed there is no text. */
export type Transcript = { readonly transcriptionSid: string; readonly at: number; readonly text: string | null };

export type NamedRecording = { readonly url: string; readonly at: number; readonly seconds: number | null };

/** Call statuses after which nothing more is said (contract, section 3); true: somebody was heard before. */
const finalStatuses: Readonly<Record<string, boolean>> = { completed: true, busy: false, failed: false, 'no-answer': false, canceled: false };

export function newCall(connectionId: ConnectionId, { callSid, at }: Pick<CallStep, 'callSid' | 'at'>, settings: VoicemailSettings): Call {
  return { connectionId, callSid, seenAt: Date.parse(at), caller: null, end: null, absentAt: null, recordings: {}, transcripts: {}, named: {}, settings, toldAs: null, told: [], waits: {} };
}

/** The call with one step more. Pure. */
export function addStep(before: Call, step: CallStep, settings: VoicemailSettings): Call {
  const at = Date.parse(step.at);
  const call = { ...before, settings, seenAt: Math.min(before.seenAt, at), caller: learnCaller(before.caller, step) };
  switch (step.name) {
    case 'call':
      return call;
    case 'call_status': {
      const isAnswered = finalStatuses[step.facts['CallStatus'] ?? ''];
      return isAnswered === undefined ? call : { ...call, end: earlierEnd(call.end, { at, isAnswered }) };
    }
    case 'call_action':
      return nameRecording(call, step, at);
    case 'recording':
      return addRecording(call, step, at);
    case 'transcription':
      return addTranscript(nameRecording(call, step, at), step, at);
    default:
      // Of a later Twilio: nothing that is known here.
      return call;
  }
}

function learnCaller(known: Caller | null, { contactAddress, facts }: CallStep): Caller | null {
  if (contactAddress === undefined) return known;
  const name = known?.name ?? nameOf(facts['CallerName']);
  // A step that knows the number is worth more than one that has it withheld.
  const address = known === null || known.address.startsWith('anonymous:') ? contactAddress : known.address;
  return { address, name, to: known?.to ?? (facts['To'] || null), country: known?.country ?? (facts['FromCountry'] || null) };
}

/** What networks say instead of a name is none. */
function nameOf(callerName: string | undefined): string | null {
  const name = callerName?.trim() ?? '';
  return name === '' || /^(anonymous|unknown|unavailable|restricted|private|blocked)( caller| name| number)?$/i.test(name) ? null : name.slice(0, 512);
}

function earlierEnd(known: Call['end'], told: NonNullable<Call['end']>): NonNullable<Call['end']> {
  return known === null ? told : { at: Math.min(known.at, told.at), isAnswered: known.isAnswered || told.isAnswered };
}

function addRecording(call: Call, { facts, media }: CallStep, at: number): Call {
  const sid = facts['RecordingSid'] || recordingSidIn(facts['RecordingUrl']);
  const status = facts['RecordingStatus'];
  if (status === 'absent') return { ...call, absentAt: Math.min(call.absentAt ?? at, at) };
  if (sid === undefined || (status !== 'completed' && status !== 'failed')) return call;
  const told: Recording = { status, at, seconds: secondsOf(facts['RecordingDuration']), media: media ?? { mimeType: 'audio/mpeg', unavailable: 'Twilio gave no address of the recording.' } };
  const known = call.recordings[sid];
  return { ...call, recordings: { ...call.recordings, [sid]: known === undefined ? told : better(known, told) } };
}

/** Of two words on one recording: that it is there, and with its file. */
function better(one: Recording, other: Recording): Recording {
  const worth = ({ status, media }: Recording) => (status === 'completed' ? 2 : 0) + (media.mediaKey === undefined ? 0 : 1);
  const best = worth(other) > worth(one) ? other : one;
  return { ...best, at: Math.min(one.at, other.at), seconds: best.seconds ?? one.seconds ?? other.seconds };
}

function addTranscript(call: Call, { facts }: CallStep, at: number): Call {
  const { TranscriptionSid: transcriptionSid, RecordingSid: sid = recordingSidIn(facts['RecordingUrl']) } = facts;
  if (transcriptionSid === undefined || sid === undefined) return call;
  const isThere = facts['TranscriptionStatus'] === 'completed';
  if (!isThere && facts['TranscriptionStatus'] !== 'failed') return call;
  const text = (isThere && facts['TranscriptionText']?.trim()) || null;
  const known = call.transcripts[sid];
  // Of two, the one with words: a failed one takes nothing away.
  if (known !== undefined && (known.text !== null || text === null)) return call;
  return { ...call, transcripts: { ...call.transcripts, [sid]: { transcriptionSid, at, text } } };
}

function nameRecording(call: Call, { facts }: CallStep, at: number): Call {
  const url = facts['RecordingUrl'];
  const sid = facts['RecordingSid'] || recordingSidIn(url);
  if (sid === undefined || url === undefined || url === '') return call;
  const known = call.named[sid];
  const seconds = secondsOf(facts['RecordingDuration']) ?? known?.seconds ?? null;
  return { ...call, named: { ...call.named, [sid]: { url: known?.url ?? url, at: Math.min(known?.at ?? at, at), seconds } } };
}

function recordingSidIn(url: string | undefined): string | undefined {
  return /\/Recordings\/(RE[0-9a-f]{32})/i.exec(url ?? '')?.[1];
}

/** Whole seconds; Twilio says -1 where it does not know. */
function secondsOf(duration: string | undefined): number | null {
  return /^\d{1,6}$/.test(duration ?? '') ? Number(duration) : null;
}
