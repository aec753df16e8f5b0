import { randomBytes } from 'node:crypto';
import type { Answer } from '../exchange.ts';

/** Types of Botpress Cloud's errors by their code (contract, section 2.10). */
const types = { 400: 'InvalidPayload', 401: 'Unauthorized', 402: 'PaymentRequired', 403: 'Forbidden', 404: 'ResourceNotFound', 409: 'AlreadyExists', 413: 'PayloadTooLarge', 429: 'RateLimited', 500: 'Internal', 503: 'Internal', 504: 'OperationTimeout' } as const;

export function cloudError(code: number, message: string, status: number = code): Answer {
  const type = Object.hasOwn(types, code) ? types[code as keyof typeof types] : 'Unknown'; // just asked
  return { status, json: { id: `err_${randomBytes(8).toString('hex')}`, code, type, message } };
}

/** v12's body; whatever has no status of its own is a 400 there, timeouts among them. */
export function v12Error(statusCode: number, message: string, errorCode = 'BP_0000'): Answer {
  return { status: statusCode, json: { statusCode, errorCode, type: statusCode === 401 ? 'UnauthorizedError' : statusCode === 404 ? 'NotFoundError' : 'BadRequestError', message, details: '', docs: 'https://botpress.com/docs' } };
}
