import { isRecord, type Answer } from '../exchange.ts';
import { conversationOf, idOf, isTrue, recordOf, textOf, type Call, type CallRoute } from './call.ts';
import { brokenServer, notFound, refusal, Refused } from './refusals.ts';
import { restMessage } from './render-message.ts';
import { metaOf } from './render-conversation.ts';
import { secondsOrZero } from './render-people.ts';
import type { ChatwootAttachment, ChatwootMessage, MessageType, SenderType } from './rows.ts';
import { can } from './version-gates.ts';

const contentLengthMax = 150_000;
const attachmentsMax = 15;
const pageSize = 20;
const afterSize = 100;
const betweenSize = 1000;
const contentTypes = new Set(['text', 'input_text', 'input_textarea', 'input_email', 'input_select', 'cards', 'form', 'article', 'incoming_email', 'input_csat', 'integrations', 'sticker', 'voice_call']);
const messageTypes: ReadonlySet<string> = new Set<MessageType>(['incoming', 'outgoing', 'activity', 'template']);

export const messageRoutes: CallRoute[] = [
  { method: 'GET', path: '/conversations/:cid/messages', bots: 'never', handle: list },
  { method: 'POST', path: '/conversations/:cid/messages', bots: 'always', handle: create },
  { method: 'PATCH', path: '/conversations/:cid/messages/:id', bots: 'never', handle: update },
  { method: 'PUT', path: '/conversations/:cid/messages/:id', bots: 'never', handle: update },
  { method: 'DELETE', path: '/conversations/:cid/messages/:id', bots: 'never', handle: remove },
  { method: 'POST', path: '/conversations/:cid/messages/:id/retry', bots: 'never', handle: retry },
];

/** Default: the newest 20. `before`: 20 older ones. `after`: up to 100 behind it. Both: from `after` on, up to 1 000. Always ascending. */
function list(call: Call): Answer {
  const { site, store, query } = call;
  const conversation = conversationOf(call);
  const isInternal = ({ type, private: isPrivate }: ChatwootMessage) => type === 'activity' || isPrivate;
  const all = store.messages(conversation).filter((message) => query.get('filter_internal_messages') !== 'true' || !isInternal(message));
  const [before, after] = [idOf(query.get('before')), idOf(query.get('after'))];
  const page =
    before !== undefined && after !== undefined
      ? all.filter(({ id }) => id >= after && id < before).slice(0, betweenSize)
      : after !== undefined
        ? all.filter(({ id }) => id > after).slice(0, afterSize)
        : all.filter(({ id }) => before === undefined || id < before).slice(-pageSize);
  const { sender, assignee } = metaOf(site, conversation);
  return {
    status: 200,
    json: {
      meta: { labels: conversation.labels, additional_attributes: conversation.additionalAttributes, contact: sender, ...(assignee === null ? {} : { assignee }), agent_last_seen_at: secondsOrZero(conversation.agentLastSeenAt), assignee_last_seen_at: 0 },
      payload: page.map((message) => restMessage(site, conversation, message)),
    },
  };
}

function create(call: Call): Answer {
  const conversation = conversationOf(call);
  return { status: 200, json: restMessage(call.site, conversation, addMessage(call, conversation, call.params.fields)) };
}

/** What the message builder does with `fields`; all its refusals are 422. */
export function addMessage(call: Call, conversation: ReturnType<typeof conversationOf>, fields: Readonly<Record<string, unknown>>): ChatwootMessage {
  const { store, caller, actions } = call;
  const type = textOf(fields['message_type']) ?? 'outgoing';
  if (!messageTypes.has(type)) throw new Refused(refusal(422, `'${type}' is not a valid message_type`));
  if (type === 'incoming' && store.inbox(conversation.inboxId)?.type !== 'api') throw new Refused(refusal(422, 'Incoming messages are only allowed in Api inboxes'));
  const contentType = textOf(fields['content_type']) ?? 'text';
  if (!contentTypes.has(contentType)) throw new Refused(refusal(422, `'${contentType}' is not a valid content_type`));
  const content = textOf(fields['content']) ?? null;
  if ((content?.length ?? 0) > contentLengthMax) throw new Refused(refusal(422, `Validation failed: Content is too long (maximum is ${contentLengthMax} characters)`));
  const attachments = attachmentsOf(call, fields);
  if (attachments.length > attachmentsMax) throw new Refused(refusal(422, 'Validation failed: Attachments exceeded maximum allowed'));
  const given = contentAttributesOf(fields['content_attributes']);
  assertItems(contentType, given['items']);
  const asBot = fields['sender_type'] === 'AgentBot' ? store.bot(idOf(fields['sender_id']) ?? 0) : undefined;
  const sender: { senderType: SenderType; senderId: number } =
    type === 'incoming'
      ? { senderType: 'Contact', senderId: conversation.contactId }
      : asBot !== undefined
        ? { senderType: 'AgentBot', senderId: asBot.id }
        : caller.kind === 'bot'
          ? { senderType: 'AgentBot', senderId: caller.bot.id }
          : { senderType: 'User', senderId: caller.user.id };
  return actions.addMessage(conversation, {
    type: type as MessageType, // just asked
    ...sender,
    content,
    contentType,
    contentAttributes: {
      // The key replaces the whole hash.
      ...(fields['automation_rule_id'] === undefined && given['automation_rule_id'] !== undefined ? { automation_rule_id: given['automation_rule_id'] } : given),
      ...(textOf(fields['external_created_at']) === undefined ? {} : { external_created_at: fields['external_created_at'] }),
    },
    // created_at has no parameter: what a caller says of it is not read.
    additionalAttributes: isRecord(fields['template_params']) ? { template_params: fields['template_params'] } : {},
    private: isTrue(fields['private']),
    sourceId: textOf(fields['source_id']) ?? null,
    echoId: textOf(fields['echo_id']) ?? null,
    attachments,
  });
}

