import type { Envelope } from '@switchboard/contracts';
import { testTenants } from '@switchboard/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { callAt, callerNumber, startVoicemailHub, type Step, type TestCall, type VoicemailHub } from '../../test/voicemail-hub.ts';

const [acme, globex] = testTenants;
let hub: VoicemailHub;
let first: Awaited<ReturnType<VoicemailHub['startProcess']>>;
let second: typeof first;
let ours: TestCall;

beforeAll(async () => {
  hub = await startVoicemailHub();
  [first, second] = [await hub.startProcess(), await hub.startProcess()];
}, 60_000);
afterAll(() => hub?.stop());

beforeEach(() => {
  hub.published.splice(0);
  hub.recordings.asked.splice(0);
  ours = callAt(hub.connect(acme));
});

const take = (step: Step, form: Record<string, string> = {}, call = ours) => first.handle(hub.step(call, step, form));
/** Every look when it is due, those too that another one plans. */
async function lookAll(): Promise<void> {
  for (let taken = 0; taken < hub.checks().length; ) {
    hub.clock.now += 3_600_000;
    for (const check of hub.checks().slice(taken)) {
      taken++;
      await first.handle(check);
    }
  }
}
const told = (tenantId = acme) => hub.heard(tenantId).map(({ type, content }) => content?.kind ?? type);
const payloadOf = (kind: string, tenantId = acme) => hub.heard(tenantId).find(({ type, content }) => (content?.kind ?? type) === kind)?.payload;

