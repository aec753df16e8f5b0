import type { EgressRequest } from '@switchboard/service-kit';
import { z } from 'zod';

/**
 * What Chatwoot's description of its Application API (swagger/swagger.json of v4.15.1, OpenAPI 3.1, MIT) demands of the bodies that the
 * connector sends, in our words, and stricter: nothing is allowed that neither the description nor the code of the server knows. Marked where
 * the code alone knows it (provider contract, sections 2 and 8).
 */
const status = z.enum(['open', 'resolved', 'pending']);
const anyStatus = z.enum(['open', 'resolved', 'pending', 'snoozed']);
const attributes = z.record(z.string(), z.unknown());
const items = z.array(z.strictObject({ title: z.string().min(1), value: z.string().min(1) })).min(1);

const message = z.strictObject({
  content: z.string(),
  message_type: z.enum(['outgoing', 'incoming']),
  private: z.boolean(),
  content_type: z.enum(['text', 'input_email', 'cards', 'input_select', 'form', 'article']),
  content_attributes: z.strictObject({ hub_ref: z.string(), in_reply_to: z.number().int().optional(), items: items.optional() }),
  // Code alone.
  source_id: z.string().optional(),
});

/** As a move copies it, with the time at which it was written (code alone). */
const copy = z.strictObject({
  ...message.shape,
  content_type: z.literal('text'),
  content_attributes: z.strictObject({ hub_ref: z.string(), external_created_at: z.number().int() }),
  external_created_at: z.iso.datetime(),
});

/** A form has texts only; `content_attributes` may be JSON in it (code alone). */
const formOf = <Attributes extends z.ZodType>(attributes: Attributes) =>
  z.strictObject({
    content: z.string(),
    message_type: z.enum(['outgoing', 'incoming']),
    private: z.enum(['true', 'false']),
    content_type: z.literal('text'),
    content_attributes: z.string().refine((text) => attributes.safeParse(JSON.parse(text)).success),
    source_id: z.string().optional(),
    'attachments[]': z.array(z.string()).min(1).max(15),
  });
const messageForm = formOf(message.shape.content_attributes);
const copyForm = formOf(copy.shape.content_attributes).extend({ external_created_at: copy.shape.external_created_at });

const phoneNumber = z.string().regex(/^\+[1-9]\d{1,14}$/);
const contact = z.strictObject({
  inbox_id: z.number().int(),
  // Code alone.
  source_id: z.string().min(1),
  name: z.string().min(1),
  phone_number: phoneNumber.optional(),
  identifier: z.string().min(1),
});
/** As a move copies it, with what the old account knows of it. */
const copiedContact = z.strictObject({ ...contact.partial({ name: true, identifier: true }).shape, email: z.string().min(1).optional(), custom_attributes: attributes, additional_attributes: attributes });

// The description asks for the source id alone; without the other two old servers look through all accounts.
const conversation = z.strictObject({ inbox_id: z.number().int(), contact_id: z.number().int(), source_id: z.string().min(1), status });
const copiedConversation = z.strictObject({ ...conversation.shape, custom_attributes: attributes, additional_attributes: attributes });

const schemas: Readonly<Record<string, z.ZodType>> = {
  'POST /contacts': z.union([contact, copiedContact]),
  'POST /contacts/:id/contact_inboxes': z.strictObject({ inbox_id: z.number().int(), source_id: z.string().min(1) }),
  'POST /contacts/filter': z.strictObject({ payload: z.tuple([z.strictObject({ attribute_key: z.enum(['identifier', 'phone_number', 'email']), filter_operator: z.literal('equal_to'), values: z.array(z.string()).length(1), query_operator: z.null() })]) }),
  // Not described at all.
  'POST /contact_inboxes/filter': z.strictObject({ inbox_id: z.number().int(), source_id: z.string().min(1) }),
  'POST /conversations': z.union([conversation, copiedConversation]),
  'POST /conversations/:id/messages': z.union([message, messageForm, copy, copyForm]),
  'POST /conversations/:id/toggle_status': z.strictObject({ status: anyStatus }),
  'POST /conversations/:id/assignments': z.strictObject({ assignee_id: z.number().int() }),
  'POST /conversations/:id/labels': z.strictObject({ labels: z.array(z.string().min(1)) }),
  'POST /conversations/:id/custom_attributes': z.strictObject({ custom_attributes: attributes }),
  'POST /conversations/:id/toggle_typing_status': z.strictObject({ typing_status: z.enum(['on', 'off']), is_private: z.boolean() }),
  'PATCH /inboxes/:id': z.strictObject({ greeting_enabled: z.boolean(), working_hours_enabled: z.boolean(), csat_survey_enabled: z.boolean(), enable_auto_assignment: z.boolean() }).partial(),
  // Not described at all.
  'PATCH /conversations/:id/messages/:id': z.strictObject({ status: z.enum(['delivered', 'read', 'failed']), external_error: z.string().optional() }),
};

/** What is wrong with a request's body; undefined when nothing is. `operation` is `POST /conversations/:id/messages`. */
export function findFault(operation: string, body: unknown): string | undefined {
  const schema = schemas[operation];
  if (schema === undefined) return 'no such operation is known';
  const parsed = schema.safeParse(body);
  return parsed.success ? undefined : z.prettifyError(parsed.error);
}

/** The same of a request as the connector makes it; the contacts' own API and files are no part of the description. */
export async function findRequestFault({ method, url, body }: Pick<EgressRequest, 'method' | 'url' | 'body'>): Promise<string | undefined> {
  const [, path] = /\/api\/v1\/accounts\/\d+(\/.*)$/.exec(new URL(url).pathname) ?? [];
  if (path === undefined || method === 'GET') return undefined;
  return findFault(`${method} ${path.replaceAll(/\d+/g, ':id')}`, body instanceof FormData ? await fieldsOf(body) : JSON.parse(String(body)));
}

/** What a form says: its texts, and its files as `name: content`. */
export async function fieldsOf(form: FormData): Promise<Record<string, unknown>> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of form) if (typeof value === 'string') fields[name] = value;
  const files = await Promise.all(form.getAll('attachments[]').map(async (value) => (typeof value === 'string' ? value : `${value.name}: ${await value.text()}`)));
  return files.length === 0 ? fields : { ...fields, 'attachments[]': files };
}
