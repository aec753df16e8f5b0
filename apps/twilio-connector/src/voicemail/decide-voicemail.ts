import type { Call, NamedRecording, Recording, Transcript } from './call.ts';

/** Something of a call that is to be told now. */
export type Saying =
  /** The conversation goes to people. */
  | { readonly kind: 'handoff'; readonly about: 'voicemail' | 'missed' }
  | { readonly kind: 'recording'; readonly recordingSid: string; readonly recording: Recording; readonly transcript: string | null; readonly isCutOff: boolean }
  | { readonly kind: 'late_transcript'; readonly transcriptionSid: string; readonly text: string; readonly at: number }
  | { readonly kind: 'lead'; readonly recordingSid: string; readonly recording: Recording; readonly transcript: string | null }
  /** Nobody left anything that can be heard. */
  | { readonly kind: 'missed'; readonly reason: 'nothing_left' | 'not_recorded'; readonly at: number };

/** What a call is waited for. */
export type Patience = 'transcript' | 'recording' | 'end' | 'silence';
/** A look at the call when it has had its time. */
export type Check = { readonly name: Patience; /** What is waited for, once in a call's life. */ readonly wait: string; readonly at: number };

export type UnheardRecording = NamedRecording & { readonly recordingSid: string };

export type Decision = {
  readonly sayings: readonly Saying[];
  /** The call after they are told and the looks are planned. */
  readonly call: Call;
  /** Looks that are not planned yet. */
  readonly checks: readonly Check[];
  /** A recording that Twilio has, and whose own webhook has not come in its time: it is to be fetched before anything is told. */
  readonly unheard?: UnheardRecording;
};

/** Milliseconds that a call may last besides its recording: ringing, a greeting of a thousand letters, and Twilio's own work. */
const callSlackMs = 300_000;
/** Milliseconds after the end of a call in which its recording is still expected: Twilio names it before it ends the call, as a rule. */
const endWaitMs = 30_000;
/** Twilio transcribes recordings that are longer than this (contract, section 3). */
const transcribedSecondsMin = 2;

/**
 * What is to be told of a call as it stands: the one place where that is chosen. A recording is told once, with its transcript if that comes within
 * `waitMs`; a call that left nothing is told once, unless it turns out to have left something. Time runs from when it is first waited, not from when
 * Twilio said something: after an outage the rest is on its way behind it. Pure.
 */
export function decideVoicemail(call: Call, now: number, waitMs: number): Decision {
  const sayings: Saying[] = [];
  const checks: Check[] = [];
  /** Whether it has been waited long enough; from now, when it is the first time. */
  const isOver = (name: Patience, wait: string, ms: number) => {
    const until = call.waits[wait] ?? now + ms;
    if (call.waits[wait] === undefined) checks.push({ name, wait, at: until });
    return now >= until;
  };
  for (const [recordingSid, recording] of audible(call)) {
    const transcript = call.transcripts[recordingSid];
    if (isTold(call, recordingName(recordingSid))) {
      if (isLate(call, recordingSid, transcript)) sayings.push({ kind: 'late_transcript', transcriptionSid: transcript.transcriptionSid, text: transcript.text, at: transcript.at });
    } else if (isComplete(call, recordingSid, recording) || isOver('transcript', captionName(recordingSid), waitMs)) {
      sayings.push({ kind: 'recording', recordingSid, recording, transcript: transcript?.text ?? null, isCutOff: recording.seconds !== null && recording.seconds >= call.settings.secondsMax });
    }
  }
  const unheard = unheardOf(call);
  if (unheard !== undefined) {
    const isGivenUp = isOver('recording', 'recording', waitMs);
    return { ...settle(call, [], checks), ...(isGivenUp ? { unheard } : {}) };
  }
  if (audible(call).length === 0 && !isTold(call, 'missed')) {
    const { isSettled, isEnded, reason, at } = missedCall(call);
    const isGivenUp = () => (isEnded ? isOver('end', 'end', Math.min(waitMs, endWaitMs)) : isOver('silence', 'silence', call.settings.secondsMax * 1_000 + callSlackMs + waitMs));
    if ((isSettled && call.caller !== null) || isGivenUp()) sayings.push({ kind: 'missed', reason, at });
  }
  return settle(call, sayings, checks);
}