describe('a voicemail', () => {
  it('becomes a handoff, one audio message with its transcript, and one lead', async () => {
    for (const step of ['call', 'call_action', 'call_status', 'recording', 'transcription'] as const) await take(step);
    expect(hub.heard(acme)).toMatchObject([
      { type: 'message.received', address: callerNumber, content: { kind: 'handoff', to: 'desk', reason: 'voicemail', summary: `Voicemail from ${callerNumber} to +15005550006, 2026-11-22 09:00 UTC.` }, payload: { role: 'channel', author: 'system' } },
      {
        type: 'message.received',
        address: callerNumber,
        content: { kind: 'audio', voice: true, media: { mimeType: 'audio/mpeg', mediaKey: expect.stringMatching(/^[0-9a-f]{64}$/), caption: 'Please call me back.' } },
        payload: { connectionId: ours.connection.connectionId, provider: 'twilio', author: 'contact', providerMessageId: ours.recordingSid, attributes: { call: ours.callSid, source: 'voicemail', durationSeconds: '17' } },
      },
      { type: 'lead.captured', payload: { source: 'voicemail', contact: { phone: callerNumber }, notes: 'Please call me back.', attributes: { call: ours.callSid, recording: ours.recordingSid, durationSeconds: '17', to: '+15005550006' }, from: { connectionId: ours.connection.connectionId, address: callerNumber }, at: '2026-11-22T09:00:00.000Z' } },
    ]);
  });

  it('is told once, though every step comes twice and to two processes at the same moment', async () => {
    for (let round = 0; round < 8; round++) {
      const call = callAt(ours.connection);
      const steps = (['transcription', 'recording', 'call', 'call_action'] as const).map((step) => hub.step(call, step));
      await Promise.all([...steps.map((event) => first.handle(event)), ...steps.toReversed().map((event) => second.handle({ ...event }))]);
      await lookAll();
      expect(told().toSorted()).toEqual(['audio', 'handoff', 'lead.captured']);
      expect(hub.published.filter(({ type }) => type !== 'voicemail.check')).toHaveLength(3);
      expect(payloadOf('audio')).toMatchObject({ content: { media: { caption: 'Please call me back.' } } });
      hub.published.splice(0);
    }
  });

  it('of one tenant is nothing to another one with the same call and number', async () => {
    const theirs = callAt(hub.connect(globex), { like: ours });
    await take('call');
    await take('recording', {}, theirs);
    await take('transcription', { TranscriptionText: 'for acme' });
    await take('transcription', { TranscriptionText: 'for globex' }, theirs);
    await take('recording');
    expect(payloadOf('audio', acme)).toMatchObject({ connectionId: ours.connection.connectionId, content: { media: { caption: 'for acme' } } });
    expect(payloadOf('audio', globex)).toMatchObject({ connectionId: theirs.connection.connectionId, content: { media: { caption: 'for globex' } } });
    expect(payloadOf('lead.captured', acme)).not.toMatchObject({ leadId: payloadOf('lead.captured', globex)?.['leadId'] });
    expect(await hub.rows(globex, 'select call_sid from calls where connection_id = $1', [ours.connection.connectionId])).toEqual([]);
    expect(await hub.rows(acme, 'select call_sid from calls where connection_id = $1', [ours.connection.connectionId])).toHaveLength(1);
  });

  it('of one connection is nothing to another one of the tenant, whose server names its calls alike', async () => {
    const other = callAt(hub.connect(acme), { like: ours });
    for (const call of [ours, other]) for (const step of ['call', 'transcription', 'recording'] as const) await take(step, {}, call);
    const audio = hub.heard(acme).filter(({ content }) => content?.kind === 'audio');
    expect(audio.map(({ payload }) => payload['connectionId'])).toEqual([ours.connection.connectionId, other.connection.connectionId]);
  });

  it('survives a process that dies in any of its steps', async () => {
    for (const step of ['call', 'recording', 'transcription'] as const) {
      const event = hub.step(ours, step);
      await expect(first.handle(event, { dies: true })).rejects.toThrow('killed');
      await second.handle(event);
    }
    expect(told()).toEqual(['handoff', 'audio', 'lead.captured']);
  });

  it('waits for its transcript, then goes on without; the transcript follows', async () => {
    await take('call');
    await take('recording');
    expect(told()).toEqual([]);
    const check = hub.checks().find(({ orderingKey }) => orderingKey.startsWith('transcript:')) as Envelope;
    expect(check.payload).toEqual({ connectionId: ours.connection.connectionId, callId: ours.callSid, dueAt: new Date(hub.clock.now + 120_000).toISOString() });
    hub.clock.now += 119_000;
    await expect(first.handle(check)).rejects.toMatchObject({ code: 'service.unavailable', retry: { afterMs: 1_000, counted: false, planned: true } });
    hub.clock.now += 1_000;
    await expect(first.handle(check, { dies: true })).rejects.toThrow('killed');
    await second.handle(check);
    await second.handle(check);
    expect(told()).toEqual(['handoff', 'audio', 'lead.captured']);
    expect(payloadOf('audio')).not.toHaveProperty('content.media.caption');
    await take('transcription');
    await take('transcription');
    expect(told()).toEqual(['handoff', 'audio', 'lead.captured', 'notice']);
    expect(payloadOf('notice')).toMatchObject({ author: 'contact', contact: { address: callerNumber }, content: { text: 'Transcript: Please call me back.' }, providerMessageId: ours.transcriptionSid });
  });

  it('whose transcript failed, or was not asked for, goes on at once', async () => {
    await take('call');
    await take('recording');
    await take('transcription', { TranscriptionStatus: 'failed', TranscriptionText: '' });
    expect(told()).toEqual(['handoff', 'audio', 'lead.captured']);
    hub.published.splice(0);
    const greetings = JSON.stringify({ 'en-US': { text: 'Hello.' }, 'pt-BR': { text: 'Olá.' } });
    for (const [settings, country] of [[{ language: 'pt-BR' }, 'US'], [{ transcribe: 'false' }, 'US'], [{ greetings }, 'BR']] as const) {
      ours = callAt(hub.connect(acme, settings));
      await take('call', { FromCountry: country });
      await take('recording');
      expect(told()).toEqual(['handoff', 'audio', 'lead.captured']);
      hub.published.splice(0);
    }
  });

  it('that is too long says that it is cut off', async () => {
    ours = callAt(hub.connect(acme, { voicemailMaxSeconds: '60' }));
    await take('call');
    await take('recording', { RecordingDuration: '60' });
    await take('transcription');
    expect(payloadOf('audio')).toMatchObject({ attributes: { durationSeconds: '60', cutOff: 'true' } });
  });

  it('whose recording cannot be fetched goes on without it, with the reason', async () => {
    hub.recordings.away.set(ours.recordingSid, 410);
    await take('call');
    await take('recording');
    await take('transcription');
    expect(payloadOf('audio')).toMatchObject({ content: { media: { unavailable: expect.any(String), caption: 'Please call me back.' } } });
  });

  it('before its call waits for who calls; without a word of that it stands for itself', async () => {
    await take('recording');
    await take('call');
    await take('transcription');
    expect(payloadOf('audio')).toMatchObject({ contact: { address: callerNumber } });
    hub.published.splice(0);
    ours = callAt(ours.connection);
    await take('recording');
    await lookAll();
    expect(told()).toEqual(['handoff', 'audio']);
    expect(payloadOf('audio')).toMatchObject({ contact: { address: `anonymous:${ours.callSid}`, name: 'Anonymous caller' } });
  });

  it('without a number is a conversation of its own, and a lead by its words alone', async () => {
    for (const from of ['anonymous', '+266696687']) {
      ours = callAt(ours.connection, { from });
      await take('call');
      await take('recording');
      await take('transcription');
      expect(payloadOf('audio')).toMatchObject({ contact: { address: `anonymous:${ours.callSid}` } });
      expect(payloadOf('lead.captured')).toMatchObject({ contact: {}, notes: 'Please call me back.', from: { address: `anonymous:${ours.callSid}` } });
      hub.published.splice(0);
    }
  });

  it('whose own webhook never came is fetched when its time is over', async () => {
    await take('call');
    await take('call_action');
    await take('call_status');
    hub.recordings.away.set(ours.recordingSid, 503);
    hub.clock.now += 600_000;
    const [check] = hub.checks().filter(({ orderingKey }) => orderingKey.startsWith('recording:'));
    await expect(first.handle(check as Envelope)).rejects.toMatchObject({ code: 'media.unavailable' });
    hub.recordings.away.clear();
    await lookAll();
    expect(told()).toEqual(['handoff', 'audio', 'lead.captured']);
    expect(payloadOf('audio')).toMatchObject({ providerMessageId: ours.recordingSid, content: { media: { mediaKey: expect.any(String) } } });
  });

  it('keeps what another process hears of it while it is fetched', async () => {
    await take('call');
    await take('call_action');
    hub.clock.now += 600_000;
    const [check] = hub.checks().filter(({ orderingKey }) => orderingKey.startsWith('recording:'));
    hub.recordings.meanwhile.set(ours.recordingSid, () => second.handle(hub.step(ours, 'transcription')));
    await first.handle(check as Envelope);
    expect(told()).toEqual(['handoff', 'audio', 'lead.captured']);
    expect(payloadOf('audio')).toMatchObject({ content: { media: { mediaKey: expect.any(String), caption: 'Please call me back.' } } });
  });

  it('is told without its file, with the reason, when Twilio does not give it in four tries', async () => {
    await take('call');
    await take('call_action');
    hub.recordings.away.set(ours.recordingSid, 503);
    hub.clock.now += 600_000;
    const [check] = hub.checks().filter(({ orderingKey }) => orderingKey.startsWith('recording:')) as [Envelope];
    await expect(first.handle(check, { attempt: 3 })).rejects.toMatchObject({ code: 'media.unavailable' });
    await first.handle(check, { attempt: 4 });
    await lookAll();
    expect(told()).toEqual(['handoff', 'audio', 'lead.captured']);
    expect(payloadOf('audio')).toMatchObject({ content: { media: { unavailable: expect.any(String) } } });
  });
});

