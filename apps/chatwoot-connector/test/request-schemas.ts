import type { Egress, EgressRequest } from '@switchboard/service-kit';
import { z } from 'zod';

/**
 * What Chatwoot's description of its API (OpenAPI 3.1, MIT; in its repository the whole is swagger/swagger.json, here compared as of commit
 * 00bcb523d and file by file as of the commits named below) demands of the bodies that the connector sends, in our words, and stricter: nothing is
 * allowed that the connector does not mean to send. "Code alone" are fields that the description does not know and the server does (provider
 * contract, sections 2 and 8).
 */
const id = z.number().int().positive();
const status = z.enum(['open', 'resolved', 'pending']);
const attributes = z.record(z.string(), z.unknown());
const sourceId = z.string().min(1);
/** E.164: of the server's model, the description has any text. */
const phoneNumber = z.string().regex(/^\+[1-9]\d{1,14}$/);

// paths/application/conversation/messages/create.yml, definitions/request/conversation/create_message_payload.yml (14484755a): `content` required, two
// message types, six content types. Code alone: `source_id`, and what stands in `content_attributes`, which is any object there.
const said = { content: z.string().max(150_000), message_type: z.enum(['outgoing', 'incoming']), private: z.boolean(), source_id: sourceId.optional() };
const ours = { hub_ref: sourceId, in_reply_to: id.optional() };
const items = z.array(z.strictObject({ title: z.string().min(1), value: z.string().min(1) })).min(1);
const text = z.strictObject({ ...said, content_type: z.literal('text'), content_attributes: z.strictObject(ours) });
const choice = z.strictObject({ ...said, message_type: z.literal('outgoing'), content_type: z.literal('input_select'), content_attributes: z.strictObject({ ...ours, items }) });
/** As a move copies it. Code alone: when it was written. */
const copy = text.extend({ content_attributes: z.strictObject({ hub_ref: sourceId, external_created_at: z.number().int() }), external_created_at: z.iso.datetime() });

/**
 * A message with files (the same operation as a form; messages/create_attachment.yml, 0193afb8b: `content` required; not in the whole as of 00bcb523d).
 * A form has texts only. Code alone: `content_attributes` as JSON, and the spelling `attachments[]`.
 */
const formOf = (message: typeof text | typeof copy) =>
  z.strictObject({
    ...message.shape,
    private: z.enum(['true', 'false']),
    content_attributes: z.string().refine((json) => message.shape.content_attributes.safeParse(JSON.parse(json)).success, 'not the attributes of such a message'),
    'attachments[]': z.array(z.string()).min(1).max(15),
  });

// definitions/request/contact/create_payload.yml (256bcd96b): `inbox_id` required. Code alone: `source_id`.
const contact = z.strictObject({ inbox_id: id, source_id: sourceId, name: z.string().min(1), phone_number: phoneNumber.optional(), identifier: z.string().min(1) });
/** As a move copies it, with what the old account knows of it. */
const copiedContact = contact.partial({ name: true, identifier: true }).extend({ email: z.string().min(1).optional(), custom_attributes: attributes, additional_attributes: attributes });

// definitions/request/conversation/create_payload.yml (00b18497b): `source_id` required, three statuses. Without the other two ids old servers look through all accounts.
const conversation = z.strictObject({ inbox_id: id, contact_id: id, source_id: sourceId, status });
const copiedConversation = conversation.extend({ custom_attributes: attributes, additional_attributes: attributes });

