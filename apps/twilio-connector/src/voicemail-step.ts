import type { Media } from '@switchboard/contracts';
import type { InboundEvent, RemoteMedia } from '@switchboard/connector-kit';

/** What Twilio tells of a call, in the order in which it usually happens; it may come in any order, repeated, or in part. */
export const callStepNames = ['call', 'call_status', 'call_action', 'recording', 'transcription'] as const;
export type CallStepName = (typeof callStepNames)[number];

/** One step of a call as `parseWebhook` gives it, for `onInbound` of voicemail. */
export type CallStep = {
  readonly name: CallStepName;
  readonly callSid: string;
  /** Whose conversation the call belongs to: `+…` of the caller, or `anonymous:<CallSid>`. Recordings name no caller: joined by `callSid`. */
  readonly contactAddress?: string;
  /** The form as Twilio posted it, of repeated fields the first value. */
  readonly facts: Readonly<Record<string, string>>;
  /** The file of a completed recording: with `mediaKey` when it was fetched, `unavailable` when it could not be. */
  readonly media?: Media;
  readonly remoteMedia?: RemoteMedia;
  /** RFC 3339 in UTC: when the step was received. */
  readonly at: string;
};

/** The step that an inbound event is; undefined for messages, statuses, and steps of something else. Pure. */
export function callStep(event: InboundEvent): CallStep | undefined {
  if (event.kind !== 'step' || !isCallStepName(event.name)) return undefined;
  const { name, facts, media, remoteMedia, at } = event;
  const callSid = facts['CallSid'];
  if (callSid === undefined || callSid === '') return undefined;
  // A call back from the hub's side has the contact in `To`; the hub makes none, and answers only incoming ones.
  const contactAddress = facts['From'] === undefined ? undefined : callerAddress(facts['From'], callSid);
  return { name, callSid, ...(contactAddress === undefined ? {} : { contactAddress }), facts, ...(media === undefined ? {} : { media }), ...(remoteMedia === undefined ? {} : { remoteMedia }), at };
}

/** A caller without a number has each call as a conversation of its own: two of them are not one person. */
export function callerAddress(from: string, callSid: string): string {
  return /^\+[1-9]\d{6,14}$/.test(from) && !withheldNumbers.has(from) ? from : `anonymous:${callSid}`;
}

/** What networks put in place of a number: ANONYMOUS, RESTRICTED, UNAVAILABLE, BLOCKED, UNKNOWN, typed on a telephone's keys. */
const withheldNumbers: ReadonlySet<string> = new Set(['+266696687', '+7378742833', '+86282452253', '+2562533', '+8656696']);

function isCallStepName(name: string): name is CallStepName {
  return (callStepNames as readonly string[]).includes(name);
}
