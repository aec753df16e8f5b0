import { parseTwiml, type Verb } from './parse-twiml.ts';
import { findVerbFault } from './check-verb.ts';
import type { TwilioCallRow, TwilioDelivery, TwilioNumber, TwilioRecording, WebhookKind } from './rows.ts';
import { newSid, type TwilioStore } from './twilio-store.ts';
import type { TwilioWebhooks } from './twilio-webhooks.ts';

/** `call`: the VoiceUrl is asked again, as when Twilio repeats it. */
export type CallStep = 'call' | 'action' | 'status' | 'recording' | 'transcription';

export type CallScript = {
  readonly from: string;
  readonly to: string;
  readonly country: string;
  readonly does: 'hangUp' | 'speak' | 'silent';
  readonly seconds: number;
  /** How the caller ends: hangs up, presses a key, or falls silent. */
  readonly ends: string;
  readonly recording: 'completed' | 'absent' | 'failed';
  /** The file is not there for so many requests. */
  readonly missingFetches: number;
  readonly audio?: { readonly mimeType: string; readonly base64: string };
  readonly transcript: string | null;
  /** In which order, and how often, the callbacks come; one that is left out never does. */
  readonly order: readonly CallStep[];
  readonly withoutRecordingSid: boolean;
  readonly extra: Readonly<Record<string, string>>;
};

export type CallRun = { readonly row: TwilioCallRow; readonly recordingSid: string | null; readonly transcriptionSid: string | null; readonly deliveries: readonly TwilioDelivery[]; readonly note?: string };

const redirectsMax = 10;
/** Seconds that a greeting takes until the caller has had enough. */
const greetingSeconds = 2;

type Deps = { readonly store: TwilioStore; readonly webhooks: TwilioWebhooks; readonly baseUrl: string; readonly now: () => Date };
type Ended = { readonly status: TwilioCallRow['status'] };

/** A caller rings a number: its VoiceUrl says what happens, the script what the caller does. Undefined: the account has no such number. */
export async function runCall(deps: Deps, accountSid: string, script: CallScript): Promise<CallRun | undefined> {
  const number = deps.store.numberOf(accountSid, script.to);
  const account = deps.store.account(accountSid);
  if (number === undefined || account === undefined) return undefined;
  return await new RunningCall(deps, number, script).run(account.status !== 'active' || deps.store.account(account.ownerSid)?.status === 'suspended');
}

class RunningCall {
  private readonly deps: Deps;
  private readonly number: TwilioNumber;
  private readonly script: CallScript;
  private readonly deliveries: TwilioDelivery[] = [];
  private row: TwilioCallRow;
  private recording: TwilioRecording | undefined;
  private transcriptionSid: string | null = null;
  /** Callbacks that `<Record>` and the end of the call bring, each to be sent when its turn comes. */
  private readonly steps = new Map<CallStep, () => Promise<TwilioDelivery>>();

  constructor(deps: Deps, number: TwilioNumber, script: CallScript) {
    this.deps = deps;
    this.number = number;
    this.script = script;
    this.row = { sid: newSid('CA'), accountSid: number.accountSid, numberSid: number.sid, from: script.from, to: script.to, status: 'ringing', durationSeconds: 0, startedAt: deps.now().toISOString(), endedAt: null, verbs: [], error: null };
  }

  async run(isSuspended: boolean): Promise<CallRun> {
    const { settings } = this.number;
    const isTaken = Boolean(settings['VoiceApplicationSid'] || settings['TrunkSid']);
    const url = isTaken ? '' : (settings['VoiceUrl'] ?? '');
    if (isSuspended || url === '') {
      this.change({ status: 'failed', endedAt: this.deps.now().toISOString(), error: isSuspended ? 'the account is suspended' : 'the number has no VoiceUrl' });
      return this.outcome(this.row.error ?? undefined);
    }
    this.change({ status: 'in-progress' });
    const ask = () => this.ask('call', url, settings['VoiceMethod'], this.parameters('ringing'));
    let asked = await ask();
    if (asked.verbs === undefined && settings['VoiceFallbackUrl']) {
      asked = await this.ask('call', settings['VoiceFallbackUrl'], settings['VoiceFallbackMethod'], { ...this.parameters('ringing'), ErrorCode: /^\d+/.exec(this.row.error ?? '')?.[0] ?? '11200', ErrorUrl: url.split('#', 1)[0] ?? '' });
    }
    this.steps.set('call', async () => (await ask()).delivery);
    const ended = await this.follow(asked.verbs, asked.url, 0);
    this.planEnd(ended);
    for (const step of this.script.order) {
      const act = this.steps.get(step);
      if (act !== undefined) await act();
    }
    return this.outcome();
  }

