import { randomBytes, randomUUID } from 'node:crypto';
import { bearerOf, isRecord, jsonObjectOf, type Answer, type Exchange, type SandboxRoute } from '../exchange.ts';
import type { GenesysIntegration, SandboxState } from '../sandbox-state.ts';

/** Seconds; the lifetime of an OAuth client that was not set otherwise is 24 hours. */
const tokenLifeSeconds = 86_400;
/** The shortest secret that Genesys takes. */
const secretLengthMin = 16;
/** Milliseconds an integration stays `Initiated`. */
const creationMs = 300;
const receiptStatuses = new Set(['Sent', 'Delivered', 'Failed', 'Published', 'Removed']);
const mediaTypes = new Set(['Image', 'Video', 'Audio', 'File', 'Link']);

type Deps = { readonly state: SandboxState; readonly now: () => Date };

/** Genesys Cloud's OAuth, open integrations and open messages, as far as the hub uses them. */
export function genesysRoutes({ state, now }: Deps): SandboxRoute[] {
  const token = (exchange: Exchange): Answer => {
    const basic = /^Basic (.+)$/i.exec(exchange.headers.authorization ?? '')?.[1];
    const [clientId = '', clientSecret = ''] = Buffer.from(basic ?? '', 'base64').toString('utf8').split(':');
    if (new URLSearchParams(exchange.body.toString('utf8')).get('grant_type') !== 'client_credentials') return { status: 400, json: { error: 'unsupported_grant_type', description: 'grant type is not supported' } };
    const account = state.get('genesysAccount', clientId);
    if (account === undefined || account.clientSecret !== clientSecret) return { status: 401, json: { error: 'invalid_client', description: 'authentication failed' } };
    const value = randomBytes(32).toString('base64url');
    state.put('genesysToken', value, { token: value, clientId, expiresAt: new Date(now().getTime() + tokenLifeSeconds * 1000).toISOString() });
    return { status: 200, json: { access_token: value, token_type: 'bearer', expires_in: tokenLifeSeconds } };
  };

  /** The client behind a valid token, or the refusal. */
  const authenticate = (exchange: Exchange): { clientId: string } | Answer => {
    const row = state.get('genesysToken', bearerOf(exchange) ?? '');
    return row && Date.parse(row.expiresAt) > now().getTime() ? { clientId: row.clientId } : genesysError(401, 'bad.credentials', 'Invalid login credentials.');
  };

  const view = (integration: GenesysIntegration) => ({
    id: integration.id,
    name: integration.name,
    outboundNotificationWebhookUrl: integration.outboundNotificationWebhookUrl,
    outboundNotificationWebhookSignatureSecretToken: integration.outboundNotificationWebhookSignatureSecretToken,
    status: 'Active',
    createStatus: now().getTime() - Date.parse(integration.dateCreated) > creationMs ? 'Completed' : 'Initiated',
    recipient: { id: integration.id, name: integration.name },
    dateCreated: integration.dateCreated,
    selfUri: `/api/v2/conversations/messaging/integrations/open/${integration.id}`,
  });

  const create = (exchange: Exchange): Answer => {
    const client = authenticate(exchange);
    if ('status' in client) return client;
    const body = jsonObjectOf(exchange) ?? {};
    const secret = body['outboundNotificationWebhookSignatureSecretToken'];
    if (typeof body['name'] !== 'string' || typeof body['outboundNotificationWebhookUrl'] !== 'string' || typeof secret !== 'string' || secret.length < secretLengthMin) return badRequest();
    const integration: GenesysIntegration = {
      id: randomUUID(),
      clientId: client.clientId,
      name: body['name'],
      outboundNotificationWebhookUrl: body['outboundNotificationWebhookUrl'],
      outboundNotificationWebhookSignatureSecretToken: secret,
      createStatus: 'Initiated',
      dateCreated: now().toISOString(),
    };
    state.put('genesysIntegration', integration.id, integration);
    return { status: 200, json: view(integration) };
  };

  const list = (exchange: Exchange): Answer => {
    const client = authenticate(exchange);
    if ('status' in client) return client;
    const own = state.all('genesysIntegration').filter((integration) => integration.clientId === client.clientId);
    const { searchParams } = exchange.url;
    const [pageSize, pageNumber] = [Number(searchParams.get('pageSize') ?? 25), Number(searchParams.get('pageNumber') ?? 1)];
    return { status: 200, json: { entities: own.slice((pageNumber - 1) * pageSize, pageNumber * pageSize).map(view), pageSize, pageNumber, total: own.length, pageCount: Math.ceil(own.length / pageSize) } };
  };

  const withIntegration = (handle: (integration: GenesysIntegration, exchange: Exchange) => Answer) => (exchange: Exchange): Answer => {
    const client = authenticate(exchange);
    if ('status' in client) return client;
    const integration = state.get('genesysIntegration', exchange.match[0] ?? '');
    // Another organization's integration is a missing one.
    if (integration === undefined || integration.clientId !== client.clientId) return genesysError(404, 'not.found', 'The requested resource was not found.');
    return handle(integration, exchange);
  };

  const update = withIntegration((integration, exchange) => {
    const body = jsonObjectOf(exchange) ?? {};
    if (typeof body['name'] !== 'string') return badRequest();
    const secret = body['outboundNotificationWebhookSignatureSecretToken'];
    if (secret !== undefined && (typeof secret !== 'string' || secret.length < secretLengthMin)) return badRequest();
    const changed = {
      ...integration,
      name: body['name'],
      outboundNotificationWebhookUrl: typeof body['outboundNotificationWebhookUrl'] === 'string' ? body['outboundNotificationWebhookUrl'] : integration.outboundNotificationWebhookUrl,
      outboundNotificationWebhookSignatureSecretToken: secret ?? integration.outboundNotificationWebhookSignatureSecretToken,
    };
    state.put('genesysIntegration', integration.id, changed);
    return { status: 200, json: view(changed) };
  });

  const remove = withIntegration((integration) => {
    state.remove('genesysIntegration', integration.id);
    return { status: 204 };
  });

  /** One conversation per integration and contact, as Genesys threads them; it comes back to life after a disconnect. */
  const conversationFor = (integration: GenesysIntegration, contactId: string): string => {
    const key = `${integration.id}:${contactId}`;
    const known = state.get('genesysConversation', key);
    if (known?.connected === true) return known.conversationId;
    const conversationId = known?.conversationId ?? randomUUID();
    state.put('genesysConversation', key, { conversationId, connected: true });
    return conversationId;
  };

  const keep = (integration: GenesysIntegration, exchange: Exchange, body: Record<string, unknown>): string => {
    const id = randomBytes(16).toString('hex');
    state.push('genesysReceived', integration.id, { at: now().toISOString(), path: exchange.url.pathname, token: bearerOf(exchange) ?? '', body, id });
    return id;
  };

  const message = withIntegration((integration, exchange) => {
    const body = jsonObjectOf(exchange);
    const channel = body && isRecord(body['channel']) ? body['channel'] : undefined;
    const from = channel && isRecord(channel['from']) ? channel['from'] : undefined;
    if (!body || !channel || !from || typeof from['id'] !== 'string' || !['Email', 'Phone', 'Opaque'].includes(String(from['idType'])) || typeof channel['time'] !== 'string') return badRequest();
    const content = Array.isArray(body['content']) ? (body['content'] as unknown[]) : [];
    if (typeof body['text'] !== 'string' && content.length === 0) return genesysError(400, 'invalid.value', "should have required property '.text'");
    if (!content.every(isAttachment)) return badRequest();
    // customAttributes at the top level are the mistake behind most bare 400s: top-level metadata is a string-to-string map.
    if (isRecord(body['metadata']) && !Object.values(body['metadata']).every((value) => typeof value === 'string')) return badRequest();
    const conversationId = conversationFor(integration, from['id']);
    const repeated = typeof channel['messageId'] === 'string' ? state.list('genesysReceived', integration.id).findLast((known) => isRecord(known.body['channel']) && known.body['channel']['messageId'] === channel['messageId']) : undefined;
    const id = keep(integration, exchange, body);
    return {
      status: 200,
      json: {
        id: repeated?.id ?? id,
        channel: { id: integration.id, platform: 'Open', type: 'Private', messageId: channel['messageId'], to: { id: integration.id }, from, time: channel['time'] },
        type: 'Text',
        text: body['text'],
        ...(exchange.url.searchParams.get('prefetchConversationId') === 'true' ? { conversationId } : {}),
      },
    };
  });

  const receipt = withIntegration((integration, exchange) => {
    const body = jsonObjectOf(exchange);
    const to = body && isRecord(body['channel']) && isRecord(body['channel']['to']) ? body['channel']['to'] : undefined;
    if (!body || typeof body['id'] !== 'string' || !to || !receiptStatuses.has(String(body['status']))) return badRequest();
    return { status: 202, json: { id: keep(integration, exchange, body) } };
  });

  const event = withIntegration((integration, exchange) => {
    const body = jsonObjectOf(exchange);
    const events = Array.isArray(body?.['events']) ? (body['events'] as unknown[]) : [];
    if (!body || events.length === 0 || !events.every((item) => isRecord(item) && item['eventType'] === 'Typing')) return badRequest();
    return { status: 202, json: { id: keep(integration, exchange, body) } };
  });

  const structured = withIntegration((integration, exchange) => {
    const body = jsonObjectOf(exchange);
    const response = body && isRecord(body['buttonResponse']) ? body['buttonResponse'] : undefined;
    const from = body && isRecord(body['channel']) && isRecord(body['channel']['from']) ? body['channel']['from'] : undefined;
    if (!body || !response || !from || typeof body['originatingMessageId'] !== 'string' || ['text', 'payload', 'type'].some((field) => typeof response[field] !== 'string')) return badRequest();
    const conversation = state.get('genesysConversation', `${integration.id}:${String(from['id'])}`);
    if (conversation?.connected !== true) return genesysError(404, 'not.found', 'The requested resource was not found.');
    return { status: 200, json: { id: keep(integration, exchange, body), conversationId: conversation.conversationId } };
  });

  const download = (exchange: Exchange): Answer => {
    const client = authenticate(exchange);
    if ('status' in client) return client;
    const media = state.get('media', exchange.match[0] ?? '');
    if (media === undefined || media.owner !== client.clientId) return { status: 404 };
    return { status: 200, bytes: Buffer.from(media.base64, 'base64'), headers: { 'content-type': media.mimeType } };
  };

  const integrations = '/genesys/api/v2/conversations/messaging/integrations/open';
  const messages = '/genesys/api/v2/conversations/messages';
  return [
    { method: 'POST', path: '/genesys/oauth/token', handle: token },
    { method: 'POST', path: integrations, handle: create },
    { method: 'GET', path: integrations, handle: list },
    { method: 'GET', path: `${integrations}/:integrationId`, handle: withIntegration((integration) => ({ status: 200, json: view(integration) })) },
    { method: 'PATCH', path: `${integrations}/:integrationId`, handle: update },
    { method: 'DELETE', path: `${integrations}/:integrationId`, handle: remove },
    { method: 'POST', path: `${messages}/:integrationId/inbound/open/message`, handle: message },
    { method: 'POST', path: `${messages}/:integrationId/inbound/open/receipt`, handle: receipt },
    { method: 'POST', path: `${messages}/:integrationId/inbound/open/event`, handle: event },
    { method: 'POST', path: `${messages}/:integrationId/inbound/open/structured/response`, handle: structured },
    { method: 'GET', path: '/genesys/api/v2/downloads/:mediaId', handle: download },
  ];
}

/** Genesys' error body. */
export function genesysError(status: number, code: string, message: string): Answer {
  return { status, json: { message, code, status, contextId: randomUUID(), details: [], errors: [] } };
}

function badRequest(): Answer {
  return genesysError(400, 'bad.request', 'The request could not be understood by the server due to malformed syntax.');
}

function isAttachment(item: unknown): boolean {
  if (!isRecord(item) || item['contentType'] !== 'Attachment' || !isRecord(item['attachment'])) return false;
  const { mediaType, url, mime } = item['attachment'];
  return mediaTypes.has(String(mediaType)) && typeof url === 'string' && typeof mime === 'string';
}
