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
export type Check = { readonly name: Patience; readonly at: number };

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
/** Twilio transcribes recordings that are longer than this (contract, section 3). */
const transcribedSecondsMin = 2;

/**
 * What is to be told of a call as it stands: the one place where that is chosen. A recording is told once, with its transcript if that comes within
 * `waitMs` after it; a call that left nothing is told once, unless it turns out to have left something. Pure.
 */
export function decideVoicemail(call: Call, now: number, waitMs: number): Decision {
  const sayings: Saying[] = [];
  const waits: Check[] = [];
  for (const [recordingSid, recording] of audible(call)) {
    const transcript = call.transcripts[recordingSid];
    const until = recording.at + waitMs;
    if (isTold(call, recordingName(recordingSid))) {
      if (isLate(call, recordingSid, transcript)) sayings.push({ kind: 'late_transcript', transcriptionSid: transcript.transcriptionSid, text: transcript.text, at: transcript.at });
    } else if (now >= until || isComplete(call, recordingSid, recording)) {
      sayings.push({ kind: 'recording', recordingSid, recording, transcript: transcript?.text ?? null, isCutOff: recording.seconds !== null && recording.seconds >= call.settings.secondsMax });
    } else waits.push({ name: 'transcript', at: until });
  }
  const unheard = unheardOf(call);
  if (unheard !== undefined) {
    const until = unheard.at + waitMs;
    return { ...settle(call, [], [{ name: 'recording', at: until }]), ...(now < until ? {} : { unheard }) };
  }
  if (audible(call).length === 0 && !isTold(call, 'missed')) {
    const missed = missedCall(call, waitMs);
    if ((missed.isSettled && call.caller !== null) || now >= missed.wait.at) sayings.push({ kind: 'missed', reason: missed.reason, at: missed.at });
    else waits.push(missed.wait);
  }
  return settle(call, sayings, waits);
}

/** With what belongs to the sayings, and with the marks that keep them from being told again. */
function settle(before: Call, sayings: readonly Saying[], waits: readonly Check[]): Decision {
  const opening = sayings.find(({ kind }) => kind === 'recording' || kind === 'missed');
  const handoff: Saying[] = opening !== undefined && !isTold(before, 'handoff') ? [{ kind: 'handoff', about: opening.kind === 'missed' ? 'missed' : 'voicemail' }] : [];
  const call = mark(before, [...handoff, ...sayings]);
  const leads = leadsOf(call);
  const checks = waits.filter((wait) => !call.checks.includes(planName(wait)));
  return { sayings: [...handoff, ...sayings, ...leads], call: { ...mark(call, leads), checks: [...call.checks, ...checks.map(planName)] }, checks };
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

export function planName({ name, at }: Check): string {
  return `${name} ${at}`;
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

type Missed = { readonly isSettled: boolean; readonly wait: Check; readonly reason: 'nothing_left' | 'not_recorded'; readonly at: number };

/** A call without anything to hear: how long it may yet turn out to have left something. */
function missedCall({ recordings, absentAt, end, seenAt, settings }: Call, waitMs: number): Missed {
  const silent = Object.values(recordings);
  const failed = silent.find(({ status }) => status === 'failed');
  // A call that was never answered can have no recording; that of any other may still be on its way.
  const settledAt = failed?.at ?? silent[0]?.at ?? absentAt ?? (end?.isAnswered === false ? end.at : null);
  const at = settledAt ?? end?.at ?? seenAt;
  const wait: Check = settledAt === null && end === null ? { name: 'silence', at: seenAt + settings.secondsMax * 1_000 + callSlackMs + waitMs } : { name: 'end', at: at + waitMs };
  return { isSettled: settledAt !== null, wait, reason: failed === undefined ? 'nothing_left' : 'not_recorded', at };
}
