import { z } from 'zod';

/**
 * What Chatwoot's description of its API (OpenAPI 3.1, MIT; in its repository the whole is swagger/swagger.json, here compared as of commit 00bcb523d
 * and file by file as of the commits named below) demands of what is set up in an account, in our words, and stricter: nothing is allowed that the
 * hub does not mean to send. "Code alone" are fields that the description does not know and the server does (docs/providers/chatwoot.md, sections 2 and 8).
 */
// definitions/request/webhooks/create_update_payload.yml (1aed43bb0): nothing required, events of a list that has these in every version.
const subscriptions = z.array(z.enum(['message_created', 'message_updated', 'conversation_status_changed', 'conversation_updated'])).min(1);
// definitions/request/inbox/channels/create_api_channel_payload.yml (978a4a42e): `type` required; create_web_widget_channel_payload.yml (123772da6): `website_url` too.
// Code alone when one is made (update_api_channel_payload.yml, 31724f217, knows the first): hmac_mandatory, pre_chat_form_enabled; 2048 characters.
const channel = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('api'), webhook_url: z.url().max(2048).optional(), hmac_mandatory: z.boolean() }),
  z.strictObject({ type: z.literal('web_widget'), website_url: z.url(), hmac_mandatory: z.boolean(), pre_chat_form_enabled: z.boolean() }),
]);

const schemas: Readonly<Record<string, z.ZodType>> = {
  // definitions/request/inbox/create_payload.yml (1b6f8446c): nothing required, the types as here.
  'POST /inboxes': z.strictObject({ name: z.string().min(1), greeting_enabled: z.boolean(), enable_auto_assignment: z.boolean(), lock_to_single_conversation: z.boolean(), channel }),
  // definitions/request/inbox/update_payload.yml (123772da6), channels/update_api_channel_payload.yml (31724f217): texts.
  'PATCH /inboxes/:id': z.union([z.strictObject({ name: z.string().min(1) }), z.strictObject({ channel: z.strictObject({ webhook_url: z.union([z.literal(''), z.url().max(2048)]) }) })]),
  // paths/application/inboxes/set_agent_bot.yml (0193afb8b): `agent_bot` required, a number.
  'POST /inboxes/:id/set_agent_bot': z.strictObject({ agent_bot: z.number().int().positive() }),
  'POST /webhooks': z.strictObject({ url: z.url(), name: z.string().min(1), subscriptions }),
  'PATCH /webhooks/:id': z.strictObject({ url: z.url(), subscriptions }),
  // definitions/request/agent_bot/create_update_payload.yml (236475297): nothing required; `bot_type` is a whole number, 0 for webhooks.
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
