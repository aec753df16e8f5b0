import { z } from 'zod';

/**
 * What Chatwoot's description of its Application API (swagger/swagger.json of v4.15.1, OpenAPI 3.1, MIT) demands of the bodies that the
 * connector sends, in our words, and stricter: nothing is allowed that neither the description nor the code of the server knows. Marked where
 * the code alone knows it (provider contract, sections 2 and 8).
 */
const status = z.enum(['open', 'resolved', 'pending']);
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

/** A form has texts only; `content_attributes` may be JSON in it (code alone). */
const messageForm = z.strictObject({
  content: z.string(),
  message_type: z.enum(['outgoing', 'incoming']),
  private: z.enum(['true', 'false']),
  content_type: z.literal('text'),
  content_attributes: z.string().refine((text) => message.shape.content_attributes.safeParse(JSON.parse(text)).success),
  source_id: z.string().optional(),
  'attachments[]': z.array(z.string()).min(1).max(15),
});

const schemas: Readonly<Record<string, z.ZodType>> = {
  'POST /contacts': z.strictObject({
    inbox_id: z.number().int(),
    // Code alone.
    source_id: z.string().min(1),
    name: z.string().min(1),
    phone_number: z.string().regex(/^\+[1-9]\d{1,14}$/).optional(),
    identifier: z.string().min(1),
  }),
  'POST /contacts/:id/contact_inboxes': z.strictObject({ inbox_id: z.number().int(), source_id: z.string().min(1) }),
  'POST /contacts/filter': z.strictObject({ payload: z.tuple([z.strictObject({ attribute_key: z.enum(['identifier', 'phone_number', 'email']), filter_operator: z.literal('equal_to'), values: z.array(z.string()).length(1), query_operator: z.null() })]) }),
  // Not described at all.
  'POST /contact_inboxes/filter': z.strictObject({ inbox_id: z.number().int(), source_id: z.string().min(1) }),
  // The description asks for the source id alone; without the other two old servers look through all accounts.
  'POST /conversations': z.strictObject({ inbox_id: z.number().int(), contact_id: z.number().int(), source_id: z.string().min(1), status }),
  'POST /conversations/:id/messages': z.union([message, messageForm]),
  'POST /conversations/:id/toggle_status': z.strictObject({ status }),
  'POST /conversations/:id/assignments': z.strictObject({ assignee_id: z.number().int() }),
  'POST /conversations/:id/labels': z.strictObject({ labels: z.array(z.string().min(1)) }),
  'POST /conversations/:id/custom_attributes': z.strictObject({ custom_attributes: attributes }),
  'POST /conversations/:id/toggle_typing_status': z.strictObject({ typing_status: z.enum(['on', 'off']), is_private: z.boolean() }),
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
