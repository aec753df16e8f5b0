import type { AnswerContext, WebhookAnswer, WrittenPart } from '../provider.ts';

/** What Twilio does next. */
export function answerTwilioWebhook(_part: WrittenPart, _context: AnswerContext): WebhookAnswer {
  return { status: 204 };
}
