import { hubError } from '@switchboard/contracts';

/** An answer is a wrapped key and a few words. */
const answerLengthMax = 65_536;

/** How long a key server may take, in milliseconds: a caller waits for it inside of a request. */
export const answerMsDefault = 5_000;

export type KeyServerAnswer = { readonly status: number; readonly body: unknown };
export type KeyServerRequest = { readonly url: string; readonly headers: Headers | Readonly<Record<string, string>>; readonly body: string; readonly answerMsMax: number };

/**
 * POSTs JSON to a key server and reads its JSON answer, whatever its status. What went out and came back is in no error: it holds tokens and keys.
 * Throws `secret.provider_unavailable` when there is no answer in time, or none that is JSON.
 */
export async function askKeyServer(provider: string, request: KeyServerRequest): Promise<KeyServerAnswer> {
  const { status, text } = await post(provider, request, 2);
  if (text.length > answerLengthMax) throw providerUnavailable(provider, 'an answer too long', { status });
  try {
    return { status, body: text === '' ? {} : JSON.parse(text) };
  } catch {
    // JSON.parse quotes what it read: not as a cause.
    throw providerUnavailable(provider, 'an answer that is not JSON', { status });
  }
}

/** Tries again at once when the connection broke off: a kept one may have been closed meanwhile, and wrapping twice does no harm. */
async function post(provider: string, request: KeyServerRequest, tries: number): Promise<{ status: number; text: string }> {
  const { url, headers, body, answerMsMax } = request;
  try {
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal: AbortSignal.timeout(answerMsMax) });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'TimeoutError') throw providerUnavailable(provider, `no answer within ${answerMsMax} ms`, { cause });
    if (tries > 1) return await post(provider, request, tries - 1);
    throw providerUnavailable(provider, 'no connection', { cause });
  }
}

/** For a wrapped key that the server says is none of its own, or not for this tenant. */
export function refusedByProvider(provider: string, reason: string): Error {
  return hubError('secret.unreadable', { detail: { provider, reason } });
}

export function providerUnavailable(provider: string, reason: string, more: { readonly status?: number; readonly cause?: unknown } = {}): Error {
  return hubError('secret.provider_unavailable', { detail: { provider, reason, ...(more.status !== undefined && { status: more.status }) }, ...(more.cause !== undefined && { cause: more.cause }) });
}

/** A text field of an answer, at a path of names; undefined when it is not there. */
export function textAt(body: unknown, ...path: readonly string[]): string | undefined {
  let at: unknown = body;
  // The cast is safe: reading a field of what is an object.
  for (const name of path) at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined;
  return typeof at === 'string' ? at : undefined;
}

/** Base URL without a slash at the end. Plain http only to this machine: data keys travel in the body. Throws an Error of one sentence. */
export function keyServerUrl(text: string, variable: string): string {
  const url = URL.parse(text);
  const isLocal = url !== null && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (url === null || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)) || url.username !== '' || url.search !== '') {
    throw new Error(`${variable} must be an https address without user or query (http only on this machine).`);
  }
  return url.href.replace(/\/+$/, '');
}
