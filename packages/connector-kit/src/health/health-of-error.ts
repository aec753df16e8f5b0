import type { HubError } from '@switchboard/contracts';

/** Characters of a reason that people read in a list. */
const messageLengthMax = 500;

/** An error as a fact about the account, in plain words; undefined for one about a message, its recipient or the hub itself. Pure. */
export function healthOfError(error: HubError, at: string): { readonly lastError: { readonly code: string; readonly message: string; readonly at: string } } | undefined {
  const { scope } = error.detail;
  if (scope === 'pair' || (scope !== 'account' && !accountCodes.has(error.code))) return undefined;
  return { lastError: { code: error.code, message: error.publicMessage.slice(0, messageLengthMax), at } };
}

const accountCodes: ReadonlySet<string> = new Set(['provider.unauthorized', 'provider.throttled', 'provider.unavailable', 'egress.failed', 'egress.refused']);
