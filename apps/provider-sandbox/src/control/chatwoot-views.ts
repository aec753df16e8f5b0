import type { Exchange, SandboxRoute } from '../exchange.ts';
import { inboxOf, restContact } from '../chatwoot/render-people.ts';
import type { ChatwootConversation } from '../chatwoot/rows.ts';
import { accountAt, type ChatwootControl } from './chatwoot-account.ts';
import { unknown } from './with-body.ts';

/** What stands in an account, in plain words: for tests and for whoever looks. */
export function chatwootViews(deps: ChatwootControl): SandboxRoute[] {
  type At = NonNullable<ReturnType<typeof accountAt>>;
  const view = (show: (at: At, exchange: Exchange) => unknown) => (exchange: Exchange) => {
    const at = accountAt(deps, exchange);
    if (at === undefined) return unknown('account');
    const json = show(at, exchange);
    return json === undefined ? unknown('conversation') : { status: 200, json };
  };

  const conversationView = ({ store, site }: At, conversation: ChatwootConversation) => {
    const contact = store.contact(conversation.accountId, conversation.contactId);
    const assignee = store.user(conversation.assigneeId);
    return {
      conversationId: String(conversation.displayId),
      inboxId: String(conversation.inboxId),
      sourceId: conversation.sourceId,
      status: conversation.status,
      labels: conversation.labels,
      priority: conversation.priority,
      assignee: assignee ? { id: assignee.id, name: assignee.name } : null,
      teamId: conversation.teamId,
      customAttributes: conversation.customAttributes,
      contact: contact && restContact(site, contact),
      messages: store.messages(conversation).map((message) => ({
        id: String(message.id),
        type: message.type,
        text: message.content,
        private: message.private,
        status: message.status,
        contentType: message.contentType,
        contentAttributes: message.contentAttributes,
        sender: message.senderType === null ? null : { type: message.senderType, id: message.senderId },
        attachments: message.attachments.map(({ fileName, contentType, size, blob }) => ({ fileName, contentType, size, base64: store.blob(blob)?.base64 })),
        createdAt: message.createdAt,
      })),
    };
  };

  const account = view(({ account: row, store, site }) => ({
    ...row,
    version: store.server.version,
    inboxes: store.inboxes(row.id).map((inbox) => ({ ...inboxOf(site, inbox, false), bot: inbox.botId, members: inbox.memberIds, conversations: store.conversations(row.id).filter(({ inboxId }) => inboxId === inbox.id).length })),
    webhooks: store.webhooks(row.id).map(({ secret: _secret, ...webhook }) => webhook),
    bots: store.bots(row.id).map(({ id, name, outgoingUrl }) => ({ id, name, outgoingUrl })),
    agents: store.users(row.id),
  }));

  const conversations = view((at, { url }) => {
    const inboxId = url.searchParams.get('inboxId');
    return { data: at.store.conversations(at.accountId).filter((conversation) => inboxId === null || String(conversation.inboxId) === inboxId).map((conversation) => conversationView(at, conversation)) };
  });

  const conversation = view((at, { match }) => {
    const found = at.store.conversation(at.accountId, Number(match[2]));
    return found && conversationView(at, found);
  });

  const base = '/sandbox/chatwoot/:server/accounts/:accountId';
  return [
    { method: 'GET', path: base, handle: account },
    { method: 'GET', path: `${base}/conversations`, handle: conversations },
    { method: 'GET', path: `${base}/conversations/:displayId`, handle: conversation },
    { method: 'GET', path: `${base}/contacts`, handle: view(({ store, accountId, site }) => ({ data: store.contacts(accountId).map((contact) => restContact(site, contact)) })) },
    { method: 'GET', path: `${base}/received`, handle: view(({ store, accountId }) => ({ data: deps.state.list('chatwootReceived', `${store.server.name}/${accountId}`) })) },
    { method: 'GET', path: `${base}/deliveries`, handle: view(({ store, accountId }) => ({ data: deps.state.list('chatwootDelivery', `${store.server.name}/${accountId}`) })) },
  ];
}
