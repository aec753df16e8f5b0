import { newId } from '@switchboard/contracts';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { callStep, type CallStep, type CallStepName } from '../voicemail-step.ts';
import { addStep, newCall, type Call } from './call.ts';
import { decideVoicemail, nameOf, type Check, type Saying } from './decide-voicemail.ts';
import type { VoicemailSettings } from './voicemail-settings.ts';

const callSid = `CA${'f1'.repeat(16)}`;
const recordingSid = `RE${'a1'.repeat(16)}`;
const url = `https://api.twilio.com/2010-04-01/Accounts/AC${'0'.repeat(32)}/Recordings/${recordingSid}`;
const number = '+15005550111';
const start = Date.UTC(2026, 10, 22, 9);
const waitMs = 120_000;
const connectionId = newId('con');
const transcribed: VoicemailSettings = { secondsMax: 120, isTranscribed: true };
const words = 'Please call me back.';

/** A step as it is parsed, so many seconds after the call began. */
function step(name: CallStepName, facts: Record<string, string> = {}, second = 0): CallStep {
  const media = name === 'recording' && facts['RecordingStatus'] === 'completed' ? { media: { mimeType: 'audio/mpeg', mediaKey: 'b'.repeat(64) } } : {};
  const parsed = callStep({ kind: 'step', name, facts: { CallSid: callSid, ...facts }, ...media, at: new Date(start + second * 1_000).toISOString() });
  if (parsed === undefined) throw new Error('no step');
  return parsed;
}

const called = step('call', { From: number, To: '+15005550006', CallerName: 'Ada' });
const after = step('call_action', { From: number, RecordingUrl: url, RecordingDuration: '17', Digits: 'hangup' }, 30);
const ended = step('call_status', { From: number, CallStatus: 'completed' }, 31);
const recorded = step('recording', { RecordingSid: recordingSid, RecordingUrl: url, RecordingStatus: 'completed', RecordingDuration: '17' }, 33);
const transcript = step('transcription', { From: number, TranscriptionSid: `TR${'c1'.repeat(16)}`, TranscriptionStatus: 'completed', TranscriptionText: words, RecordingSid: recordingSid, RecordingUrl: url }, 60);
const noTranscript = step('transcription', { ...transcript.facts, TranscriptionText: '', TranscriptionStatus: 'failed' }, 60);
const nothing = step('recording', { RecordingStatus: 'absent' }, 33);

type Told = { readonly sayings: Saying[]; readonly call: Call };

/** What is told when these steps come in this order, `gap` milliseconds apart, and every look comes when it is due; what Twilio never told of is fetched. */
function play(steps: readonly CallStep[], { settings = transcribed, gap = 1_000 } = {}): Told {
  const [first] = steps;
  if (first === undefined) throw new Error('no steps');
  const sayings: Saying[] = [];
  let call = newCall(connectionId, first, settings);
  let planned: Check[] = [];
  const advance = (now: number) => {
    const decision = decideVoicemail(call, now, waitMs);
    sayings.push(...decision.sayings);
    planned.push(...decision.checks);
    call = decision.call;
  };
  const look = (now: number) => {
    for (let due = planned.filter((check) => check.at <= now); due.length > 0; due = planned.filter((check) => check.at <= now)) {
      planned = planned.filter((check) => check.at > now);
      const { unheard } = decideVoicemail(call, now, waitMs);
      if (unheard !== undefined) call = addStep(call, step('recording', { RecordingSid: unheard.recordingSid, RecordingStatus: 'completed', RecordingUrl: unheard.url }), settings);
      advance(now);
    }
  };
  let now = start;
  for (const one of steps) {
    now = Math.max(now + gap, Date.parse(one.at));
    look(now);
    call = addStep(call, one, settings);
    advance(now);
  }
  while (planned.length > 0) look(Math.max(...planned.map(({ at }) => at)));
  return { sayings, call };
}

const kinds = ({ sayings }: Told) => sayings.map(({ kind }) => kind);
const only = <K extends Saying['kind']>({ sayings }: Told, kind: K) => sayings.filter((saying): saying is Extract<Saying, { kind: K }> => saying.kind === kind);
/** Some of the steps, each once or more, in any order, soon after one another or not. */
const anyOrder = (...steps: CallStep[]) => fc.tuple(fc.shuffledSubarray([...steps, ...steps], { minLength: steps.length }), fc.constantFrom(0, 1_000, 60_000, 200_000));

