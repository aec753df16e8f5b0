import { z } from 'zod';

const shown = (max: number) => z.string().max(max).refine((value) => value.trim() !== '', 'white space alone');
const id = z.string().min(1).max(200);
const hasNoTwins = (names: readonly unknown[]) => new Set(names).size === names.length;

/** Content of Twilio's types as WhatsApp shows it in an open conversation: twilio.com/docs/content/twilio-quick-reply, /twiliolist-picker. */
const types = z.union([
  z.strictObject({
    'twilio/quick-reply': z.strictObject({
      body: shown(1024),
      actions: z.array(z.strictObject({ type: z.literal('QUICK_REPLY'), title: shown(20), id })).min(1).max(3).refine((actions) => hasNoTwins(actions.map(({ title }) => title))),
    }),
  }),
  z.strictObject({
    'twilio/list-picker': z.strictObject({
      body: shown(1024),
      button: shown(20),
      items: z.array(z.strictObject({ id, item: shown(24), description: z.string().min(1).max(72).optional() })).min(1).max(10).refine((items) => hasNoTwins(items.map((item) => item.id))),
    }),
  }),
]);
const content = z.strictObject({ friendly_name: z.string().regex(/^switchboard-[0-9a-f]{40}$/), language: z.literal('en'), types }).refine((made) => !JSON.stringify(made).includes('{{'), 'somebody\'s words as variables');

const typing = z.strictObject({ kind: z.literal('typing'), messageId: z.string().min(1) });
const message = z
  .strictObject({
    kind: z.literal('message'),
    to: z.string().regex(/^(\+\d{3,15}|whatsapp:\S+)$/),
    from: z.string().regex(/^(whatsapp:)?\+\d{3,15}$/).optional(),
    messagingServiceSid: z.string().regex(/^MG[0-9a-f]{32}$/).optional(),
    body: shown(1600).optional(),
    file: z.enum(['media', 'link']).optional(),
    persistentAction: z.string().regex(/^geo:-?\d+(\.\d{1,6})?,-?\d+(\.\d{1,6})?(\|[^|]+)?$/).optional(),
    contentSid: z.string().regex(/^HX[0-9a-fA-F]{32}$/).optional(),
    template: z.strictObject({ name: z.string().min(1), language: z.string().min(2) }).optional(),
    contentVariables: z.string().optional(),
    content: content.optional(),
    ref: z.string().regex(/^msg_[0-9a-z]+(\.\d{1,4})?$/),
  })
  .refine(({ from, messagingServiceSid }) => (from === undefined) !== (messagingServiceSid === undefined), 'one sender')
  .refine(({ body, file, contentSid, template, content: made }) => [body ?? file, contentSid, template, made].filter((way) => way !== undefined).length === 1, 'text or file, or content; never both')
  .refine(({ body, file }) => file !== 'link' || (body?.length ?? 0) <= 599, 'no room for the link');

/** Limits and fields of the Messages resource (contract, section 6.2), written apart from the code that keeps them. */
export function findBrokenLimit(body: Readonly<Record<string, unknown>>): string | undefined {
  const result = (body['kind'] === 'typing' ? typing : message).safeParse(body);
  return result.success ? undefined : `${result.error.message} in ${JSON.stringify(body).slice(0, 500)}`;
}
