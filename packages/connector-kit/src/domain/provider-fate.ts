import type { ErrorCode, Retry } from '@switchboard/contracts';
import type { ClientErrorDetail } from '../port.ts';

/** What a provider's error code means for a message: one row of a connector's error table. */
export type ProviderFate = {
  readonly code: ErrorCode;
  readonly retry: Retry;
  /** In the tenant's words: what is wrong and the way out. */
  readonly message: string;
  readonly scope?: ClientErrorDetail['scope'];
};

/** The message fails: waiting will not help it. */
export function never(code: ErrorCode, message: string): ProviderFate {
  return { code, message, retry: 'never' };
}

/** The account, its credentials or its sender are refused, whatever is sent to whom: messages wait until somebody has mended that. */
export function refused(code: ErrorCode, message: string): ProviderFate {
  return { code, message, retry: 'never', scope: 'account' };
}

/** It is tried again. */
export function later(code: ErrorCode, message: string, retry: Retry = 'later'): ProviderFate {
  return { code, message, retry };
}

/** One fate of several codes, as entries of the table. */
export function each(codes: readonly number[], fate: ProviderFate): [number, ProviderFate][] {
  return codes.map((code) => [code, fate]);
}
