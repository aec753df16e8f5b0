import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Answer, Exchange, SandboxRoute } from '../exchange.ts';
import { inboxAt } from '../chatwoot/inbox-routes.ts';
import { Refused } from '../chatwoot/refusals.ts';
import { conversationSender } from '../chatwoot/render-people.ts';
import type { ChatwootAttachment, ChatwootConversation, ChatwootInbox, ChatwootUser } from '../chatwoot/rows.ts';
import type { ChatwootStore } from '../chatwoot/chatwoot-store.ts';
import { accountAt, doneAnswer, type ChatwootControl } from './chatwoot-account.ts';
import { unknown, withBody } from './with-body.ts';

const attributes = z.record(z.string(), z.unknown());
const attachments = z.array(z.strictObject({ mimeType: z.string(), base64: z.base64(), fileName: z.string().default('file') })).max(15).default([]);
const agentId = z.int().optional().describe('Who does it; the account\'s first agent, else its administrator, when absent');

const receiveSchema = z.strictObject({
  /** The contact's source id in the inbox: a browser's for a website. */
  from: z.string().min(1).default(() => randomUUID()),
  name: z.string().default(''),
  email: z.email().optional(),
  phoneNumber: z.string().optional(),
  identifier: z.string().optional(),
  text: z.string().optional(),
  attachments,
  contentAttributes: attributes.default({}),
  /** A new conversation even where the contact has one that is not resolved. */
  newConversation: z.boolean().default(false),
});

const replySchema = z.strictObject({
  text: z.string().optional(),
  attachments,
  private: z.boolean().default(false),
  agentId,
  contentType: z.string().default('text'),
  contentAttributes: attributes.default({}),
  /** `automation`: a rule wrote it, no sender. `template`: greeting, out of office, survey. */
  as: z.enum(['agent', 'automation', 'template']).default('agent'),
});

type At = NonNullable<ReturnType<typeof accountAt>> & { readonly conversation: ChatwootConversation };

/** What contacts do in an inbox and agents at the desk. Answers come when the hub has answered the webhooks. */
export function chatwootPeopleRoutes(deps: ChatwootControl): SandboxRoute[] {
  const receive = withBody(receiveSchema, async (given, exchange) => {
    const at = accountAt(deps, exchange);
    if (at === undefined) return unknown('account');
    const { store, actions, accountId, account } = at;
    const inbox = inboxAt({ store, account, match: [exchange.match[2] ?? ''] });
    const known = store.contactInbox(inbox.id, given.from);
    const contactId = known?.contactId ?? addContact(store, inbox, given, deps.now());
    const link = actions.linkContact(inbox, contactId, given.from);
    if (link === undefined) return unknown('contact');
    const last = store.conversations(accountId).findLast(({ inboxId, sourceId }) => inboxId === inbox.id && sourceId === given.from);
    const isKept = last !== undefined && !given.newConversation && (inbox.lockToSingleConversation || last.status !== 'resolved');
    const conversation = isKept ? last : actions.createConversation({ inbox, link });
    const message = actions.addMessage(conversation, { type: 'incoming', content: given.text ?? null, senderType: 'Contact', senderId: contactId, contentAttributes: given.contentAttributes, attachments: keep(store, given.attachments) });
    return doneAnswer(actions, { conversationId: String(conversation.displayId), messageId: String(message.id), contactId: String(contactId), sourceId: given.from });
  });

  const inConversation = <Schema extends z.ZodType>(schema: Schema, act: (body: z.output<Schema>, at: At, exchange: Exchange) => Record<string, unknown> | Answer) =>
    withBody(schema, (given, exchange) => {
      const at = accountAt(deps, exchange);
      const conversation = at?.store.conversation(at.accountId, Number(exchange.match[2]));
      if (at === undefined || conversation === undefined) return unknown('conversation');
      const done = act(given, { ...at, conversation }, exchange);
      return typeof done['status'] === 'number' ? (done as Answer) : doneAnswer(at.actions, done);
    });

  const reply = inConversation(replySchema, (given, at) => {
    const user = agentOf(at, given.agentId);
    const isPerson = given.as === 'agent';
    const message = at.actions.addMessage(at.conversation, {
      type: given.as === 'template' ? 'template' : 'outgoing',
      content: given.text ?? null,
      contentType: given.contentType,
      contentAttributes: given.as === 'automation' ? { automation_rule_id: 9 } : given.contentAttributes,
      private: given.private,
      senderType: isPerson ? 'User' : null,
      senderId: isPerson ? user.id : null,
      attachments: keep(at.store, given.attachments),
    });
    return { messageId: String(message.id), conversationId: String(at.conversation.displayId) };
  });

  const setStatus = inConversation(z.strictObject({ status: z.enum(['open', 'resolved', 'pending', 'snoozed']), agentId, snoozedUntil: z.iso.datetime().nullable().default(null) }), (given, at) => {
    const { name } = agentOf(at, given.agentId);
    const changed = at.actions.change(at.conversation, { status: given.status, snoozedUntil: given.snoozedUntil }, given.status === 'resolved' ? `Conversation was marked resolved by ${name}` : `Conversation was marked ${given.status} by ${name}`);
    return { conversationId: String(changed.displayId), currentStatus: changed.status };
  });

  const assign = inConversation(z.strictObject({ agentId: z.int().nullable() }), (given, at) => {
    const user = at.store.user(given.agentId);
    if (given.agentId !== null && user?.accountId !== at.accountId) return unknown('agent');
    const changed = at.actions.change(at.conversation, { assigneeId: user?.id ?? null, assigneeBotId: null }, user ? `Assigned to ${user.name}` : 'Conversation unassigned');
    return { conversationId: String(changed.displayId), assigneeId: changed.assigneeId };
  });

  const label = inConversation(z.strictObject({ labels: z.array(z.string()) }), (given, at) => ({ labels: at.actions.change(at.conversation, { labels: given.labels }).labels }));

  const typing = inConversation(z.strictObject({ typing: z.boolean().default(true), private: z.boolean().default(false), by: z.enum(['agent', 'contact']).default('agent'), agentId }), (given, at) => {
    const user = given.by === 'agent' ? conversationSender(at.site, at.accountId, 'User', agentOf(at, given.agentId).id) : conversationSender(at.site, at.accountId, 'Contact', at.conversation.contactId);
    at.actions.typing(at.conversation, given.typing, user ?? {}, given.private);
    return { conversationId: String(at.conversation.displayId) };
  });

  /** The visitor clicked: no message of its own, the question changes. */
  const submit = inConversation(z.strictObject({ values: z.array(z.strictObject({ title: z.string(), value: z.string() })).min(1) }), (given, at, exchange) =>
    onMessage(at, exchange, (message) => ({ contentAttributes: { ...message.contentAttributes, submitted_values: given.values } })));

  const retry = inConversation(z.strictObject({}), (_given, at, exchange) => onMessage(at, exchange, () => ({ status: 'sent', contentAttributes: {} })));

  const remove = inConversation(z.strictObject({}), (_given, at, exchange) => onMessage(at, exchange, () => ({ content: 'This message was deleted', contentType: 'text', contentAttributes: { deleted: true }, attachments: [] })));

  const conversation = '/sandbox/chatwoot/:server/accounts/:accountId/conversations/:displayId';
  return [
    { method: 'POST', path: '/sandbox/chatwoot/:server/accounts/:accountId/inboxes/:inboxId/receive', handle: orRefused(receive) },
    { method: 'POST', path: `${conversation}/reply`, handle: orRefused(reply) },
    { method: 'POST', path: `${conversation}/status`, handle: orRefused(setStatus) },
    { method: 'POST', path: `${conversation}/assign`, handle: orRefused(assign) },
    { method: 'POST', path: `${conversation}/labels`, handle: orRefused(label) },
    { method: 'POST', path: `${conversation}/typing`, handle: orRefused(typing) },
    { method: 'POST', path: `${conversation}/messages/:messageId/submit`, handle: orRefused(submit) },
    { method: 'POST', path: `${conversation}/messages/:messageId/retry`, handle: orRefused(retry) },
    { method: 'POST', path: `${conversation}/messages/:messageId/delete`, handle: orRefused(remove) },
  ];
}