const schemas: Readonly<Record<string, z.ZodType>> = {
  'POST /contacts': z.union([contact, copiedContact]),
  // paths/application/contact_inboxes/create.yml (0193afb8b): `inbox_id` required.
  'POST /contacts/:id/contact_inboxes': z.strictObject({ inbox_id: id, source_id: sourceId }),
  // paths/application/contacts/filter.yml (0193afb8b): four operators; `query_operator` is AND or OR, so a rule without a next one has none.
  'POST /contacts/filter': z.strictObject({ payload: z.tuple([z.strictObject({ attribute_key: z.enum(['identifier', 'phone_number', 'email']), filter_operator: z.literal('equal_to'), values: z.array(z.string().min(1)).length(1) })]) }),
  // Not described at all.
  'POST /contact_inboxes/filter': z.strictObject({ inbox_id: id, source_id: sourceId }),
  'POST /conversations': z.union([conversation, copiedConversation]),
  'POST /conversations/:id/messages': z.union([text, choice, copy, formOf(text), formOf(copy)]),
  // paths/application/conversation/toggle_status.yml (0193afb8b): `status` required, four of them. `snoozed_until` is never sent: a copy sleeps until the contact writes.
  'POST /conversations/:id/toggle_status': z.strictObject({ status: z.enum([...status.options, 'snoozed']) }),
  // paths/application/conversation/assignments.yml (139c48921): a number. Code alone, and never sent: null, `assignee_type`.
  'POST /conversations/:id/assignments': z.strictObject({ assignee_id: id }),
  // paths/application/conversation/labels/create.yml (05e9e186a): `labels` required.
  'POST /conversations/:id/labels': z.strictObject({ labels: z.array(z.string().min(1)).min(1) }),
  // paths/application/conversation/custom_attributes.yml (0193afb8b): `custom_attributes` required.
  'POST /conversations/:id/custom_attributes': z.strictObject({ custom_attributes: attributes }),
  // paths/application/conversation/toggle_typing_status.yml (0193afb8b): `typing_status` required.
  'POST /conversations/:id/toggle_typing_status': z.strictObject({ typing_status: z.enum(['on', 'off']), is_private: z.boolean() }),
  // definitions/request/inbox/update_payload.yml (123772da6): booleans all. What a move turns off and on again.
  'PATCH /inboxes/:id': z.strictObject({ greeting_enabled: z.boolean(), working_hours_enabled: z.boolean(), csat_survey_enabled: z.boolean(), enable_auto_assignment: z.boolean() }).partial().refine((change) => Object.keys(change).length > 0, 'changes nothing'),
  // Not described in the whole; paths/application/conversation/messages/update.yml (0193afb8b, later): `status` required, the error with `failed` alone.
  'PATCH /conversations/:id/messages/:id': z.union([z.strictObject({ status: z.enum(['delivered', 'read']) }), z.strictObject({ status: z.literal('failed'), external_error: z.string().min(1) })]),
  // paths/public/inboxes/conversations/toggle_typing.yml (0f4587c74): described as a parameter of the query; the server reads bodies too.
  'POST /public/toggle_typing': z.strictObject({ typing_status: z.enum(['on', 'off']) }),
};

/** What is wrong with a request's body; undefined when nothing is. `operation` is `POST /conversations/:id/messages`. */
export function findFault(operation: string, body: unknown): string | undefined {
  const schema = schemas[operation];
  if (schema === undefined) return `no such operation is known: ${operation}`;
  const parsed = schema.safeParse(body);
  return parsed.success ? undefined : `${operation}: ${z.prettifyError(parsed.error)}`;
}

/** The same of a request as the connector makes it. What only reads has no body. */
export async function findRequestFault({ method = 'GET', url, body }: Pick<EgressRequest, 'method' | 'url' | 'body'>): Promise<string | undefined> {
  if (method === 'GET') return undefined;
  return findFault(`${method} ${operationPathOf(new URL(url).pathname)}`, body instanceof FormData ? await fieldsOf(body) : JSON.parse(String(body)));
}

/** A way out that takes nothing but what Chatwoot's API describes. */
export function describedOnly(egress: Egress): Egress {
  return {
    ...egress,
    async request(request) {
      const fault = await findRequestFault(request);
      if (fault !== undefined) throw new Error(`not as Chatwoot describes its API: ${fault}`);
      return egress.request(request);
    },
  };
}

function operationPathOf(path: string): string {
  if (/\/public\/api\/v1\/inboxes\/[^/]+\/contacts\/[^/]+\/conversations\/\d+\/toggle_typing$/.test(path)) return '/public/toggle_typing';
  const [, ofAccount = path] = /\/api\/v1\/accounts\/\d+(\/.*)$/.exec(path) ?? [];
  return ofAccount.replaceAll(/\d+/g, ':id');
}

/** What a form says: its texts, and its files as `name: content`. */
export async function fieldsOf(form: FormData): Promise<Record<string, unknown>> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of form) if (typeof value === 'string') fields[name] = value;
  const files = await Promise.all(form.getAll('attachments[]').map(async (value) => (typeof value === 'string' ? value : `${value.name}: ${await value.text()}`)));
  return files.length === 0 ? fields : { ...fields, 'attachments[]': files };
}
