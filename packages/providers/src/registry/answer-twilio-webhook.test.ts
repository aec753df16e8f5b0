import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { AnswerContext } from '../provider.ts';
import { answerTwilioWebhook } from './answer-twilio-webhook.ts';
import { chooseGreeting } from './choose-greeting.ts';
import { isVoicemailTranscribed } from './render-voicemail-twiml.ts';
import type { TwilioWebhookKind } from './split-twilio-webhook.ts';

const accountSid = `AC${'a1'.repeat(16)}`;
const settings = { accountSid, language: 'en-US', voicemailMaxSeconds: '90', voicemailSilenceSeconds: '4', transcribe: 'true' };
const context: AnswerContext = { connectionId: 'con_01', settings, publicUrl: 'https://hub.example.test/in' };
const part = (kind: string, form: object = {}) => ({ providerEventId: undefined, orderingKey: 'k', body: JSON.stringify({ kind, query: {}, form: { AccountSid: accountSid, ...form } }) });
const empty = { status: 200, contentType: 'text/xml; charset=utf-8', body: '<?xml version="1.0" encoding="UTF-8"?><Response/>' };
const callWith = (changed: Readonly<Record<string, string>>, form: object = {}) => answerTwilioWebhook(part('call', form), { ...context, settings: { ...settings, ...changed } }).body ?? '';

/** The text of an XML document as a parser gives it: every start tag is closed in order, no bare `<` or `&`. */
function isWellFormed(xml: string): boolean {
  const open: string[] = [];
  const rest = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>/, '').replaceAll(/<(\/?)([A-Z]\w*)((?: \w+="[^"<&]*(?:&#\d+;[^"<&]*)*")*)(\/?)>/g, (_tag, closing: string, name: string, _attributes, alone: string) => {
    if (closing !== '') return open.pop() === name ? '' : '<';
    if (alone === '') open.push(name);
    return '';
  });
  return open.length === 0 && !rest.includes('<') && !/&(?!#\d+;)/.test(rest) && !/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u.test(rest);
}

describe('the answer to Twilio', () => {
  it('to a message is to do nothing, since the reply comes by another way', () => expect(answerTwilioWebhook(part('message'), context)).toEqual(empty));

  it.each<TwilioWebhookKind>(['status', 'call_status', 'recording', 'transcription', 'other'])('to what asks for nothing is nothing (%s)', (kind) => expect(answerTwilioWebhook(part(kind), context)).toEqual({ status: 204 }));

  it('behind a recording is to hang up', () => expect(answerTwilioWebhook(part('call_action'), context).body).toBe('<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>'));

  it('to what is nobody\'s, or what could not be read, is to do nothing', () => {
    for (const aside of [part('call'), part('message'), undefined]) expect(answerTwilioWebhook(aside, undefined)).toEqual(empty);
  });

  it('to a call is to greet and record, and to tell the connection what became of it', () => {
    const url = (path: string) => `https://hub.example.test/in/webhooks/twilio/con_01/${path}?account=${accountSid}#rc=3&#38;rp=all`;
    expect(callWith({})).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response><Say language="en-US">Please leave a message after the tone.</Say>' +
        `<Record action="${url('after')}" method="POST" maxLength="90" timeout="4" finishOnKey="#" playBeep="true" trim="trim-silence" recordingStatusCallback="${url('recording')}" recordingStatusCallbackMethod="POST" ` +
        `recordingStatusCallbackEvent="completed absent" transcribe="true" transcribeCallback="${url('transcription')}"/></Response>`,
    );
  });

  it('plays the tenant\'s recording, or says its words and nothing else', () => {
    expect(callWith({ greetings: '{"en-US":{"url":"https://files.example/a.mp3?x=1&y=2"}}' })).toContain('<Response><Play>https://files.example/a.mp3?x=1&#38;y=2</Play><Record ');
    expect(callWith({ greetings: JSON.stringify({ 'en-US': { text: '</Say><Dial>+1900</Dial><Say> "A" & \'B\'' } }) })).toContain('<Say language="en-US">&#60;/Say&#62;&#60;Dial&#62;+1900&#60;/Dial&#62;&#60;Say&#62; &#34;A&#34; &#38; &#39;B&#39;</Say><Record ');
  });

  it.each([['1', '5'], ['99999', '3600'], ['', '120'], ['x" y="', '120'], ['-5', '120']])('keeps to what Twilio takes (%j seconds)', (given, used) => expect(callWith({ voicemailMaxSeconds: given })).toContain(` maxLength="${used}" `));

  it('is well-formed XML of bounded length, and never plain text, whatever the settings and the caller say', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(']]>', '&amp;', '<!--', '\u{0}\u{b}\u{ffff}', '"><Dial/>'));
    const greeting = fc.oneof(fc.record({ text }), fc.record({ url: fc.webUrl() }));
    const greetings = fc.oneof(fc.dictionary(fc.constantFrom('en-US', 'en-GB', 'pt-BR', 'de', 'x'), greeting).map((value) => JSON.stringify(value)), text);
    const anySettings = fc.record({ language: fc.oneof(text, fc.constantFrom('en-US', 'de-AT', 'fr')), greetings, voicemailMaxSeconds: text, voicemailSilenceSeconds: text, transcribe: fc.oneof(text, fc.constant('true')) }, { requiredKeys: [] });
    fc.assert(
      fc.property(anySettings, text, fc.constantFrom<TwilioWebhookKind>('message', 'call', 'call_action', 'status', 'other'), (given, country, kind) => {
        const answer = answerTwilioWebhook(part(kind, { FromCountry: country }), { ...context, settings: given });
        const { status, contentType = '', body = '' } = answer;
        expect([[204, ''], [200, 'text/xml; charset=utf-8']]).toContainEqual([status, contentType]);
        expect([isWellFormed(body), body.length < 12_000]).toEqual([true, true]);
      }),
      { numRuns: 500 },
    );
  });

  it('never throws, whatever is stored', () => {
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (body) => void answerTwilioWebhook({ providerEventId: undefined, orderingKey: '', body }, context)));
  });
});

