import type { Answer } from '../exchange.ts';

/** Chatwoot's error bodies (contract, section 3.3). */
export function refusal(status: number, error: string): Answer {
  return { status, json: { error } };
}

/** A record that did not pass its model's checks: the other shape of a 422. */
export function invalidRecord(message: string, ...attributes: string[]): Answer {
  return { status: 422, json: { message, attributes } };
}

export const notFound = (): Answer => refusal(404, 'Resource could not be found');
/** Pundit's refusal: 401, not 403. */
export const notAllowed = (): Answer => refusal(401, 'You are not authorized to do this action');
export const brokenServer = (): Answer => ({ status: 500, json: { status: 500, error: 'Internal Server Error' } });
/** rack-attack: text, and no Retry-After. */
export const throttled = (): Answer => ({ status: 429, bytes: Buffer.from('Retry later\n'), headers: { 'content-type': 'text/plain' } });

/** Thrown by what several routes do together; `answerChatwoot` turns it into the answer. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super('refused');
    this.answer = answer;
  }
}
