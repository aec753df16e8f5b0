import type { ErrorCode, Problem } from '@switchboard/contracts';

/** What the hub answered instead of success. `code` is the stable name; docs/errors.md says what each means and the way out. */
export class SwitchboardError extends Error {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly code: ErrorCode | 'network' | 'unknown';
  /** To quote when asking the platform for help. */
  readonly requestId: string | undefined;
  /** Which fields are wrong. */
  readonly issues: NonNullable<Problem['issues']>;
  /** How long to wait before it is worth another try, where the hub said so. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, facts: { status: number; code: SwitchboardError['code']; requestId?: string | undefined; issues?: Problem['issues']; retryAfterMs?: number | undefined; cause?: unknown }) {
    super(message, { cause: facts.cause });
    this.name = 'SwitchboardError';
    this.status = facts.status;
    this.code = facts.code;
    this.requestId = facts.requestId;
    this.issues = facts.issues ?? [];
    this.retryAfterMs = facts.retryAfterMs;
  }
}
