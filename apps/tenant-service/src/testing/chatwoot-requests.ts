import { z } from 'zod';

/**
 * What Chatwoot's description of its Application API (swagger/swagger.json of v4.15.1) demands of what is set up in an account, in our words, and
 * stricter: nothing is allowed that neither the description nor the server's code knows (docs/providers/chatwoot.md, sections 2 and 8).
 */
const subscriptions = z.array(z.enum(['conversation_created', 'conversation_status_changed', 'conversation_updated', 'message_created', 'message_updated', 'contact_created', 'contact_updated', 'webwidget_triggered', 'conversation_typing_on', 'conversation_typing_off'])).min(1);
// Code alone: hmac_mandatory, pre_chat_form_enabled.
const channel = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('api'), webhook_url: z.url().max(2048).optional(), hmac_mandatory: z.boolean() }),
  z.strictObject({ type: z.literal('web_widget'), website_url: z.url(), hmac_mandatory: z.boolean(), pre_chat_form_enabled: z.boolean() }),
]);

const schemas: Readonly<Record<string, z.ZodType>> = {
  'POST /inboxes': z.strictObject({ name: z.string().min(1), greeting_enabled: z.boolean(), enable_auto_assignment: z.boolean(), lock_to_single_conversation: z.boolean(), channel }),
  'PATCH /inboxes/:id': z.union([z.strictObject({ name: z.string().min(1) }), z.strictObject({ channel: z.strictObject({ webhook_url: z.union([z.literal(''), z.url().max(2048)]) }) })]),
  'POST /inboxes/:id/set_agent_bot': z.strictObject({ agent_bot: z.number().int() }),
  'POST /webhooks': z.strictObject({ url: z.url(), name: z.string().min(1), subscriptions }),
  'PATCH /webhooks/:id': z.strictObject({ url: z.url(), subscriptions }),
  'POST /agent_bots': z.strictObject({ name: z.string().min(1), description: z.string(), outgoing_url: z.string(), bot_type: z.literal(0), bot_config: z.strictObject({}) }),
};

/** What is wrong with a request's body; undefined when nothing is, and for calls without one. `operation` is `PATCH /webhooks/:id`. */
export function findRequestFault(operation: string, body: unknown): string | undefined {
  if (/^(GET|DELETE) /.test(operation)) return undefined;
  const schema = schemas[operation];
  if (schema === undefined) return 'no such operation is known';
  const parsed = schema.safeParse(body);
  return parsed.success ? undefined : z.prettifyError(parsed.error);
}
