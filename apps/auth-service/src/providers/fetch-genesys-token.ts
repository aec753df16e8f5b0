import { hubError, type ConnectionWithSecrets } from '@switchboard/contracts';
import { providers } from '@switchboard/providers';
import type { Egress } from '@switchboard/service-kit';
import { z } from 'zod';
import type { FetchedToken } from '../domain/create-provider-tokens.ts';

const tokenSchema = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });
/** The login end's errors have a form of their own (contract, section 1.2). */
const loginErrorSchema = z.object({ error: z.string().optional(), description: z.string().optional(), error_description: z.string().optional() });

/** Milliseconds, when a 429 does not say how long. */
const throttleDefaultMs = 30_000;

/**
 * OAuth client credentials at the region's login host: `POST /oauth/token`, Basic auth, form body. 400 and 401 are the tenant's wrong
 * configuration; 429 and 5xx pass.
 */
export async function fetchGenesysToken(connection: ConnectionWithSecrets, egress: Egress): Promise<FetchedToken> {
  const { clientId = '', clientSecret = '' } = { ...connection.settings, ...connection.credentials };
  const host = connection.settings['loginBaseUrl'] ?? providers.genesys.hosts(connection.settings)['login'] ?? '';
  const reply = await egress.request({
    method: 'POST',
    url: `${host}/oauth/token`,
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
  });
  const json = jsonOf(reply.body);
  if (reply.status === 200) {
    const parsed = tokenSchema.safeParse(json);
    if (!parsed.success) throw hubError('provider.unavailable', { detail: { reason: 'the login answer has no token' } });
    return { accessToken: parsed.data.access_token, lifetimeSeconds: parsed.data.expires_in };
  }
  const said = loginErrorSchema.safeParse(json).data;
  const detail = { status: reply.status, error: said?.error };
  if (reply.status === 429) {
    const seconds = Number(reply.headers['retry-after']);
    throw hubError('provider.throttled', { retry: { afterMs: seconds > 0 ? seconds * 1000 : throttleDefaultMs }, detail });
  }
  if (reply.status >= 400 && reply.status < 500) {
    throw hubError('provider.unauthorized', { publicMessage: `Genesys refuses the OAuth client${said?.error === undefined ? '' : ` (${said.error})`}: check clientId, clientSecret and region.`, detail });
  }
  throw hubError('provider.unavailable', { detail });
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
