import type { ClientErrorDetail } from '@switchboard/connector-kit';
import { hubError, type HubError } from '@switchboard/contracts';
import type { EgressReply } from '@switchboard/service-kit';

/** Milliseconds, when a 429 does not say how long. The limits are counted by the minute. */
const throttleDefaultMs = 10_000;

type Said = { readonly type?: string | undefined; readonly message?: string | undefined; readonly description?: string | undefined };

/** What becomes of a turn that Botpress Cloud refused (contract, 2.10). `status` is the one in the body, where there is one. */
export function refusalOfCloud(reply: EgressReply, { type, message, description }: Said, path: string): HubError {
  const detail: ClientErrorDetail = { status: reply.status, ...(type === undefined ? {} : { providerCode: type }) };
  const said = message ?? description;
  switch (reply.status) {
    case 401:
      return hubError('provider.unauthorized', { publicMessage: 'Botpress refuses the encryption key of this connection.', detail: { ...detail, scope: 'account' } });
    case 402:
      return hubError('provider.forbidden', { publicMessage: 'The Botpress workspace wants to be paid before its bots answer again.', detail: { ...detail, scope: 'account' } });
    case 403:
      if (type === 'QuotaExceeded') return hubError('provider.forbidden', { publicMessage: 'The Botpress workspace has used up its messages: all of its bots are silent until the quota is raised or begins anew.', detail: { ...detail, scope: 'account' } });
      return hubError('provider.forbidden', { publicMessage: `Botpress does not let the hub into this conversation${colon(said)}`, detail });
    case 404:
      // Messages name a conversation, which may be the one that is missing; of anything else it is the integration.
      if ((path === 'messages' || path.startsWith('conversations/con_') || path === 'events') && !/webhook/i.test(said ?? '')) return hubError('provider.not_found', { publicMessage: 'The bot does not know this conversation.', detail });
      return hubError('provider.not_found', { publicMessage: "No bot has this webhook id: look at the bot's Chat integration.", detail: { ...detail, scope: 'account' } });
    case 409:
      return hubError('provider.unavailable', { publicMessage: 'Botpress is still busy with this conversation; the message is sent again.', detail });
    case 429:
      return hubError('provider.throttled', { publicMessage: 'Botpress throttles this bot; the message is sent when it allows.', retry: { afterMs: retryAfterMs(reply) }, detail });
    case 408:
    case 500:
    case 502:
    case 503:
    case 504:
      return hubError('provider.unavailable', { publicMessage: 'Botpress did not take the message in time; it is looked for before it is sent again.', detail: { ...detail, sent: true } });
    default:
      return hubError('provider.rejected', { publicMessage: `Botpress rejected the message${colon(said)}`, detail });
  }
}

/** What becomes of a turn that a v12 server refused. Anything without a status of its own comes as 400, a timeout too (contract, 1.1). */
export function refusalOfV12(reply: EgressReply, { type, message }: Said): HubError {
  const detail: ClientErrorDetail = { status: reply.status, ...(type === undefined ? {} : { providerCode: type }) };
  if (/timed out/i.test(message ?? '')) return timedOut(detail);
  switch (reply.status) {
    case 401:
      return hubError('provider.unauthorized', { publicMessage: "The Botpress server refuses the log-in of this connection. It must take bearer tokens (cookie storage off).", detail: { ...detail, scope: 'account' } });
    case 403:
      return hubError('provider.forbidden', { publicMessage: 'The account of this connection may not talk to this bot.', detail: { ...detail, scope: 'account' } });
    case 404:
      return hubError('provider.not_found', { publicMessage: 'The Botpress server has no such bot.', detail: { ...detail, scope: 'account' } });
    case 429:
      return hubError('provider.throttled', { publicMessage: 'The Botpress server throttles; the message is sent when it allows.', retry: { afterMs: retryAfterMs(reply) }, detail });
    // A proxy before the server says that nobody is there.
    case 503:
      return hubError('provider.unavailable', { publicMessage: 'The Botpress server is not available; the message is sent again.', detail });
    case 408:
    case 500:
    case 502:
    case 504:
      return timedOut(detail);
    default:
      return hubError('provider.rejected', { publicMessage: `The Botpress server rejected the message${colon(message)}`, detail });
  }
}

function timedOut(detail: ClientErrorDetail): HubError {
  return hubError('provider.unavailable', { publicMessage: 'The bot did not answer in time. It may have the message: it is not sent again.', detail: { ...detail, sent: true } });
}

function colon(said: string | undefined): string {
  return said ? `: ${said.slice(0, 500)}` : '.';
}

/** Retry-After, else what is left of the window that is counted (contract, 2.10); both in seconds. */
function retryAfterMs({ headers }: EgressReply): number {
  const seconds = [headers['retry-after'], headers['ratelimit-reset']].map(Number).find((value) => value > 0 && value < 86_400);
  return seconds === undefined ? throttleDefaultMs : seconds * 1_000;
}
