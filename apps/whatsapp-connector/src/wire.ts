import { z } from 'zod';

/**
 * Meta's JSON as far as the hub reads it. Everything the fixtures ever showed missing is optional; unknown fields pass. An id may come as
 * a number from relays.
 */
const id = z.union([z.string().min(1), z.number().transform(String)]);
const text = z.string();

const errorSchema = z.object({
  code: z.number(),
  title: text.optional(),
  message: text.optional(),
  error_data: z.object({ details: text.optional() }).optional(),
});
export type MetaError = z.output<typeof errorSchema>;

/** An answer of the Graph API that says what went wrong. */
export const graphErrorSchema = z.object({ error: errorSchema });

const contactSchema = z.object({
  wa_id: id.optional(),
  user_id: id.optional(),
  parent_user_id: id.optional(),
  profile: z.object({ name: text.optional(), username: text.optional() }).optional(),
});

/** A list whose unreadable entries are left out: one odd contact must not hide the message beside it. */
function lenientArray<T extends z.ZodType>(item: T) {
  return z.array(z.unknown()).transform((values) => values.flatMap((value): z.output<T>[] => {
    const parsed = item.safeParse(value);
    return parsed.success ? [parsed.data] : [];
  }));
}

const referralSchema = z.record(z.string(), z.unknown());

const contextSchema = z.object({
  id: id.optional(),
  forwarded: z.boolean().optional(),
  frequently_forwarded: z.boolean().optional(),
  referred_product: z.object({ catalog_id: id.optional(), product_retailer_id: id.optional() }).optional(),
});

/** What every inbound message has; its content is read by type. */
export const messageSchema = z.object({
  id: id.optional(),
  from: id.optional(),
  from_user_id: id.optional(),
  from_parent_user_id: id.optional(),
  to: id.optional(),
  to_user_id: id.optional(),
  timestamp: id.optional(),
  type: text.default('unknown'),
  context: contextSchema.nullish().catch(undefined),
  referral: referralSchema.nullish().catch(undefined),
  group_id: id.optional().catch(undefined),
  errors: lenientArray(errorSchema).nullish().catch(undefined),
});
export type MetaMessage = z.output<typeof messageSchema>;

export const statusSchema = z.object({
  id,
  status: text,
  timestamp: id.optional(),
  recipient_id: id.optional(),
  recipient_user_id: id.optional(),
  biz_opaque_callback_data: text.optional().catch(undefined),
  errors: lenientArray(errorSchema).nullish().catch(undefined),
});
export type MetaStatus = z.output<typeof statusSchema>;

/** The value of one change; messages and statuses are read one by one. */
const valueSchema = z.looseObject({
  metadata: z.object({ phone_number_id: id.optional() }).nullish().catch(undefined),
  contacts: lenientArray(contactSchema).nullish().catch(undefined),
  messages: z.array(z.unknown()).nullish().catch(undefined),
  message_echoes: z.array(z.unknown()).nullish().catch(undefined),
  statuses: z.array(z.unknown()).nullish().catch(undefined),
  errors: lenientArray(errorSchema).nullish().catch(undefined),
});
export type MetaValue = z.output<typeof valueSchema>;

export const webhookSchema = z.object({
  entry: lenientArray(z.object({ changes: lenientArray(z.object({ field: text.default(''), value: valueSchema })) })),
});

export const mediaSchema = z.object({
  id: id.optional(),
  url: text.optional(),
  mime_type: text.optional(),
  sha256: text.optional(),
  caption: text.optional(),
  filename: text.optional(),
  voice: z.boolean().optional(),
});

const coordinate = z.coerce.number();

/** The object under a message's own type name. */
export const contentSchemas = {
  text: z.object({ body: text.min(1) }),
  location: z.object({ latitude: coordinate, longitude: coordinate, name: text.optional(), address: text.optional(), url: text.optional() }),
  contacts: z
    .array(
      z.object({
        name: z.object({ formatted_name: text.optional(), first_name: text.optional(), last_name: text.optional() }).default({}),
        org: z.object({ company: text.optional() }).optional(),
        phones: z.array(z.object({ phone: text.optional(), wa_id: id.optional(), type: text.optional() })).default([]),
        emails: z.array(z.object({ email: text.optional(), type: text.optional() })).default([]),
      }),
    )
    .min(1),
  button: z.object({ payload: text.optional(), text: text.default('') }),
  reaction: z.object({ message_id: id, emoji: text.optional() }),
  order: z.looseObject({ text: text.optional() }),
  system: z.looseObject({ body: text.optional(), type: text.optional(), wa_id: id.optional(), user_id: id.optional() }),
  edit: z.object({ original_message_id: id.optional(), message: z.record(z.string(), z.unknown()).optional() }),
  revoke: z.object({ original_message_id: id.optional() }),
  interactive: z.object({
    type: text.optional(),
    button_reply: z.object({ id: text, title: text }).optional(),
    list_reply: z.object({ id: text, title: text, description: text.optional() }).optional(),
    nfm_reply: z.object({ name: text.optional(), body: text.optional(), response_json: text.optional() }).optional(),
  }),
} as const;

/** What the Graph API answers when it took a message, a file, or tells where a file is. */
export const sendReplySchema = z.object({ messages: z.array(z.object({ id })).optional() });
export const uploadReplySchema = z.object({ id });
export const mediaReplySchema = z.object({ url: text, mime_type: text.optional(), file_size: z.coerce.number().optional() });
