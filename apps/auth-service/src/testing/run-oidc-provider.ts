// A real OpenID Connect provider as a process of its own: node run-oidc-provider.ts '<clients as JSON>'. Prints its issuer when it listens.
// Whoever comes is the account that the cookie `account` names: <sub>,<email>,<verified>.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider, type ClientMetadata, type KoaContextWithOIDC } from 'oidc-provider';

const clients = JSON.parse(process.argv[2] ?? '[]') as ClientMetadata[];
const server = createServer();
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve);
});
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP

const provider = new Provider(issuer, {
  clients,
  cookies: { keys: ['a key for tests'] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  findAccount: (_, id) => {
    const [, email = '', verified] = decodeURIComponent(id).split(',');
    return { accountId: id, claims: () => ({ sub: id, email, email_verified: verified === 'true', name: 'Pat of the provider' }) };
  },
  // Nobody is asked for consent.
  async loadExistingGrant(context: KoaContextWithOIDC) {
    const { client, session } = context.oidc;
    const grant = new provider.Grant({ clientId: client?.clientId ?? '', accountId: session?.accountId ?? '' });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  },
});

server.on('request', (request, response) => {
  if (request.url?.startsWith('/interaction/') !== true) return void provider.callback()(request, response);
  const account = /(?:^|; )account=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
  const result = account === undefined ? { error: 'access_denied', error_description: 'nobody logged in' } : { login: { accountId: account } };
  provider.interactionFinished(request, response, result).catch((error: unknown) => response.writeHead(500).end(String(error)));
});
process.stdout.write(`${issuer}\n`);
