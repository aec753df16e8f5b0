import { problemSchema, type RouteContract } from '@switchboard/contracts';
import type { CallOptions } from './operation-types.ts';
import { SwitchboardError } from './switchboard-error.ts';

export type Transport = {
  readonly baseUrl: string;
  readonly headers: () => Promise<Record<string, string>>;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly retriesMax: number;
  readonly wait: (ms: number) => Promise<void>;
};

type Input = { readonly params?: Readonly<Record<string, unknown>>; readonly query?: Readonly<Record<string, unknown>>; readonly body?: unknown };

/** Longest wait for another try; a hub that asks for more is the caller's to decide about. */
const retryWaitMaxMs = 30_000;
const retryWaitFirstMs = 250;

/** Statuses of services that are away, late or broke off: nobody knows whether the request was carried out. */
const repeatable = new Set([502, 503, 504]);

/**
 * One call of a route. It is repeated on 429, which did nothing; and, where doing it twice is doing it once, when no answer came and on
 * 502 to 504. After Retry-After or a growing wait. Throws SwitchboardError.
 */
export async function sendRequest(transport: Transport, contract: RouteContract, input: Input, options: CallOptions): Promise<unknown> {
  const idempotencyKey = options.idempotencyKey ?? (contract.isRepeatable ? crypto.randomUUID() : undefined);
  // A POST that makes something new each time is not sent twice: the first one may have been carried out.
  const isRepeatable = contract.method !== 'POST' || contract.isRepeatable === true;
  for (let attempt = 0; ; attempt++) {
    try {
      return await attemptOnce(transport, contract, input, { ...options, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) });
    } catch (error) {
      if (!(error instanceof SwitchboardError) || attempt >= transport.retriesMax || options.signal?.aborted === true) throw error;
      // A monthly limit is over in days: nothing to wait for here.
      const waitMs = error.retryAfterMs ?? retryWaitFirstMs * 2 ** attempt;
      const isWorthIt = error.status === 429 || (isRepeatable && (error.status === 0 || repeatable.has(error.status)));
      if (!isWorthIt || waitMs > retryWaitMaxMs) throw error;
      await transport.wait(waitMs);
    }
  }
}

async function attemptOnce(transport: Transport, contract: RouteContract, input: Input, { idempotencyKey, signal }: CallOptions): Promise<unknown> {
  const timeout = AbortSignal.timeout(transport.timeoutMs);
  const headers = {
    accept: 'application/json',
    ...(contract.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    ...(await transport.headers()),
  };
  let response: Response;
  let text: string;
  try {
    response = await transport.fetch(`${transport.baseUrl}${pathOf(contract, input)}`, {
      method: contract.method,
      headers,
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      ...(contract.body === undefined ? {} : { body: JSON.stringify(input.body ?? {}) }),
    });
    text = await response.text();
  } catch (cause) {
    throw new SwitchboardError(timeout.aborted ? `No answer in ${transport.timeoutMs} ms` : 'No answer from Switchboard', { status: 0, code: 'network', cause });
  }
  if (response.ok) return text === '' ? undefined : contract.reply.mediaType === undefined ? JSON.parse(text) : text;
  throw errorOf(response, text);
}

function errorOf(response: Response, text: string): SwitchboardError {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const facts = { status: response.status, retryAfterMs: Number.isFinite(retryAfter) ? retryAfter * 1000 : undefined };
  const problem = problemSchema.safeParse(parseJson(text));
  // Something between us and the hub answered.
  if (!problem.success) return new SwitchboardError(`HTTP ${response.status}`, { ...facts, code: 'unknown' });
  const { title, detail, code, requestId, issues } = problem.data;
  // The code is of the hub's catalogue, perhaps of a newer one than this client's; names compare the same.
  return new SwitchboardError(`${title}: ${detail}`, { ...facts, code: code as SwitchboardError['code'], requestId, issues });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pathOf(contract: RouteContract, { params = {}, query = {} }: Input): string {
  const path = contract.path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = params[name];
    if (typeof value !== 'string' || value === '') throw new TypeError(`params.${name} is missing`);
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams(Object.entries(query).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]])));
  return search.size === 0 ? path : `${path}?${search.toString()}`;
}