describe('the greeting of voicemail', () => {
  const greetings = JSON.stringify({ 'pt-PT': { text: 'Olá' }, 'pt-BR': { text: 'Oi' }, 'en-GB': { text: 'Hello' }, 'de-DE': { url: 'https://files.example/de.mp3' } });
  const chosen = (language: string, country: string, given = greetings) => chooseGreeting({ language, greetings: given }, country).language;

  it.each([['en-US', 'BR', 'pt-BR'], ['en-US', 'br', 'pt-BR'], ['de-DE', '', 'de-DE'], ['de-DE', 'FR', 'de-DE'], ['pt-BR', 'GB', 'en-GB'], ['en-US', 'US', 'en-GB'], ['pt', '', 'pt-PT'], ['fr-FR', 'FR', 'fr-FR'], ['it-IT', 'IT', 'en-US']])('of a number in %s for a caller from %j is the one in %s', (language, country, expected) => {
    expect(chosen(language, country)).toBe(expected);
  });

  it.each([['en-AU', 'Please leave'], ['es-MX', 'Por favor, deje'], ['pt-BR', 'Por favor, deixe'], ['de-AT', 'Bitte'], ['fr-CA', 'Veuillez'], ['ja-JP', 'Please leave']])('is in words of ours where the tenant has none (%s)', (language, words) => {
    expect(chooseGreeting({ language }, '').greeting).toMatchObject({ text: expect.stringContaining(words) });
  });

  it.each(['not json', '[]', '{"en-US":{"url":"http://files.example/a.mp3"}}', '{"en-US":{"text":""}}', 'null'])('is in words of ours where the tenant\'s cannot be read (%s)', (given) => expect(chooseGreeting({ language: 'en-US', greetings: given }, 'US').greeting).toEqual({ text: 'Please leave a message after the tone.' }));
});

describe('a transcript', () => {
  it('is asked for where the tenant wants it and Twilio can write it: English, two minutes at most', () => {
    expect(isVoicemailTranscribed(settings)).toBe(true);
    expect(isVoicemailTranscribed({ ...settings, language: 'en-GB', voicemailMaxSeconds: '120' }, 'GB')).toBe(true);
    for (const changed of [{ transcribe: 'false' }, { transcribe: '' }, { language: 'pt-BR' }, { language: 'enm' }, { voicemailMaxSeconds: '121' }]) expect(isVoicemailTranscribed({ ...settings, ...changed })).toBe(false);
    // Who is greeted in Portuguese does not answer in English.
    expect(isVoicemailTranscribed({ ...settings, greetings: '{"pt-BR":{"text":"Oi"}}' }, 'BR')).toBe(false);
  });
});