  /** What the verbs do until the call ends. An answer that says nothing of use ends it. */
  private async follow(verbs: readonly Verb[] | undefined, url: string, redirects: number): Promise<Ended> {
    for (const [index, verb] of (verbs ?? []).entries()) {
      const fault = findVerbFault(verb);
      if (fault !== undefined) {
        this.change({ error: fault });
        return { status: 'completed' };
      }
      this.change({ verbs: [...this.row.verbs, { verb: verb.name, attributes: verb.attributes, text: verb.text }] });
      const isGone = this.script.does === 'hangUp' && verb.name !== 'Reject';
      if (verb.name === 'Reject' && index === 0) return { status: verb.attributes['reason'] === 'busy' ? 'busy' : 'no-answer' };
      if (isGone || verb.name === 'Hangup') {
        this.lasts(greetingSeconds);
        return { status: 'completed' };
      }
      if (verb.name === 'Redirect') {
        if (redirects >= redirectsMax) {
          this.change({ error: '12000: too many redirects' });
          return { status: 'completed' };
        }
        const next = await this.ask('call', absoluteUrl(verb.text, url), verb.attributes['method'], this.parameters('in-progress'));
        return await this.follow(next.verbs, next.url, redirects + 1);
      }
      // Behind an empty recording the next verb follows; behind any other the action's answer.
      if (verb.name === 'Record' && this.record(verb, url)) return { status: 'completed' };
    }
    return { status: 'completed' };
  }

  /** True when something was said: the verbs behind are never reached. */
  private record({ attributes }: Verb, documentUrl: string): boolean {
    const { script } = this;
    const transcribes = attributes['transcribe'] === 'true' || attributes['transcribeCallback'] !== undefined;
    const longest = Number(attributes['maxLength'] ?? (transcribes ? 120 : 3600));
    const isSilent = script.does === 'silent' || script.seconds <= 0;
    const seconds = isSilent ? 0 : Math.min(script.seconds, longest);
    this.lasts(greetingSeconds + (isSilent ? Number(attributes['timeout'] ?? 5) : seconds));
    const status = isSilent ? 'absent' : script.recording;
    this.recording = { sid: newSid('RE'), accountSid: this.row.accountSid, callSid: this.row.sid, status, durationSeconds: seconds, contentType: script.audio?.mimeType ?? 'audio/mpeg', base64: script.audio?.base64 ?? '', missingFetches: script.missingFetches, createdAt: this.deps.now().toISOString() };
    this.deps.store.put('twilioRecording', this.recording.sid, this.recording);
    const { recording } = this;
    const fileUrl = `${this.deps.baseUrl}/2010-04-01/Accounts/${recording.accountSid}/Recordings/${recording.sid}`;
    const resolve = (given: string) => absoluteUrl(given, documentUrl);
    const callback = attributes['recordingStatusCallback'];
    const events = (attributes['recordingStatusCallbackEvent'] ?? 'completed').split(/\s+/);
    // `failed` is told to whoever listens to `completed`.
    if (callback && events.includes(status === 'failed' ? 'completed' : status)) this.steps.set('recording', () => this.send('recording', resolve(callback), attributes['recordingStatusCallbackMethod'], this.recordingParameters(recording, fileUrl)));
    if (isSilent) return false;
    const isCut = script.seconds >= longest;
    const digits = isCut ? '' : script.ends === 'hangup' ? 'hangup' : isKey(script.ends, attributes['finishOnKey']) ? script.ends : '';
    this.steps.set('action', async () => {
      const parameters = { ...this.parameters(digits === 'hangup' ? 'completed' : 'in-progress'), RecordingUrl: fileUrl, RecordingSid: recording.sid, RecordingDuration: String(seconds), ...(digits === '' ? {} : { Digits: digits }) };
      const asked = await this.ask('call_action', resolve(attributes['action'] ?? documentUrl), attributes['method'], parameters);
      if (digits !== 'hangup') for (const verb of asked.verbs ?? []) this.change({ verbs: [...this.row.verbs, { verb: verb.name, attributes: verb.attributes, text: verb.text }], error: findVerbFault(verb) ?? this.row.error });
      return asked.delivery;
    });
    this.planTranscription(attributes, recording, fileUrl, resolve);
    return true;
  }

  /** American English of more than 2 and less than 120 seconds. */
  private planTranscription(attributes: Readonly<Record<string, string>>, recording: TwilioRecording, fileUrl: string, resolve: (url: string) => string): void {
    const callback = attributes['transcribeCallback'];
    const isAsked = attributes['transcribe'] === 'true' && recording.status === 'completed' && recording.durationSeconds > 2 && recording.durationSeconds <= 120;
    if (!isAsked) return;
    const text = this.script.transcript;
    const sid = newSid('TR');
    this.transcriptionSid = sid;
    const status = text === null ? 'failed' : 'completed';
    this.deps.store.put('twilioTranscription', sid, { sid, accountSid: recording.accountSid, recordingSid: recording.sid, status, text: text ?? '', createdAt: this.deps.now().toISOString() });
    if (!callback) return;
    this.steps.set('transcription', () =>
      this.send('transcription', resolve(callback), 'POST', {
        ...this.parameters('completed'),
        TranscriptionSid: sid,
        TranscriptionStatus: status,
        TranscriptionUrl: `${this.deps.baseUrl}/2010-04-01/Accounts/${recording.accountSid}/Recordings/${recording.sid}/Transcriptions/${sid}`,
        TranscriptionType: 'fast',
        ...(text === null ? {} : { TranscriptionText: text }),
        RecordingSid: recording.sid,
        RecordingUrl: fileUrl,
      }),
    );
  }