describe('decideVoicemail', () => {
  it('tells every recording exactly once and gives its caller as at most one lead, whatever comes, in any order, repeated or never', () => {
    fc.assert(
      fc.property(anyOrder(called, after, ended, recorded, transcript, noTranscript), fc.boolean(), ([some, gap], isTranscribed) => {
        // The recording itself comes at some time; the others may not.
        const steps = some.includes(recorded) ? some : [...some, recorded];
        const told = play(steps, { gap, settings: { ...transcribed, isTranscribed } });
        expect(only(told, 'recording')).toHaveLength(1);
        expect(only(told, 'handoff')).toHaveLength(1);
        const isCallerKnown = steps.some((one) => one.contactAddress !== undefined);
        expect(only(told, 'lead')).toHaveLength(isCallerKnown ? 1 : 0);
        const [recording] = only(told, 'recording');
        const told17 = [recording?.transcript, ...only(told, 'late_transcript').map(({ text }) => text)].filter((text) => typeof text === 'string');
        expect(told17).toEqual(steps.includes(transcript) ? [words] : []);
        expect(told.sayings.map(nameOf)).toHaveLength(new Set(told.sayings.map(nameOf)).size);
      }),
      { numRuns: 400 },
    );
  });

  it('tells a call that left nothing exactly once, and makes no lead of it', () => {
    const empty = step('recording', { RecordingSid: recordingSid, RecordingUrl: url, RecordingStatus: 'completed', RecordingDuration: '0' }, 33);
    const failed = step('recording', { RecordingSid: recordingSid, RecordingStatus: 'failed' }, 33);
    const silent = step('call_action', { From: number, RecordingUrl: url, RecordingDuration: '0', Digits: 'hangup' }, 30);
    fc.assert(
      fc.property(anyOrder(called, ended, nothing, empty, failed, silent), ([steps, gap]) => {
        const told = play(steps, { gap });
        expect(kinds(told)).toEqual(['handoff', 'missed']);
      }),
    );
  });

  it('comes to the same whatever the order: caller, recordings and transcripts of the call', () => {
    fc.assert(
      fc.property(anyOrder(called, after, ended, recorded, transcript, noTranscript), ([steps]) => {
        const fold = (all: readonly CallStep[]) => all.reduce((call, one) => addStep(call, one, transcribed), newCall(connectionId, called, transcribed));
        const inOrder = [called, after, ended, recorded, noTranscript, transcript].filter((one) => steps.includes(one));
        expect(fold(steps)).toEqual(fold(inOrder));
      }),
    );
  });
});

describe('a recording', () => {
  it('is told with its transcript, to people, and with it comes the lead', () => {
    const told = play([called, after, ended, recorded, transcript]);
    expect(told.sayings).toMatchObject([{ kind: 'handoff', about: 'voicemail' }, { kind: 'recording', recordingSid, transcript: words, isCutOff: false }, { kind: 'lead', transcript: words }]);
    expect(told.call.toldAs).toBe(number);
  });

  it('waits for the transcript no longer than it must, and not at all where none comes', () => {
    const call = [called, recorded].reduce((known, one) => addStep(known, one, transcribed), newCall(connectionId, called, transcribed));
    const now = start + 40_000;
    const waiting = decideVoicemail(call, now, waitMs);
    expect(waiting).toMatchObject({ sayings: [], checks: [{ name: 'transcript', at: now + waitMs }] });
    expect(decideVoicemail(waiting.call, now + waitMs - 1, waitMs)).toMatchObject({ sayings: [], checks: [] });
    expect(decideVoicemail(waiting.call, now + waitMs, waitMs).sayings.map(({ kind }) => kind)).toEqual(['handoff', 'recording', 'lead']);
    expect(decideVoicemail(addStep(waiting.call, noTranscript, transcribed), now, waitMs).sayings).toHaveLength(3);
    expect(decideVoicemail({ ...call, settings: { ...transcribed, isTranscribed: false } }, now, waitMs).sayings).toHaveLength(3);
    const short = { ...recorded, facts: { ...recorded.facts, RecordingDuration: '2' } };
    expect(decideVoicemail(addStep(newCall(connectionId, called, transcribed), { ...short, contactAddress: number }, transcribed), now, waitMs).sayings).toHaveLength(3);
  });

  it('is followed by a transcript that comes late, and not by one that failed', () => {
    expect(kinds(play([called, recorded, transcript], { gap: 200_000 }))).toEqual(['handoff', 'recording', 'lead', 'late_transcript']);
    expect(kinds(play([called, recorded, noTranscript], { gap: 200_000 }))).toEqual(['handoff', 'recording', 'lead']);
  });

  it('that is as long as it may be is cut off', () => {
    const long = step('recording', { ...recorded.facts, RecordingDuration: '120' }, 33);
    expect(only(play([called, long]), 'recording')).toMatchObject([{ isCutOff: true }]);
  });

  it('whose caller nothing names is told under the call, and found there again when the caller becomes known', () => {
    const told = play([recorded, transcript, called], { gap: 200_000 });
    expect(kinds(told)).toEqual(['handoff', 'recording', 'late_transcript', 'lead']);
    expect(told.call).toMatchObject({ toldAs: `anonymous:${callSid}`, caller: { address: number, name: 'Ada' } });
  });

  it('before its call waits for whoever names the caller', () => {
    for (const naming of [called, ended, transcript]) expect(play([recorded, naming], { settings: { ...transcribed, isTranscribed: false } }).call.toldAs).toBe(number);
  });

  it('of a caller who withholds the number and leaves neither name nor words is no lead', () => {
    for (const From of ['anonymous', '', '+266696687', 'sip:ada@example.test']) {
      const withheld = step('call', { From, CallerName: 'ANONYMOUS' });
      const told = play([withheld, recorded, { ...noTranscript, contactAddress: `anonymous:${callSid}` }]);
      expect(kinds(told)).toEqual(['handoff', 'recording']);
      expect(told.call.toldAs).toBe(`anonymous:${callSid}`);
      expect(kinds(play([withheld, recorded, { ...transcript, contactAddress: `anonymous:${callSid}` }]))).toEqual(['handoff', 'recording', 'lead']);
    }
  });

  it('that another step names, and whose own webhook never comes, is fetched before the call is given up', () => {
    const told = play([called, after, ended]);
    expect(kinds(told)).toEqual(['handoff', 'recording', 'lead']);
    expect(only(told, 'recording')).toMatchObject([{ recordingSid }]);
  });

  it('that comes late with all the rest, after an outage, is told with its transcript, and nothing is told of a missed call', () => {
    const hourEarlier = (one: CallStep): CallStep => ({ ...one, at: new Date(Date.parse(one.at) - 3_600_000).toISOString() });
    expect(play([called, after, ended, recorded, transcript].map(hourEarlier)).sayings).toMatchObject([{ kind: 'handoff' }, { kind: 'recording', transcript: words }, { kind: 'lead' }]);
  });

  it('that comes after the call was given up is told all the same', () => {
    expect(kinds(play([called, ended, recorded], { gap: 200_000 }))).toEqual(['handoff', 'missed', 'recording', 'lead']);
  });
});