/** With what belongs to the sayings, and with the marks that keep them from being told again. */
function settle(before: Call, sayings: readonly Saying[], checks: readonly Check[]): Decision {
  const opening = sayings.find(({ kind }) => kind === 'recording' || kind === 'missed');
  const handoff: Saying[] = opening !== undefined && !isTold(before, 'handoff') ? [{ kind: 'handoff', about: opening.kind === 'missed' ? 'missed' : 'voicemail' }] : [];
  const call = mark(before, [...handoff, ...sayings]);
  const leads = leadsOf(call);
  const waits = Object.fromEntries(checks.map(({ wait, at }) => [wait, at]));
  return { sayings: [...handoff, ...sayings, ...leads], call: { ...mark(call, leads), waits: { ...call.waits, ...waits } }, checks };
}

function mark(call: Call, sayings: readonly Saying[]): Call {
  if (sayings.length === 0) return call;
  const captions = sayings.flatMap((saying) => (saying.kind === 'recording' && saying.transcript !== null ? [captionName(saying.recordingSid)] : []));
  return { ...call, toldAs: addressOf(call), told: [...call.told, ...sayings.map(nameOf), ...captions] };
}

/** Somebody who can be called back, or whose words say who it is; for a recording that was told, once. */
function leadsOf(call: Call): Saying[] {
  return audible(call).flatMap(([recordingSid, recording]): Saying[] => {
    if (!isTold(call, recordingName(recordingSid)) || isTold(call, leadName(recordingSid))) return [];
    const transcript = call.transcripts[recordingSid]?.text ?? null;
    const isKnown = call.caller !== null && (call.caller.address.startsWith('+') || call.caller.name !== null);
    return isKnown || transcript !== null ? [{ kind: 'lead', recordingSid, recording, transcript }] : [];
  });
}

/** Under which name something is told: once in a call's life. */
export function nameOf(saying: Saying): string {
  switch (saying.kind) {
    case 'recording':
      return recordingName(saying.recordingSid);
    case 'late_transcript':
      return transcriptName(saying.transcriptionSid);
    case 'lead':
      return leadName(saying.recordingSid);
    default:
      return saying.kind;
  }
}

/** The conversation's contact: as it was told of first. */
export function addressOf({ toldAs, caller, callSid }: Call): string {
  return toldAs ?? caller?.address ?? `anonymous:${callSid}`;
}

const recordingName = (sid: string) => `recording ${sid}`;
const captionName = (sid: string) => `caption ${sid}`;
const transcriptName = (sid: string) => `transcript ${sid}`;
const leadName = (sid: string) => `lead ${sid}`;

function isTold({ told }: Call, name: string): boolean {
  return told.includes(name);
}

/** Recordings with something in them, the oldest first. */
function audible({ recordings }: Call): [string, Recording][] {
  return Object.entries(recordings)
    .filter(([, { status, seconds }]) => status === 'completed' && seconds !== 0)
    .toSorted(([a, one], [b, other]) => one.at - other.at || (a < b ? -1 : 1));
}

/** Nothing more is to come that belongs to it. */
function isComplete({ caller, transcripts, settings }: Call, sid: string, { seconds }: Recording): boolean {
  const isAwaited = settings.isTranscribed && (seconds === null || seconds > transcribedSecondsMin);
  return caller !== null && (!isAwaited || transcripts[sid] !== undefined);
}

function isLate(call: Call, sid: string, transcript: Transcript | undefined): transcript is Transcript & { readonly text: string } {
  return transcript !== undefined && transcript.text !== null && !isTold(call, captionName(sid)) && !isTold(call, transcriptName(transcript.transcriptionSid));
}

/** Named by another step, while of the call no word of a recording has come. */
function unheardOf({ named, recordings, absentAt }: Call): UnheardRecording | undefined {
  if (absentAt !== null || Object.keys(recordings).length > 0) return undefined;
  const [first] = Object.entries(named).filter(([, { seconds }]) => seconds !== 0).toSorted(([, one], [, other]) => one.at - other.at);
  return first && { recordingSid: first[0], ...first[1] };
}

type Missed = { readonly isSettled: boolean; readonly isEnded: boolean; readonly reason: 'nothing_left' | 'not_recorded'; readonly at: number };

/** A call without anything to hear: whether it may yet turn out to have left something. */
function missedCall({ recordings, absentAt, end, seenAt }: Call): Missed {
  const silent = Object.values(recordings);
  const failed = silent.find(({ status }) => status === 'failed');
  // A call that was never answered can have no recording; that of any other may still be on its way.
  const settledAt = failed?.at ?? silent[0]?.at ?? absentAt ?? (end?.isAnswered === false ? end.at : null);
  return { isSettled: settledAt !== null, isEnded: settledAt !== null || end !== null, reason: failed === undefined ? 'nothing_left' : 'not_recorded', at: settledAt ?? end?.at ?? seenAt };
}
