import { isHubError, type ErrorCode } from '@switchboard/contracts';
import type { Egress, EgressReply, EgressRequest } from '@switchboard/service-kit';
import { unverified, type Unverified } from './connect-strategy.ts';

/** Milliseconds for one answer of a provider; the tenant is waiting for ours. */
const timeoutMs = 10_000;

export type ProviderAnswer = { readonly kind: 'answer'; readonly status: number; readonly json: unknown } | { readonly kind: 'unanswered'; readonly outcome: Unverified };

/** One call at connect time. No answer, throttling and failures of the provider's own are said in the tenant's terms; every other status is the caller's. */
export async function askProvider(egress: Egress, title: string, request: EgressRequest): Promise<ProviderAnswer> {
  let reply: EgressReply;
  try {
    reply = await egress.request({ timeoutMs, ...request });
  } catch (error) {
    if (!isHubError(error)) throw error;
    const host = new URL(request.url).host;
    if (error.code === 'egress.refused') return unanswered(`The address ${host} is not allowed: use an https address on the public internet, or ask the platform to allow the network.`, false, 'egress.refused');
    return unanswered(`${title} did not answer at ${host}. It is tried again.`, true, 'egress.failed');
  }
  if (reply.status === 429) return unanswered(`${title} is throttling calls for this account. It is tried again.`, true, 'provider.throttled');
  if (reply.status >= 500) return unanswered(`${title} has a problem of its own (status ${reply.status}). It is tried again.`, true);
  return { kind: 'answer', status: reply.status, json: parseJson(reply.body) };
}

function unanswered(reason: string, retry: boolean, code?: ErrorCode): ProviderAnswer {
  return { kind: 'unanswered', outcome: unverified(reason, retry, code) };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
