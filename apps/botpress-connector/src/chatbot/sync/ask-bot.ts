import { hubError, type ErrorCode } from '@switchboard/contracts';
import type { Egress, EgressReply, EgressRequest } from '@switchboard/service-kit';

/** A call of Botpress beside the conversation: any answer but a good one is the HubError that says what becomes of the job. */
export async function askBot(egress: Egress, request: EgressRequest): Promise<EgressReply> {
  const reply = await egress.request({ timeoutMs: 20_000, responseMaxBytes: 4 * 1024 * 1024, ...request });
  if (reply.status >= 200 && reply.status < 300) return reply;
  const retryAfterMs = Math.max(1, Number(reply.headers['retry-after'] ?? reply.headers['ratelimit-reset']) || 30) * 1_000;
  const publicMessage = `Botpress answered ${reply.status}: ${wordsOf(reply.body)}`;
  if (reply.status === 429) throw hubError('provider.throttled', { publicMessage, retry: { afterMs: retryAfterMs } });
  if (reply.status >= 500) throw hubError('provider.unavailable', { publicMessage });
  throw hubError(refusals[reply.status] ?? 'provider.rejected', { publicMessage, detail: { status: reply.status } });
}

const refusals: Readonly<Record<number, ErrorCode>> = { 401: 'provider.unauthorized', 403: 'provider.forbidden', 404: 'provider.not_found' };

/** The message of an error, in either of the forms that Botpress has (contract, 2.10), cut short. */
function wordsOf(body: Buffer): string {
  const text = body.toString('utf8');
  const found = /"(?:message|description)"\s*:\s*"((?:[^"\\]|\\.){1,300})/.exec(text)?.[1];
  return found ?? (text === '' ? 'no reason given' : text.slice(0, 200));
}

export function jsonOf(reply: EgressReply): unknown {
  try {
    return JSON.parse(reply.body.toString('utf8'));
  } catch (cause) {
    throw hubError('provider.unavailable', { publicMessage: 'Botpress answered what is no JSON.', cause });
  }
}
