import { hubError, type HubError } from '@switchboard/contracts';

/**
 * `storage.unavailable` when the database was lost, is full, overloaded or asks for another try (deadlock, serialization); undefined when the
 * error is about what was asked. Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function asStorageError(error: unknown): HubError | undefined {
  return isTransient(error) ? hubError('storage.unavailable', { cause: error, detail: { code: codeOf(error) ?? null } }) : undefined;
}

/** Whether our own clock ended the statement: its connection still waits for the answer, and is of no more use. */
export function isUnanswered(error: unknown): boolean {
  return messageOf(error) === 'Query read timeout';
}

const socketCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT']);

/** What pg says without a code. */
const connectionMessages = /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout|Client was closed|pool after calling end/i;

/**
 * 08 connection, 53 resources (disk full, too many connections), 57P shutdown and crash, 57014 statement timeout, 40001 serialization,
 * 40P01 deadlock, 55P03 lock not available, 25006 a server that became read-only, 25P03 idle too long in a transaction.
 */
const transientStates = /^(08...|53...|57P..|57014|40001|40P01|55P03|25006|25P03)$/;

function isTransient(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined && transientStates.test(code)) return true;
  // A migration changed a table under a prepared statement: another connection, or the next try, reads the new form.
  if (code === '0A000' && messageOf(error).includes('cached plan must not change result type')) return true;
  return code === undefined ? connectionMessages.test(messageOf(error)) : socketCodes.has(code);
}

// Not `instanceof Error`: Node's own errors are of another realm when a test runner loads modules into a context of its own.
function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

function messageOf(error: unknown): string {
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : undefined;
  return typeof message === 'string' ? message : '';
}
