import { parseJson, type ClientContext } from '@switchboard/connector-kit';
import { hubError, type HubError } from '@switchboard/contracts';
import { providers } from '@switchboard/providers';
import type { EgressReply } from '@switchboard/service-kit';
import type { z } from 'zod';
import { accountOf } from '../account-of.ts';
import { readTwilioError } from '../read-twilio-error.ts';
import { readRefusal } from '../wire.ts';

/** Bytes: a page of a thousand long messages. */
const replyBytesMax = 8 * 1024 * 1024;
/** Milliseconds. Twilio's own limit for lists is longer; whoever waits for usage is a person. */
const timeoutMs = 10_000;

/** Paths of the API for a connection's own subaccount: `/2010-04-01/Accounts/AC…`. */
export function accountPathOf({ connection }: Pick<ClientContext, 'connection'>): string {
  return `/2010-04-01/Accounts/${accountOf(connection).accountSid}`;
}

export function apiUrlOf({ connection }: Pick<ClientContext, 'connection'>): string {
  const { settings } = connection;
  return (settings['apiBaseUrl'] ?? providers.twilio.hosts(settings)['api'] ?? '').replace(/\/+$/, '');
}

/**
 * Reads from Twilio's REST API what lies below the connection's own subaccount, with its own credentials. `path` with its query; a `next_page_uri` of
 * Twilio's is one. Throws HubErrors that say their fate; an answer of another form is `provider.unavailable`.
 */
export async function readTwilio<Reply extends z.ZodType>(context: ClientContext, path: string, schema: Reply): Promise<z.output<Reply>> {
  const { egress, connection: { credentials, settings } } = context;
  // Whatever an answer says: nothing but the subaccount is asked, and of nobody but Twilio.
  if (!path.startsWith(`${accountPathOf(context)}/`)) throw unreadable({ path });
  const apiKeySid = settings['apiKeySid'] ?? credentials['apiKeySid'];
  const [user, password] = apiKeySid !== undefined && credentials['apiKeySecret'] !== undefined ? [apiKeySid, credentials['apiKeySecret']] : [accountOf(context.connection).accountSid, credentials['authToken'] ?? ''];
  const reply = await egress.request({
    method: 'GET',
    url: `${apiUrlOf(context)}${path}`,
    headers: { accept: 'application/json', authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
    timeoutMs,
    responseMaxBytes: replyBytesMax,
  });
  if (reply.status !== 200) throw refusalOf(reply);
  const parsed = schema.safeParse(parseJson(reply.body));
  if (parsed.success) return parsed.data;
  throw unreadable({ path, cause: parsed.error });
}

function unreadable({ path, cause }: { readonly path: string; readonly cause?: unknown }): HubError {
  return hubError('provider.unavailable', { publicMessage: 'Twilio answered in a form that is not its own; is the address that of Twilio\'s API?', detail: { path }, cause });
}

function refusalOf({ status, body }: Pick<EgressReply, 'status' | 'body'>): HubError {
  const refusal = readRefusal(body);
  const fate = refusal === undefined ? undefined : readTwilioError(refusal.code);
  const detail = { status, ...(refusal === undefined ? {} : { providerCode: String(refusal.code) }) };
  if (status === 401) return hubError('provider.unauthorized', { publicMessage: 'Twilio refuses the credentials: the auth token or API key is wrong or was revoked. Post new credentials for this connection.', detail });
  if (fate !== undefined) return hubError(fate.code, { publicMessage: fate.message, retry: fate.retry, detail });
  if (status === 429) return hubError('provider.throttled', { publicMessage: 'The account makes too many calls to Twilio at once; it is tried again.', detail });
  if (status >= 500 || status === 408) return hubError('provider.unavailable', { publicMessage: 'Twilio is not available.', detail });
  return hubError(status === 404 ? 'provider.not_found' : 'provider.rejected', { publicMessage: `Twilio refused it (HTTP ${status})${refusal?.words === undefined ? '.' : `: ${refusal.words.slice(0, 300)}`}`, detail });
}
