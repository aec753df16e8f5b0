import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { startFakeServer } from './fake-server.ts';

export type Organization = { readonly clientId: string; readonly clientSecret: string };
export type Integration = { readonly id: string; readonly owner: string; readonly url: string; readonly secret: string };

/** A call at an integration's inbound endpoints. */
export type SentToAgents = { readonly integrationId: string; readonly endpoint: string; readonly body: { text?: string; id?: string; status?: string; channel: { messageId?: string; time: string; from?: { id: string } } } };

/** Genesys Cloud as far as an open messaging integration needs it, written from Genesys' documents, not from the hub's code. */
export class FakeGenesys {
  readonly received: SentToAgents[] = [];
  readonly integrations = new Map<string, Integration>();
  readonly organizations = new Map<string, Organization>();
  readonly tokens = new Map<string, string>();
  tokenRequests = 0;
  url = '';
  private server: { close(): Promise<void> } | undefined;

  async start(): Promise<void> {
    const server = await startFakeServer(({ method, path, headers, body }) => {
      if (path === '/oauth/token') {
        this.tokenRequests += 1;
        const [id = '', secret] = Buffer.from((headers.authorization ?? '').replace('Basic ', ''), 'base64').toString().split(':');
        if (this.organizations.get(id)?.clientSecret !== secret) return { status: 400, json: { error: 'invalid_client', description: 'no' } };
        const token = `genesys-${randomBytes(24).toString('hex')}`;
        this.tokens.set(token, id);
        return { status: 200, json: { access_token: token, token_type: 'bearer', expires_in: 86_400 } };
      }
      const owner = this.tokens.get((headers.authorization ?? '').replace('Bearer ', ''));
      if (owner === undefined) return { status: 401, json: { code: 'bad.credentials', status: 401, message: 'Invalid login credentials.' } };
      const integrations = '/api/v2/conversations/messaging/integrations/open';
      if (method === 'GET' && path.replace(/\?.*/, '') === integrations) {
        const entities = [...this.integrations.values()].filter((integration) => integration.owner === owner);
        return { status: 200, json: { entities: entities.map(({ id, url }) => ({ id, outboundNotificationWebhookUrl: url, createStatus: 'Completed' })) } };
      }
      if (path.startsWith(integrations)) {
        const known = this.integrations.get(path.slice(integrations.length + 1));
        const given = (body.length > 0 ? JSON.parse(body.toString()) : {}) as { outboundNotificationWebhookUrl?: string; outboundNotificationWebhookSignatureSecretToken?: string; name?: string };
        if (method !== 'POST' && known?.owner !== owner) return { status: 404, json: { code: 'not.found', status: 404, message: 'no' } };
        const integration: Integration = { id: known?.id ?? randomUUID(), owner, url: given.outboundNotificationWebhookUrl ?? known?.url ?? '', secret: given.outboundNotificationWebhookSignatureSecretToken ?? known?.secret ?? '' };
        if (method !== 'GET') this.integrations.set(integration.id, integration);
        return { status: 200, json: { id: integration.id, name: given.name ?? 'fake', outboundNotificationWebhookUrl: integration.url, createStatus: method === 'POST' ? 'Initiated' : 'Completed', status: 'Active' } };
      }
      const inbound = /^\/api\/v2\/conversations\/messages\/([^/]+)\/inbound\/open\/(.+)$/.exec(path);
      const integrationId = inbound?.[1] ?? '';
      if (inbound === null || this.integrations.get(integrationId)?.owner !== owner) return { status: 404, json: { code: 'not.found', status: 404, message: 'no' } };
      const message = JSON.parse(body.toString()) as SentToAgents['body'];
      this.received.push({ integrationId, endpoint: inbound[2] ?? '', body: message });
      return { status: 200, json: { id: randomBytes(16).toString('hex'), conversationId: `conversation-${integrationId}-${message.channel.from?.id}` } };
    });
    this.url = server.url;
    this.server = server;
  }

  addOrganization(tenant: string): Organization {
    const organization = { clientId: `${tenant}-${randomBytes(6).toString('hex')}`, clientSecret: `${tenant}-client-secret-${randomBytes(16).toString('hex')}` };
    this.organizations.set(organization.clientId, organization);
    return organization;
  }

  /** Messages (not receipts, not typing) at an integration. */
  messagesAt(integrationId: string): SentToAgents[] {
    return this.received.filter((call) => call.integrationId === integrationId && call.endpoint === 'message');
  }

  /** An agent's answer as a signed webhook; returns the hub's status. */
  async reply(integrationId: string, to: string, text: string, id = randomBytes(16).toString('hex')): Promise<number> {
    const integration = this.integrations.get(integrationId);
    if (integration === undefined) throw new Error(`no integration ${integrationId}`);
    const body = JSON.stringify({
      id,
      channel: { id: integrationId, platform: 'Open', type: 'Private', to: { id: to, idType: 'Opaque' }, from: { nickname: 'Hub', id: integrationId, idType: 'Opaque' }, time: new Date().toISOString(), messageId: id },
      type: 'Text',
      text,
      originatingEntity: 'Human',
      direction: 'Outbound',
      conversationId: `conversation-${integrationId}-${to}`,
    });
    return postAsGenesys(integration.url, body, signAsGenesys(body, integration.secret));
  }

  async close(): Promise<void> {
    await this.server?.close();
  }
}

export function signAsGenesys(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('base64')}`;
}

export async function postAsGenesys(url: string, body: string, signature: string): Promise<number> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature }, body, signal: AbortSignal.timeout(15_000) });
  await response.arrayBuffer();
  return response.status;
}
