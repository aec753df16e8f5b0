import { beforeEach, describe, expect, it } from '@jest/globals';
import { twilioRoom, type TwilioRoom } from '../../test/twilio-room.ts';
import { sandboxWorld, type SandboxWorld } from '../../test/sandbox-world.ts';
import { parseTwiml } from './parse-twiml.ts';

const greeting = (record: string) => `<?xml version="1.0" encoding="UTF-8"?><Response><Say language="en-US">Please &#39;speak&#39;.</Say><Record ${record}/></Response>`;
const whole = 'action="/after?account=x" method="POST" maxLength="60" timeout="5" finishOnKey="#" recordingStatusCallback="/recording?account=x#rc=3&amp;rp=all" recordingStatusCallbackEvent="completed absent" transcribe="true" transcribeCallback="/transcription?account=x"';

describe('a call at the stand-in for Twilio', () => {
  let world: SandboxWorld;
  let acme: TwilioRoom;
  let answers: Record<string, string>;

  beforeEach(async () => {
    world = sandboxWorld();
    acme = await twilioRoom(world);
    answers = { voice: greeting(whole), after: '<Response><Hangup/></Response>' };
    world.sender.reply = ({ url }) => ({ contentType: 'text/xml', body: answers[/\/(\w+)(\?|$)/.exec(url)?.[1] ?? ''] ?? '' });
    await acme.call('POST', `/IncomingPhoneNumbers/${acme.numberSid}.json`, { VoiceUrl: 'https://hub.test/voice?account=x#rc=3&rp=all', StatusCallback: 'https://hub.test/status' });
  });

  const call = (given: Record<string, unknown> = {}) => acme.control('POST', '/call', { from: '+15550001111', to: acme.phoneNumber, ...given });
  const sent = () => world.sender.sent.map(({ url, body }) => ({ path: new URL(url).pathname, form: Object.fromEntries(new URLSearchParams(body)) }));
  const paths = () => sent().map(({ path }) => path);
  const form = (path: string) => sent().find((one) => one.path === path)?.form;

  it('is greeted, recorded, ended, and transcribed', async () => {
    const { status, json } = await call({ seconds: 17, transcript: 'Call me back.', country: 'BR' });
    expect([status, json['status'], json['error']]).toEqual([202, 'completed', null]);
    expect(json['verbs']).toMatchObject([{ verb: 'Say', text: "Please 'speak'.", attributes: { language: 'en-US' } }, { verb: 'Record' }]);
    expect(paths()).toEqual(['/voice', '/after', '/status', '/recording', '/transcription']);
    expect(form('/voice')).toMatchObject({ CallStatus: 'ringing', Direction: 'inbound', From: '+15550001111', To: acme.phoneNumber, FromCountry: 'BR', ApiVersion: '2010-04-01' });
    expect(form('/after')).toMatchObject({ CallSid: json['callSid'], Digits: 'hangup', RecordingDuration: '17', RecordingUrl: expect.stringContaining(`/Recordings/${String(json['recordingSid'])}`) });
    expect(form('/status')).toMatchObject({ CallStatus: 'completed', CallDuration: '19' });
    expect(form('/recording')).toMatchObject({ RecordingSid: json['recordingSid'], RecordingStatus: 'completed', RecordingDuration: '17', RecordingSource: 'RecordVerb' });
    expect(Object.keys(form('/recording') ?? {})).not.toContain('From');
    expect(form('/transcription')).toMatchObject({ TranscriptionSid: json['transcriptionSid'], TranscriptionStatus: 'completed', TranscriptionText: 'Call me back.', From: '+15550001111' });
    const file = await world.ask('GET', `/twilio/2010-04-01/Accounts/${acme.accountSid}/Recordings/${String(json['recordingSid'])}.mp3`);
    expect([file.status, file.headers['content-type']]).toEqual([200, 'audio/mpeg']);
  });

  it('ends in the greeting with nothing but its status', async () => {
    expect((await call({ does: 'hangUp' })).json).toMatchObject({ status: 'completed', recordingSid: null });
    expect(paths()).toEqual(['/voice', '/status']);
  });

  it('has an absent recording of a silent caller, and no action', async () => {
    await call({ does: 'silent' });
    expect(paths()).toEqual(['/voice', '/status', '/recording']);
    expect(form('/recording')).toMatchObject({ RecordingStatus: 'absent', RecordingDuration: '0' });
  });

  it('is cut at the greatest length, and says nothing of keys then', async () => {
    await call({ seconds: 300, ends: '#' });
    expect(form('/after')).toMatchObject({ RecordingDuration: '60' });
    expect(form('/after')).not.toHaveProperty('Digits');
  });

  it('may fail to be recorded or transcribed', async () => {
    await call({ recording: 'failed' });
    expect(form('/recording')).toMatchObject({ RecordingStatus: 'failed', ErrorCode: '31500' });
    expect(paths()).not.toContain('/transcription');
    await call({ transcript: null });
    expect(form('/transcription')).toMatchObject({ TranscriptionStatus: 'failed' });
    expect(form('/transcription')).not.toHaveProperty('TranscriptionText');
  });

  it('tells of itself in any order, and as often as it was told', async () => {
    await call({ order: ['transcription', 'recording', 'recording', 'call', 'action'] });
    expect(paths()).toEqual(['/voice', '/transcription', '/recording', '/recording', '/voice', '/after']);
  });

  it('makes a file wait that is asked for too early', async () => {
    const { json } = await call({ missingFetches: 1, audio: { mimeType: 'audio/mpeg', base64: Buffer.from('mp3').toString('base64') } });
    const path = `/twilio/2010-04-01/Accounts/${acme.accountSid}/Recordings/${String(json['recordingSid'])}.mp3`;
    expect((await world.ask('GET', path)).status).toBe(404);
    expect(await world.ask('GET', path)).toMatchObject({ status: 200, text: 'mp3' });
  });

  it('takes an anonymous caller, and the fallback URL where the first answer is of no use', async () => {
    await acme.call('POST', `/IncomingPhoneNumbers/${acme.numberSid}.json`, { VoiceFallbackUrl: 'https://hub.test/fallback' });
    answers = { ...answers, voice: '<Response><Say>Hi</Response>', fallback: '<Response><Reject reason="busy"/></Response>' };
    expect((await call({ from: 'anonymous' })).json).toMatchObject({ status: 'busy' });
    expect(form('/fallback')).toMatchObject({ From: 'anonymous', ErrorCode: '12100', ErrorUrl: 'https://hub.test/voice?account=x' });
  });

  it.each([
    ['a verb that it does not play', '<Response><Dial>+1555</Dial></Response>', /<Dial>/],
    ['an attribute that the verb does not have', '<Response><Say lang="en">Hi</Say></Response>', /lang/],
    ['a transcript that is sent but not asked for', greeting('transcribeCallback="/t"'), /transcribe/],
    ['plain text', 'OK', /tag/],
    ['something else at the root', '<Answer/>', /Response/],
    ['an ampersand that is none', '<Response><Say>A & B</Say></Response>', /entity/],
  ])('keeps and shows what is wrong with %s', async (_what, answer, error) => {
    answers = { voice: answer };
    const { json } = await call();
    expect(String(json['error'])).toMatch(error);
    expect(json['deliveries']).toMatchObject([{ kind: 'call', error: expect.stringMatching(error), answer: { body: answer } }, { kind: 'call_status' }]);
  });

  it('follows a redirect, and reads verbs with comments, quotes and entities', async () => {
    answers = { voice: '<Response><Redirect>/next</Redirect></Response>', next: '<Response><!-- bye --><Hangup/></Response>' };
    expect((await call()).json).toMatchObject({ status: 'completed', verbs: [{ verb: 'Redirect' }, { verb: 'Hangup' }] });
    expect(parseTwiml(`<Response><Play loop='2'>https://x.test/?a=1&amp;b=2</Play></Response>`)).toEqual({ verbs: [{ name: 'Play', attributes: { loop: '2' }, text: 'https://x.test/?a=1&b=2' }] });
  });
});
