import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call that reached a fake. */
export type SeenCall = { readonly method: string; readonly path: string; readonly authorization: string; readonly headers: Readonly<Record<string, unknown>>; readonly body: string };
export type Answer = { readonly status: number; readonly json: unknown };

export type FakeProvider = { readonly url: string; readonly calls: SeenCall[]; readonly close: () => Promise<void> };

/** Meta's Graph API as far as connecting uses it. `down` answers 503 to everything; `token` is the one it takes. */
export type FakeMeta = FakeProvider & { down: boolean; token: string };

export async function startFakeMeta(numbers: readonly string[]): Promise<FakeMeta> {
  const state = { down: false, token: 'meta-access-token' };
  const fake = await listen((call) => {
    if (state.down) return { status: 503, json: {} };
    if (call.authorization !== `Bearer ${state.token}`) return { status: 401, json: { error: { message: 'Invalid OAuth access token.', type: 'OAuthException', code: 190 } } };
    const [, id = '', edge] = /^\/v\d+\.\d+\/(\w+)(?:\/(\w+))?/.exec(call.path) ?? [];
    if ((call.method === 'POST' || call.method === 'DELETE') && edge === 'subscribed_apps') return { status: 200, json: { success: true } };
    if (call.method === 'GET' && numbers.includes(id)) return { status: 200, json: { id, display_phone_number: '+1 555 0100', verified_name: 'Acme' } };
    return { status: 400, json: { error: { message: 'Unsupported get request.', type: 'GraphMethodException', code: 100 } } };
  });
  return Object.assign(state, fake);
}

/** Genesys Cloud's login and Open Messaging integrations. `completesAfter`: looks at a new integration before it is `Completed`. */
export type FakeGenesys = FakeProvider & {
  down: boolean;
  completesAfter: number;
  clientSecret: string;
  readonly integrations: Map<string, { name: string; outboundNotificationWebhookUrl?: string; outboundNotificationWebhookSignatureSecretToken?: string; looks: number }>;
};

export async function startFakeGenesys(): Promise<FakeGenesys> {
  const state = { down: false, completesAfter: 0, clientSecret: 'genesys-client-secret', integrations: new Map() as FakeGenesys['integrations'] };
  const path = '/api/v2/conversations/messaging/integrations/open';
  const show = (id: string) => {
    const { looks, outboundNotificationWebhookSignatureSecretToken: _secret, ...integration } = state.integrations.get(id) ?? { looks: 0 };
    return { id, ...integration, createStatus: looks >= state.completesAfter ? 'Completed' : 'Initiated' };
  };
  const fake = await listen((call): Answer => {
    if (state.down) return { status: 503, json: { code: 'service.unavailable', status: 503 } };
    if (call.path === '/oauth/token') {
      const [, secret] = Buffer.from(call.authorization.replace('Basic ', ''), 'base64').toString().split(':');
      return secret === state.clientSecret ? { status: 200, json: { access_token: 'genesys-token', token_type: 'bearer', expires_in: 86400 } } : { status: 401, json: { error: 'invalid_client' } };
    }
    if (call.authorization !== 'Bearer genesys-token') return { status: 401, json: { code: 'bad.credentials' } };
    const [, pageNumber] = /\?pageSize=100&pageNumber=(\d+)$/.exec(call.path) ?? [];
    if (pageNumber !== undefined) return { status: 200, json: { entities: [...state.integrations.keys()].slice(Number(pageNumber) * 100 - 100, Number(pageNumber) * 100).map(show) } };
    if (call.path === path && call.method === 'POST') {
      const id = `created-${state.integrations.size + 1}`;
      state.integrations.set(id, { ...(JSON.parse(call.body) as { name: string }), looks: 0 });
      return { status: 200, json: show(id) };
    }
    const id = call.path.slice(path.length + 1);
    const integration = state.integrations.get(id);
    if (integration === undefined) return { status: 404, json: { code: 'not.found', status: 404 } };
    if (call.method === 'DELETE') {
      state.integrations.delete(id);
      return { status: 204, json: undefined };
    }
    if (call.method === 'PATCH') {
      const change = JSON.parse(call.body) as { name?: string };
      if (change.name === undefined) return { status: 400, json: { code: 'bad.request', status: 400 } };
      Object.assign(integration, change);
    } else integration.looks += 1;
    return { status: 200, json: show(id) };
  });
  return Object.assign(state, fake);
}

/** A server on a port of its own that notes each call and answers it. */
export async function listen(answer: (call: SeenCall) => Answer | Promise<Answer>): Promise<FakeProvider> {
  const calls: SeenCall[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const call = { method: request.method ?? '', path: request.url ?? '', authorization: request.headers.authorization ?? '', headers: request.headers, body: await read(request) };
    calls.push(call);
    const { status, json } = await answer(call);
    response.writeHead(status, { 'content-type': 'application/json' }).end(json === undefined ? undefined : JSON.stringify(json));
  };
  const server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
