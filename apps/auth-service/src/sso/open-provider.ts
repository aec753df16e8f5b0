import { hubError } from '@switchboard/contracts';
import type { Egress, EgressRequest } from '@switchboard/service-kit';
import * as oidc from 'openid-client';

/** Bytes of an answer: metadata, keys, tokens. */
const responseMaxBytes = 512 * 1024;
/** Milliseconds an identity provider gets for each answer: a person waits. */
const timeoutMs = 5_000;

export type Registration = { readonly issuer: string; readonly clientId: string; readonly clientSecret: string; readonly redirectUri: string };
export type Identity = { readonly email: unknown; readonly isEmailVerified: boolean; readonly name: unknown };
export type Identified = { readonly kind: 'identified'; readonly identity: Identity } | { readonly kind: 'failed'; readonly reason: string };

/** An OpenID Connect provider as it describes itself. */
export interface Provider {
  /** Where the browser is sent. */
  authorizationUrl(ask: { readonly state: string; readonly challenge: string; readonly nonce: string }): string;
  /** Who came back, by the query they came with: the code is exchanged, and issuer, audience, signature, nonce and state are what they must be. */
  identify(query: Readonly<Record<string, unknown>>, begun: { readonly state: string; readonly verifier: string; readonly nonce: string }): Promise<Identified>;
}

/** Throws `auth.sso_failed` when the provider cannot be reached, or is another than it says. Every call goes the guarded way. */
export async function openProvider(egress: Pick<Egress, 'request'>, { issuer, clientId, clientSecret, redirectUri }: Registration): Promise<Provider> {
  const server = new URL(issuer);
  const config = await oidc
    .discovery(server, clientId, undefined, secretAs(clientSecret), {
      [oidc.customFetch]: fetchBy(egress),
      // http only where the platform allows the network, which the way out decides.
      execute: [oidc.enableNonRepudiationChecks, ...(server.protocol === 'http:' ? [oidc.allowInsecureRequests] : [])],
    })
    .catch((cause: unknown) => {
      throw hubError('auth.sso_failed', { publicMessage: 'The identity provider does not answer as it should. Try again; if it goes on, an admin checks the issuer of the settings.', cause });
    });

  return {
    authorizationUrl({ state, challenge, nonce }) {
      const url = oidc.buildAuthorizationUrl(config, { redirect_uri: redirectUri, response_type: 'code', scope: 'openid email profile', state, nonce, code_challenge: challenge, code_challenge_method: 'S256' });
      // The provider says where: a browser is sent to web pages alone.
      if (url.protocol !== 'https:' && url.protocol !== server.protocol) throw hubError('auth.sso_failed');
      return url.href;
    },

    async identify(query, { state, verifier, nonce }) {
      const url = new URL(redirectUri);
      for (const [name, value] of Object.entries(query)) if (typeof value === 'string') url.searchParams.set(name, value);
      try {
        const tokens = await oidc.authorizationCodeGrant(config, url, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
        const claims = tokens.claims();
        if (claims === undefined) return { kind: 'failed', reason: 'no_id_token' };
        // Many providers tell more than the subject only when they are asked for it.
        const told = claims['email'] === undefined ? await oidc.fetchUserInfo(config, tokens.access_token, claims.sub) : claims;
        return { kind: 'identified', identity: { email: told['email'], isEmailVerified: told['email_verified'] === true, name: told['name'] } };
      } catch (error) {
        return { kind: 'failed', reason: reasonOf(error) };
      }
    },
  };
}

/** As the provider takes it; RFC 6749 §2.3.1 has every provider take Basic, and some do not. */
function secretAs(secret: string): oidc.ClientAuth {
  const [basic, post] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)];
  return (server, client, body, headers) => {
    const { token_endpoint_auth_methods_supported: methods } = server;
    (methods === undefined || methods.includes('client_secret_basic') ? basic : post)(server, client, body, headers);
  };
}

function fetchBy(egress: Pick<Egress, 'request'>): oidc.CustomFetch {
  return async (url, { method, headers, body }) => {
    const answer = await egress.request({
      method: method as EgressRequest['method'], // openid-client asks by GET and POST
      url,
      headers: Object.fromEntries(new Headers(headers)),
      ...(body === null || body === undefined ? {} : { body: await new Response(body).text() }),
      timeoutMs,
      responseMaxBytes,
    });
    const told = new Headers();
    for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined) told.set(name, value);
    return new Response(answer.status === 204 || answer.status === 304 ? null : Buffer.from(answer.body), { status: answer.status, headers: told });
  };
}

/** A word for the audit: what the library or the provider calls it; never what the answer held. */
function reasonOf(error: unknown): string {
  const { code, error: told } = error as { readonly code?: unknown; readonly error?: unknown };
  const word = typeof told === 'string' ? told : typeof code === 'string' ? code : 'unknown';
  return /^[\w.-]{1,60}$/.test(word) ? word : 'unknown';
}