function attachmentsOf({ store, params }: Call, fields: Readonly<Record<string, unknown>>): ChatwootAttachment[] {
  const uploaded = params.files
    .filter(({ name }) => name === 'attachments[]' || name === 'attachments')
    .map((file) => {
      const [fileName, contentType] = [file.fileName ?? 'file', file.contentType ?? 'application/octet-stream'];
      return { id: store.next('attachment'), blob: store.addBlob({ fileName, contentType, bytes: file.bytes }), fileName, contentType, size: file.bytes.length };
    });
  const signed = Array.isArray(fields['attachments']) ? (fields['attachments'] as unknown[]) : [];
  return [
    ...uploaded,
    ...signed.map((signedId) => {
      const blob = store.blob(textOf(signedId) ?? '');
      // No URLs here: only what was uploaded before.
      if (blob === undefined) throw new Refused(refusal(422, 'ActiveSupport::MessageVerifier::InvalidSignature'));
      return { id: store.next('attachment'), blob: textOf(signedId) ?? '', fileName: blob.fileName, contentType: blob.contentType, size: Buffer.from(blob.base64, 'base64').length };
    }),
  ];
}

function contentAttributesOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'string') return recordOf(value);
  try {
    return recordOf(JSON.parse(value));
  } catch {
    return {};
  }
}

/** Items are checked strictly by type (content_attribute_validator.rb). */
const itemFields: Readonly<Record<string, { allowed: readonly string[]; required: readonly string[] }>> = {
  input_select: { allowed: ['title', 'value'], required: ['title', 'value'] },
  cards: { allowed: ['title', 'description', 'media_url', 'actions'], required: ['title', 'description', 'media_url', 'actions'] },
  form: { allowed: ['type', 'placeholder', 'label', 'name', 'options', 'default', 'required', 'pattern', 'title', 'pattern_error'], required: ['type', 'label', 'name'] },
  article: { allowed: ['title', 'description', 'link'], required: ['title', 'description', 'link'] },
};

function assertItems(contentType: string, items: unknown): void {
  const rule = itemFields[contentType];
  if (rule === undefined) return;
  if (!Array.isArray(items) || items.length === 0) throw new Refused(refusal(422, 'Validation failed: Content attributes At least one item is required.'));
  for (const item of items as unknown[]) {
    if (!isRecord(item)) throw new Refused(refusal(422, 'Validation failed: Content attributes Items should be a hash.'));
    const unknown = Object.keys(item).filter((key) => !rule.allowed.includes(key));
    if (unknown.length > 0) throw new Refused(refusal(422, `Validation failed: Content attributes contains invalid keys for items : [${unknown.map((key) => `:${key}`).join(', ')}]`));
    const missing = rule.required.filter((key) => item[key] === undefined);
    if (missing.length > 0) throw new Refused(refusal(422, `Validation failed: Content attributes contains items missing ${missing.join(', ')}`));
  }
}

const messageOf = (call: Call) => {
  const conversation = conversationOf(call);
  const message = call.store.message(conversation, idOf(call.match[1]) ?? 0);
  if (message === undefined) throw new Refused(notFound());
  return { conversation, message };
};

function update(call: Call): Answer {
  const { store, params, site, actions } = call;
  if (!can(store.server.version, 'patchMessageStatus')) return { status: 404, json: { status: 404, error: 'Not Found' } };
  const { conversation, message } = messageOf(call);
  if (store.inbox(conversation.inboxId)?.type !== 'api') return refusal(403, 'Message status update is only allowed for API inboxes');
  const status = textOf(params.fields['status']);
  if (status !== 'sent' && status !== 'delivered' && status !== 'read' && status !== 'failed') return brokenServer();
  // A message that was read does not go back to delivered; nothing else is looked at.
  if (message.status === 'read' && status === 'delivered') return { status: 200, json: restMessage(site, conversation, message) };
  const { external_error: _error, ...attributes } = message.contentAttributes;
  const externalError = status === 'failed' ? textOf(params.fields['external_error']) : undefined;
  const changed = actions.updateMessage(conversation, message, { status, contentAttributes: externalError === undefined ? attributes : { ...attributes, external_error: externalError } });
  return { status: 200, json: restMessage(site, conversation, changed) };
}

function remove(call: Call): Answer {
  const { conversation, message } = messageOf(call);
  const changed = call.actions.updateMessage(conversation, message, { content: 'This message was deleted', contentType: 'text', contentAttributes: { deleted: true }, attachments: [] });
  return { status: 200, json: restMessage(call.site, conversation, changed) };
}

/** Wipes content_attributes: whatever the hub put there is gone. */
function retry(call: Call): Answer {
  const { conversation, message } = messageOf(call);
  return { status: 200, json: restMessage(call.site, conversation, call.actions.updateMessage(conversation, message, { status: 'sent', contentAttributes: {} })) };
}
