import { setTimeout as sleep } from 'node:timers/promises';

/** Addresses of a running installation. */
export type Addresses = { readonly gateway: string; readonly tenants: string; readonly sandbox: string };

/** An answer that the demo did not expect, with what was asked. */
export class DemoFailure extends Error {}

export type Reply = { readonly status: number; readonly json: unknown };

export async function call(method: string, url: string, options: { headers?: Record<string, string>; body?: unknown } = {}): Promise<Reply> {
  const response = await fetch(url, {
    method,
    headers: { ...(options.body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
    body: options.body === undefined ? undefined : JSON.stringify(options.body),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
}

/** Calls and insists on a good answer. The type is the caller's word for a form that the API's contracts fix. */
export async function ask<T>(method: string, url: string, options: { headers?: Record<string, string>; body?: unknown } = {}): Promise<T> {
  const { status, json } = await call(method, url, options);
  if (status >= 300) throw new DemoFailure(`${method} ${url} answered ${status}: ${JSON.stringify(json)}`);
  return json as T;
}

/** Asks again until the answer is there; the hub works asynchronously, a person would look again too. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>, timeoutMs = 30_000): Promise<T> {
  const until = Date.now() + timeoutMs;
  let pauseMs = 50;
  while (Date.now() < until) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 1.5, 1_000);
  }
  throw new DemoFailure(`after ${timeoutMs / 1000} s still waiting for ${what}`);
}
