import type { AnswerContext, WebhookAnswer, WrittenPart } from '../provider.ts';
import { renderVoicemailTwiml, twiml } from './render-voicemail-twiml.ts';
import type { StoredTwilioWebhook } from './split-twilio-webhook.ts';

/**
 * What Twilio does next: greet and record a caller, hang up behind a recording, nothing else. Never plain text, which it would send to the contact as a
 * message. What is nobody's (no context), or could not be read, is answered with nothing to do. Pure, never throws.
 */
export function answerTwilioWebhook(part: WrittenPart | undefined, context: AnswerContext | undefined): WebhookAnswer {
  const stored = part === undefined ? undefined : read(part.body);
  switch (stored?.kind) {
    case undefined:
    case 'message':
      return instructions(twiml(''));
    case 'call':
      return instructions(context === undefined ? twiml('') : renderVoicemailTwiml({ accountSid: first(stored, 'AccountSid'), callerCountry: first(stored, 'FromCountry') }, context));
    case 'call_action':
      return instructions(twiml('<Hangup/>'));
    default:
      return { status: 204 };
  }
}

function instructions(body: string): WebhookAnswer {
  return { status: 200, contentType: 'text/xml; charset=utf-8', body };
}

/** As `splitTwilioWebhook` wrote it. */
function read(body: string): StoredTwilioWebhook | undefined {
  try {
    // The cast is safe for what the split wrote; anything else has no kind that is known.
    return JSON.parse(body) as StoredTwilioWebhook;
  } catch {
    return undefined;
  }
}

function first({ form }: Partial<StoredTwilioWebhook>, name: string): string {
  const value = form?.[name];
  return typeof value === 'string' ? value : (value?.[0] ?? '');
}
