import type { AddressInfo } from 'node:net';
import { createServer, type IncomingMessage } from 'node:http';
import { fieldsOf, findFault } from './request-schemas.ts';

type Contact = { id: number; accountId: number; name: string | undefined; phone_number: string | undefined; identifier: string | undefined; inboxes: { inboxId: number; sourceId: string }[] };
type Message = { id: number; content: string; message_type: number; private: boolean; content_attributes: Record<string, unknown>; source_id: string | null; files: string[]; token: string };
type Conversation = { id: number; accountId: number; inboxId: number; contactId: number; sourceId: string; status: string; assigneeId: number | null; labels: string[]; customAttributes: Record<string, unknown>; messages: Message[] };

/** What becomes of the next request to a path: refused, its answer lost before or after it took effect, or taken up only when `until` is over. */
export type Fault = { readonly path: RegExp; readonly kind: 'lost before' | 'lost after' | 'refused' | 'slow'; readonly status?: number; readonly body?: string; readonly until?: Promise<void> };

/**
 * A Chatwoot server, as far as the connector speaks to it, with what the contract says of it (sections 2 and 5): contacts unique by identifier
 * and phone, source ids by inbox, and neither conversations nor messages by anything. It is slow, so that whoever asks twice meets himself.
 */
export async function startFakeChatwoot(accountsOfTokens: Readonly<Record<string, number>>) {
  const contacts: Contact[] = [];
  const conversations: Conversation[] = [];
  const requests: string[] = [];
  /** Bodies that Chatwoot's description of its API does not take, tokens that may not. */
  const unfit: string[] = [];
  const faults: Fault[] = [];
  let lastId = 900;
  const lastDisplayIds = new Map<number, number>();
  const nextId = () => ++lastId;

  const server = createServer(async (request, response) => {
    const bytes: Buffer[] = [];
    for await (const chunk of request) bytes.push(chunk as Buffer); // requests stream buffers
    const url = new URL(request.url ?? '', 'http://fake');
    requests.push(`${request.method} ${url.pathname}`);
    const fault = faults.findIndex(({ path }) => path.test(`${request.method} ${url.pathname}`));
    const [struck] = fault < 0 ? [] : faults.splice(fault, 1);
    if (struck?.kind === 'lost before') return request.socket.destroy();
    if (struck?.kind === 'refused') return response.writeHead(struck.status ?? 500).end(struck.body ?? '');
    await new Promise((resolve) => setTimeout(resolve, 15));
    await struck?.until;
    // Files: a signed link of the server leads to its storage.
    if (url.pathname.startsWith('/rails/')) return response.writeHead(302, { location: `/storage${url.pathname}` }).end();
    if (url.pathname.startsWith('/storage/')) return response.writeHead(200, { 'content-type': 'image/png' }).end(`file ${request.headers['api_access_token'] ?? 'without token'}`);
    const { status, body } = answer(request, url, await readBody(request, Buffer.concat(bytes)));
    if (struck?.kind === 'lost after') return request.socket.destroy();
    response.writeHead(status, { 'content-type': 'application/json' }).end(body === undefined ? '' : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });

  function answer(request: IncomingMessage, url: URL, body: Record<string, unknown>): { status: number; body?: unknown } {
    const token = String(request.headers['api_access_token'] ?? '');
    const accountId = accountsOfTokens[token];
    const [, wanted, path = ''] = /^\/api\/v1\/accounts\/(\d+)(\/.*)$/.exec(url.pathname) ?? [];
    if (accountId === undefined) return { status: 401, body: { error: 'Invalid Access Token' } };
    if (String(accountId) !== wanted) return { status: 401, body: { error: 'You are not authorized to access this account' } };
    const operation = `${request.method} ${path.replaceAll(/\d+/g, ':id')}`;
    const isBot = token.startsWith('bot');
    if (isBot && !/(messages|toggle_status|toggle_typing_status)$/.test(path)) unfit.push(`a bot may not ${operation}`);
    const wrong = request.method === 'GET' ? undefined : findFault(operation, body);
    if (wrong !== undefined) unfit.push(wrong);
    return route({ operation, ids: [...path.matchAll(/\d+/g)].map(([digits]) => Number(digits)), query: url.searchParams, body, accountId, token });
  }

  type Call = { operation: string; ids: number[]; query: URLSearchParams; body: Record<string, unknown>; accountId: number; token: string };

  function route({ operation, ids: [first = 0], query, body, accountId, token }: Call): { status: number; body?: unknown } {
    const own = contacts.filter((contact) => contact.accountId === accountId);
    const inPlace = (inboxId: unknown, sourceId: unknown) => own.find(({ inboxes }) => inboxes.some((one) => one.inboxId === inboxId && one.sourceId === sourceId));
    const conversation = conversations.find((one) => one.accountId === accountId && one.id === first);
    switch (operation) {
      case 'POST /contact_inboxes/filter': {
        const found = inPlace(body['inbox_id'], body['source_id']);
        return found === undefined ? { status: 404 } : { status: 200, body: contactJson(found) };
      }
      case 'POST /contacts/filter': {
        const [{ attribute_key: field, values }] = body['payload'] as [{ attribute_key: 'identifier' | 'phone_number'; values: string[] }]; // checked by findFault
        return { status: 200, body: { payload: own.filter((one) => one[field] === values[0]).map(contactJson) } };
      }
      case 'POST /contacts': {
        const taken = (['identifier', 'phone_number'] as const).filter((field) => body[field] !== undefined && own.some((one) => one[field] === body[field]));
        if (taken.length > 0) return { status: 422, body: { message: `${taken[0]} has already been taken`, attributes: taken } };
        if (inPlace(body['inbox_id'], body['source_id']) !== undefined) return { status: 500, body: {} };
        const made: Contact = { id: nextId(), accountId, name: body['name'] as string, phone_number: body['phone_number'] as string, identifier: body['identifier'] as string, inboxes: [{ inboxId: body['inbox_id'] as number, sourceId: body['source_id'] as string }] }; // checked by findFault
        contacts.push(made);
        return { status: 200, body: { payload: { contact: contactJson(made), contact_inbox: { source_id: body['source_id'] } } } };
      }
      case 'POST /contacts/:id/contact_inboxes': {
        const owner = inPlace(body['inbox_id'], body['source_id']);
        const contact = own.find(({ id }) => id === first);
        if (contact === undefined) return { status: 404 };
        if (owner !== undefined && owner !== contact) return { status: 500, body: {} };
        if (owner === undefined) contact.inboxes.push({ inboxId: body['inbox_id'] as number, sourceId: body['source_id'] as string }); // checked by findFault
        return { status: 200, body: { source_id: body['source_id'] } };
      }
      case 'GET /contacts/:id/conversations':
        return { status: 200, body: { payload: conversations.filter((one) => one.accountId === accountId && one.contactId === first).map(conversationJson) } };
      case 'POST /conversations': {
        // A sequence of the account: numbers of what was deleted do not come again.
        const id = (lastDisplayIds.get(accountId) ?? 0) + 1;
        lastDisplayIds.set(accountId, id);
        const made: Conversation = { id, accountId, inboxId: body['inbox_id'] as number, contactId: body['contact_id'] as number, sourceId: body['source_id'] as string, status: String(body['status']), assigneeId: null, labels: ['vip'], customAttributes: { plan: 'gold' }, messages: [] }; // checked by findFault
        conversations.push(made);
        return { status: 200, body: conversationJson(made) };
      }
      case 'GET /conversations':
        // Like a server with a fault: it answers every inbox of the account.
        return { status: 200, body: { data: { meta: { all_count: 1 }, payload: conversations.filter((one) => one.accountId === accountId).map(conversationJson) } } };
      default:
        return conversation === undefined ? { status: 404, body: { error: 'Resource could not be found' } } : inConversation(conversation, { operation, query, body, token });
    }
  }

  function inConversation(conversation: Conversation, { operation, query, body, token }: Pick<Call, 'operation' | 'query' | 'body' | 'token'>): { status: number; body?: unknown } {
    switch (operation) {
      case 'GET /conversations/:id':
        return { status: 200, body: conversationJson(conversation) };
      case 'GET /conversations/:id/messages':
        return { status: 200, body: { meta: {}, payload: conversation.messages.filter(({ id }) => id > Number(query.get('after') ?? 0)).slice(0, 100).map(messageJson) } };
      case 'POST /conversations/:id/messages': {
        const attributes = typeof body['content_attributes'] === 'string' ? (JSON.parse(body['content_attributes']) as object) : (body['content_attributes'] as object); // checked by findFault
        const made: Message = { id: nextId(), content: String(body['content']), message_type: body['message_type'] === 'incoming' ? 0 : 1, private: String(body['private']) === 'true', content_attributes: { ...attributes }, source_id: (body['source_id'] as string | undefined) ?? null, files: (body['attachments[]'] as string[] | undefined) ?? [], token };
        conversation.messages.push(made);
        return { status: 200, body: messageJson(made) };
      }
      case 'POST /conversations/:id/toggle_status':
        conversation.status = String(body['status']);
        return { status: 200, body: { meta: {}, payload: { success: token.startsWith('bot') ? null : true, current_status: conversation.status } } };
      case 'POST /conversations/:id/assignments':
        conversation.assigneeId = body['assignee_id'] as number; // checked by findFault
        return { status: 200, body: { id: conversation.assigneeId } };
      case 'GET /conversations/:id/labels':
        return { status: 200, body: { payload: conversation.labels } };
      case 'POST /conversations/:id/labels':
        conversation.labels = body['labels'] as string[]; // checked by findFault
        return { status: 200, body: { payload: conversation.labels } };
      case 'POST /conversations/:id/custom_attributes':
        conversation.customAttributes = body['custom_attributes'] as Record<string, unknown>; // checked by findFault
        return { status: 200, body: {} };
      default:
        return { status: 404, body: {} };
    }
  }

  function conversationJson(one: Conversation) {
    const contact = contacts.find(({ id }) => id === one.contactId);
    return { id: one.id, inbox_id: one.inboxId, status: one.status, labels: one.labels, custom_attributes: one.customAttributes, unread_count: 1, created_at: 1_783_077_601, last_activity_at: 1_783_077_605 + one.id, contact_inbox: { source_id: one.sourceId, pubsub_token: 'live-credential' }, meta: { sender: contact && contactJson(contact), assignee: one.assigneeId === null ? null : { id: one.assigneeId, name: 'Bruno', access_token: 'live-credential' } }, messages: one.messages.slice(-1).map(messageJson) };
  }

  function contactJson({ id, name, phone_number, identifier, inboxes }: Contact) {
    return { id, name, phone_number, identifier, email: null, pubsub_token: 'live-credential', contact_inboxes: inboxes.map(({ inboxId, sourceId }) => ({ source_id: sourceId, inbox: { id: inboxId } })) };
  }

  function messageJson({ token: _token, files: _files, ...message }: Message) {
    return { ...message, created_at: 1_783_077_605 };
  }

  // The cast: a listening TCP server has an address with a port.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    contacts,
    conversations,
    requests,
    unfit,
    faults,
    /** Fails where something unfit was sent, also in a test that does not look at it. */
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (unfit.length > 0) throw new Error(`sent to Chatwoot: ${unfit.join('; ')}`);
    },
  };
}
export type FakeChatwoot = Awaited<ReturnType<typeof startFakeChatwoot>>;

async function readBody(request: IncomingMessage, bytes: Buffer): Promise<Record<string, unknown>> {
  const type = request.headers['content-type'] ?? '';
  if (bytes.length === 0) return {};
  if (!type.startsWith('multipart/')) return JSON.parse(bytes.toString('utf8')) as Record<string, unknown>; // the client's bodies are objects
  const form = await new Response(Uint8Array.from(bytes), { headers: { 'content-type': type } }).formData();
  return fieldsOf(form);
}