describe('a call that left nothing', () => {
  it.each([
    ['hung up in the greeting', [['call'], ['call_status']], 'no message was left'],
    ['said nothing', [['call'], ['recording', { RecordingSid: '', RecordingStatus: 'absent' }], ['call_status']], 'no message was left'],
    ['left an empty recording', [['call'], ['recording', { RecordingDuration: '0' }]], 'no message was left'],
    ['could not be recorded', [['call'], ['recording', { RecordingStatus: 'failed' }]], 'could not be recorded'],
    ['is never heard of again', [['call']], 'no message was left'],
  ] as const)('because the caller %s is told once, to people, and is no lead', async (_, steps, words) => {
    for (const [step, form] of [...steps, ...steps]) await take(step, form);
    await lookAll();
    await lookAll();
    expect(told()).toEqual(['handoff', 'notice']);
    expect(payloadOf('notice')).toMatchObject({ author: 'contact', contact: { address: callerNumber }, content: { text: expect.stringContaining(words) } });
    expect(payloadOf('handoff')).toMatchObject({ content: { to: 'desk', reason: 'missed call' } });
  });
});

describe('calls', () => {
  it('are kept for sixty days', async () => {
    const old = callAt(ours.connection);
    for (const call of [ours, old]) await take('call', {}, call);
    await hub.rows(acme, `update calls set created_at = now() - interval '61 days' where call_sid = $1`, [old.callSid]);
    await first.tasks.find(({ name }) => name === 'drop-old-calls')?.run();
    expect(await hub.rows(acme, 'select call_sid from calls where connection_id = $1', [ours.connection.connectionId])).toEqual([{ call_sid: ours.callSid }]);
  });
});