  private planEnd({ status }: Ended): void {
    this.change({ status, endedAt: this.deps.now().toISOString() });
    const callback = this.number.settings['StatusCallback'];
    if (!callback) return;
    const seconds = String(this.row.durationSeconds);
    this.steps.set('status', () =>
      this.send('call_status', callback, this.number.settings['StatusCallbackMethod'], { ...this.parameters(status), Duration: String(Math.ceil(this.row.durationSeconds / 60)), CallDuration: seconds, Timestamp: this.deps.now().toUTCString().replace('GMT', '+0000'), CallbackSource: 'call-progress-events', SequenceNumber: '0' }),
    );
  }

  /** Asks for TwiML; without verbs the answer was of no use, and the row says why. */
  private async ask(kind: WebhookKind, url: string, method: string | undefined, parameters: Record<string, string>): Promise<{ verbs: readonly Verb[] | undefined; url: string; delivery: TwilioDelivery }> {
    let verbs: readonly Verb[] | undefined;
    const delivery = await this.send(kind, url, method, parameters, (answer) => {
      if (!/^(text|application)\/(xml|html)\b/i.test(answer.contentType)) return `12300: invalid Content-Type ${answer.contentType}`;
      const read = parseTwiml(answer.body);
      if ('error' in read) return `12100: ${read.error}`;
      verbs = read.verbs;
      return read.verbs.map(findVerbFault).find((fault) => fault !== undefined);
    });
    if (delivery.error !== null) this.change({ error: delivery.error });
    return { verbs, url: url.split('#', 1)[0] ?? url, delivery };
  }

  private async send(kind: WebhookKind, url: string, method: string | undefined, parameters: Record<string, string>, read?: (answer: { contentType: string; body: string }) => string | undefined): Promise<TwilioDelivery> {
    const delivery = await this.deps.webhooks.send(this.row.accountSid, { kind, url, method, parameters }, read);
    this.deliveries.push(delivery);
    return delivery;
  }

  private parameters(status: string): Record<string, string> {
    const { from, to, country, extra } = this.script;
    const geo = (side: string, of: string) => ({ [`${side}City`]: '', [`${side}State`]: '', [`${side}Zip`]: '', [`${side}Country`]: of });
    return { AccountSid: this.row.accountSid, ApiVersion: '2010-04-01', CallSid: this.row.sid, CallStatus: status, Direction: 'inbound', From: from, To: to, Caller: from, Called: to, ...geo('From', country), ...geo('Caller', country), ...geo('To', 'US'), ...geo('Called', 'US'), ...extra };
  }

  /** No From and no To. */
  private recordingParameters(recording: TwilioRecording, fileUrl: string): Record<string, string> {
    return {
      AccountSid: recording.accountSid,
      CallSid: recording.callSid,
      ...(this.script.withoutRecordingSid ? {} : { RecordingSid: recording.sid, RecordingUrl: fileUrl }),
      RecordingStatus: recording.status,
      RecordingDuration: recording.status === 'completed' ? String(recording.durationSeconds) : '0',
      RecordingChannels: '1',
      RecordingSource: 'RecordVerb',
      RecordingStartTime: new Date(recording.createdAt).toUTCString().replace('GMT', '+0000'),
      RecordingTrack: 'inbound',
      ErrorCode: recording.status === 'failed' ? '31500' : '0',
    };
  }

  private lasts(seconds: number): void {
    this.change({ durationSeconds: Math.ceil(this.row.durationSeconds + seconds) });
  }

  private change(changes: Partial<TwilioCallRow>): void {
    this.row = { ...this.row, ...changes };
    this.deps.store.put('twilioCall', this.row.sid, this.row);
  }

  private outcome(note?: string): CallRun {
    return { row: this.row, recordingSid: this.recording?.sid ?? null, transcriptionSid: this.transcriptionSid, deliveries: this.deliveries, ...(note === undefined ? {} : { note }) };
  }
}

/** Any key ends a recording when the verb does not say which. */
function isKey(key: string, finishOnKey = '1234567890*#'): boolean {
  return key.length === 1 && finishOnKey.includes(key);
}

/** A whole URL stays as it was written: it is signed so. */
function absoluteUrl(given: string, documentUrl: string): string {
  return /^https?:\/\//i.test(given) ? given : new URL(given, documentUrl).href;
}
