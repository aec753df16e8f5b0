import { parseJson, type ClientContext } from '@switchboard/connector-kit';
import { hubError } from '@switchboard/contracts';
import type { Twilio } from 'twilio';
import { accountOf } from './account-of.ts';
import { addressOf } from './address-of.ts';
import { failureOf } from './failure-of.ts';

/** Twilio's own: its library's request time-out is 30 s. */
const timeoutMs = 30_000;
/** A page of a thousand usage records or messages. */
const answerBytesMax = 8 * 1024 * 1024;

/**
 * Twilio's official library with a connection's credentials (its API key where it has one), in place of whose HTTP client every request goes through the
 * egress guard, once. Cheap to make: one for each call, so that no secret outlives it. What is not carried out throws a HubError that says its fate.
 */
export async function openTwilio(context: ClientContext): Promise<Twilio> {
  // Some 400 ms of modules, once, needed only where there is something to call; a client of its own costs a hundredth of a millisecond.
  const { default: library } = await import('twilio');
  const { accountSid } = accountOf(context.connection);
  const { username, password } = credentialsOf(context);
  // An account that the library takes for none must be a refusal of the account, not a bug.
  if (!accountSid.startsWith('AC') || username === '' || password === '') throw hubError('provider.unauthorized', { publicMessage: 'This connection has no account SID or no auth token.', detail: { scope: 'account', sent: false } });
  // The cast is safe: the library calls `request` of its HTTP client and nothing else.
  const httpClient = { request: (request: LibraryRequest) => send(request, context) } as unknown as InstanceType<typeof library.RequestClient>;
  return new library.Twilio(username, password, { accountSid, httpClient, lazyLoading: true });
}

/** HTTP Basic: of the API key, else of the account itself. */
export function authorizationOf(context: ClientContext): string {
  const { username, password } = credentialsOf(context);
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function credentialsOf({ connection }: ClientContext): { readonly username: string; readonly password: string } {
  const { apiKeySecret, authToken = '' } = connection.credentials;
  const apiKeySid = connection.settings['apiKeySid'] ?? connection.credentials['apiKeySid'];
  if (apiKeySid !== undefined && apiKeySecret !== undefined) return { username: apiKeySid, password: apiKeySecret };
  return { username: accountOf(connection).accountSid, password: authToken };
}

/** What the library asks of its HTTP client (lib/base/BaseTwilio.js, 6.2.0). */
type LibraryRequest = {
  readonly method: string;
  readonly uri: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, unknown>>;
};

type LibraryReply = { readonly statusCode: number; readonly body: unknown; readonly headers: Readonly<Record<string, string | undefined>> };

async function send({ method, uri, headers = {}, params, data }: LibraryRequest, context: ClientContext): Promise<LibraryReply> {
  const url = addressOf(uri, context.connection.settings);
  if (url === undefined) throw hubError('egress.refused', { publicMessage: 'Twilio named an address that is not its own.', detail: { sent: false } });
  const query = params === undefined ? '' : formOf(params);
  const isJson = headers['Content-Type'] === 'application/json';
  const reply = await context.egress.request({
    // The cast is safe: the library's methods are get, post, put, patch and delete.
    method: method.toUpperCase() as 'GET',
    url: query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`,
    headers: {
      authorization: authorizationOf(context),
      accept: 'application/json',
      ...(data === undefined ? {} : { 'content-type': isJson ? 'application/json' : 'application/x-www-form-urlencoded' }),
    },
    ...(data === undefined ? {} : { body: isJson ? JSON.stringify(data) : formOf(data) }),
    timeoutMs,
    responseMaxBytes: answerBytesMax,
  });
  if (reply.status < 200 || reply.status > 299) throw failureOf(reply);
  const read = parseJson(reply.body);
  const body = typeof read === 'object' && read !== null ? read : undefined;
  // Written: it was taken all the same, and its id comes with the status. Read: nothing was learned.
  if (body === undefined && data === undefined && reply.status !== 204) throw hubError('provider.unavailable', { publicMessage: 'Twilio\'s answer cannot be read; it is tried again.', detail: { sent: false } });
  return { statusCode: reply.status, body: body ?? {}, headers: reply.headers };
}

/** A repeated name for each value of a list, as Twilio reads them. */
function formOf(fields: Readonly<Record<string, unknown>>): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== null) form.append(name, String(one));
  return form.toString();
}
