import type { ProviderFate } from '@switchboard/connector-kit';
import { hubError, isHubError, type HubError } from '@switchboard/contracts';
import type { EgressReply } from '@switchboard/service-kit';
import { readTwilioError } from './read-twilio-error.ts';
import { readRefusal } from './wire.ts';

/** A request that Twilio did not carry out, as an error that says its fate. Twilio decides by its code; the status decides where there is none, or an unknown one. Pure. */
export function failureOf(reply: EgressReply): HubError {
  const refusal = readRefusal(reply.body);
  const fate = (refusal && readTwilioError(refusal.code)) ?? fateOfStatus(reply.status);
  return hubError(fate.code, {
    publicMessage: refusal?.words === undefined ? fate.message : `${fate.message} (Twilio: ${refusal.words})`,
    retry: fate.retry === 'never' ? 'never' : (retryAfter(reply, fate) ?? fate.retry),
    detail: {
      httpStatus: reply.status,
      sent: isOutcomeUnknown(reply.status, refusal?.code),
      ...(fate.scope === undefined ? {} : { scope: fate.scope }),
      ...(refusal === undefined ? {} : { providerCode: String(refusal.code) }),
    },
  });
}

/** Creating a message takes no key for repetition: what broke off within Twilio, or at a gateway before it, may have been done. A refusal that says why has not. */
function isOutcomeUnknown(status: number, code: number | undefined): boolean {
  if (status < 500) return false;
  return code === undefined || code === 20500 || readTwilioError(code) === undefined;
}

function fateOfStatus(status: number): ProviderFate {
  const refused = { retry: 'never', scope: 'account' } as const;
  if (status === 401) return { ...refused, code: 'provider.unauthorized', message: 'Twilio refuses the credentials. Post new credentials for this connection.' };
  if (status === 403) return { ...refused, code: 'provider.forbidden', message: 'Twilio refuses the permission to this account.' };
  if (status === 404) return { ...refused, code: 'provider.not_found', message: 'Twilio does not know this account.' };
  if (status === 429) return { retry: 'later', code: 'provider.throttled', message: 'Twilio is throttling; it is tried again.' };
  if (status >= 500) return { retry: 'later', code: 'provider.unavailable', message: 'Twilio is not available; it is tried again.' };
  return { retry: 'never', code: 'provider.rejected', message: `Twilio refused the message (${status}).` };
}

function retryAfter({ headers }: EgressReply, { retry }: ProviderFate): ProviderFate['retry'] | undefined {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? { ...(typeof retry === 'object' ? retry : {}), afterMs: seconds * 1000 } : undefined;
}

/** Whatever goes wrong here, the message itself was not sent yet. */
export async function beforeSending<T>(fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    if (!isHubError(error)) throw error;
    throw hubError(error.code, { publicMessage: error.publicMessage, retry: error.retry, detail: { ...error.detail, sent: false }, cause: error });
  }
}
