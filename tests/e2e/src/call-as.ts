import { request } from 'undici';

export type CallAnswer = { readonly status: number; readonly json: Record<string, unknown>; readonly headers: Readonly<Record<string, string | string[] | undefined>> };

/** A call with any headers, `host` among them, which fetch does not let one choose. */
export async function callAs(method: string, url: string, headers: Readonly<Record<string, string>>, body?: unknown): Promise<CallAnswer> {
  const answer = await request(url, {
    // The caller's methods are those of contracts.
    method: method as 'GET',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? null : JSON.stringify(body),
    headersTimeout: 30_000,
  });
  const text = await answer.body.text();
  const isJson = /^application\/(?:problem\+)?json\b/.test(String(answer.headers['content-type'] ?? ''));
  return { status: answer.statusCode, json: isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {}, headers: answer.headers };
}