function orRefused(handle: SandboxRoute['handle']): SandboxRoute['handle'] {
  return async (exchange) => {
    try {
      return await handle(exchange);
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      throw error;
    }
  };
}

function onMessage(at: At, { match }: Exchange, change: (message: NonNullable<ReturnType<ChatwootStore['message']>>) => Parameters<At['actions']['updateMessage']>[2]): Record<string, unknown> | Answer {
  const message = at.store.message(at.conversation, Number(match[3]));
  if (message === undefined) return unknown('message');
  at.actions.updateMessage(at.conversation, message, change(message));
  return { messageId: String(message.id) };
}

function agentOf({ store, accountId }: At, id: number | undefined): ChatwootUser {
  const users = store.users(accountId);
  const found = users.find((user) => (id === undefined ? user.role === 'agent' : user.id === id)) ?? (id === undefined ? users[0] : undefined);
  if (found === undefined) throw new Refused(unknown('agent'));
  return found;
}

function keep(store: ChatwootStore, files: z.output<typeof attachments>): ChatwootAttachment[] {
  return files.map(({ mimeType, base64, fileName }) => {
    const bytes = Buffer.from(base64, 'base64');
    return { id: store.next('attachment'), blob: store.addBlob({ fileName, contentType: mimeType, bytes }), fileName, contentType: mimeType, size: bytes.length };
  });
}

function addContact(store: ChatwootStore, inbox: ChatwootInbox, given: z.output<typeof receiveSchema>, now: Date): number {
  const id = store.next('contact');
  store.putContact({
    id,
    accountId: inbox.accountId,
    // A website's visitors get a name of two words; the number keeps them apart.
    name: given.name || `quiet-river-${id}`,
    email: given.email ?? null,
    phoneNumber: given.phoneNumber ?? null,
    identifier: given.identifier ?? null,
    blocked: false,
    customAttributes: {},
    additionalAttributes: {},
    createdAt: now.toISOString(),
    lastActivityAt: null,
  });
  return id;
}
