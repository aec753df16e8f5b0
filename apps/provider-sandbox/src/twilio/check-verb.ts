import type { Verb } from './parse-twiml.ts';

/** Attributes of the verbs that are played here; any other verb or attribute is an error (Twilio's 12200). */
const verbs: Readonly<Record<string, { attributes: readonly string[]; text: 'needed' | 'optional' | 'none' }>> = {
  Say: { attributes: ['language', 'voice', 'loop'], text: 'needed' },
  Play: { attributes: ['loop', 'digits'], text: 'needed' },
  Record: { attributes: ['action', 'method', 'timeout', 'finishOnKey', 'maxLength', 'playBeep', 'trim', 'recordingStatusCallback', 'recordingStatusCallbackMethod', 'recordingStatusCallbackEvent', 'transcribe', 'transcribeCallback'], text: 'none' },
  Hangup: { attributes: [], text: 'none' },
  Redirect: { attributes: ['method'], text: 'needed' },
  Reject: { attributes: ['reason'], text: 'none' },
};

const values: Readonly<Record<string, RegExp>> = {
  method: /^(GET|POST)$/,
  recordingStatusCallbackMethod: /^(GET|POST)$/,
  recordingStatusCallbackEvent: /^(in-progress|completed|absent)(\s+(in-progress|completed|absent))*$/,
  playBeep: /^(true|false)$/,
  transcribe: /^(true|false)$/,
  trim: /^(trim-silence|do-not-trim)$/,
  finishOnKey: /^[0-9*#]*$/,
  timeout: /^\d+$/,
  maxLength: /^[1-9]\d*$/,
  loop: /^\d+$/,
  language: /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/,
  reason: /^(rejected|busy)$/,
};

/** What is wrong with a verb of an answer to a call; undefined: nothing. */
export function findVerbFault({ name, attributes, text }: Verb): string | undefined {
  const rule = verbs[name];
  if (rule === undefined) return `12200: <${name}> is no verb that the sandbox plays`;
  for (const [attribute, value] of Object.entries(attributes)) {
    if (!rule.attributes.includes(attribute)) return `12200: <${name}> has no attribute ${attribute}`;
    if (values[attribute]?.test(value) === false) return `12200: ${attribute}="${value}" of <${name}> is not valid`;
  }
  if (rule.text === 'needed' && text === '' && attributes['digits'] === undefined) return `12200: <${name}> is empty`;
  if (rule.text === 'none' && text !== '') return `12200: <${name}> has text`;
  if (name === 'Record' && attributes['transcribeCallback'] !== undefined && attributes['transcribe'] !== 'true') return '12200: <Record> has a transcribeCallback without transcribe="true"';
  // 4096 characters for the basic voices; Twilio cuts what is longer off.
  return name === 'Say' && text.length > 4096 ? '13520: <Say> is too long' : undefined;
}