describe('a call without a recording', () => {
  it.each([
    ['hung up in the greeting', [called, ended], 'nothing_left'],
    ['was silent', [called, nothing], 'nothing_left'],
    ['never got through', [called, step('call_status', { From: number, CallStatus: 'no-answer' }, 3)], 'nothing_left'],
    ['is never heard of again', [called], 'nothing_left'],
    ['could not be recorded', [called, step('recording', { RecordingSid: recordingSid, RecordingStatus: 'failed' }, 33)], 'not_recorded'],
  ])('that %s is told as missed', (_, steps, reason) => {
    expect(play(steps).sayings).toMatchObject([{ kind: 'handoff', about: 'missed' }, { kind: 'missed', reason }]);
  });

  it('although a step has named one, is told as missed when Twilio says that it is absent', () => {
    expect(play([called, after, nothing]).sayings).toMatchObject([{ kind: 'handoff', about: 'missed' }, { kind: 'missed', reason: 'nothing_left' }]);
  });

  it('is told under its caller, who is waited for when the word of what it left comes first', () => {
    expect(play([nothing, called]).call.toldAs).toBe(number);
  });

  it('keeps the caller\'s number, and that somebody answered, whatever later steps leave out', () => {
    const vague = step('call_status', { From: 'anonymous', CallStatus: 'no-answer' }, 32);
    for (const steps of [[called, ended, vague], [vague, ended, called]]) expect(play(steps).call).toMatchObject({ caller: { address: number }, end: { isAnswered: true } });
  });

  it('is told as missed half a minute after its end, however long a transcript would be waited for', () => {
    const call = [called, ended].reduce((known, one) => addStep(known, one, transcribed), newCall(connectionId, called, transcribed));
    const { call: waiting, checks } = decideVoicemail(call, start, waitMs);
    expect(checks).toMatchObject([{ name: 'end', at: start + 30_000 }]);
    expect(decideVoicemail(waiting, start + 29_999, waitMs).sayings).toEqual([]);
    expect(decideVoicemail(waiting, start + 30_000, waitMs).sayings.map(({ kind }) => kind)).toEqual(['handoff', 'missed']);
  });

  it('is not given up while it may last', () => {
    const call = addStep(newCall(connectionId, called, transcribed), called, transcribed);
    const { call: waiting, ...first } = decideVoicemail(call, start, waitMs);
    expect(first).toMatchObject({ sayings: [], checks: [{ name: 'silence', at: start + 540_000 }] });
    expect(decideVoicemail(waiting, start + 539_999, waitMs).sayings).toEqual([]);
  });
});
