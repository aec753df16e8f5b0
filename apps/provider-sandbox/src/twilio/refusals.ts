import type { Answer } from '../exchange.ts';

/** Twilio's error body (contract, section 7). */
export function refusal(status: number, code: number, message: string): Answer {
  return { status, json: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status } };
}

export const notAuthenticated = (): Answer => refusal(401, 20003, 'Authenticate');
export const notAllowed = (): Answer => refusal(403, 20003, 'Permission Denied');
export const notFound = (path: string): Answer => refusal(404, 20404, `The requested resource ${path} was not found`);

/** Thrown by what a route does; `twilioApi` turns it into the answer. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super('refused');
    this.answer = answer;
  }
}

export function refuse(status: number, code: number, message: string): never {
  throw new Refused(refusal(status, code, message));
}
