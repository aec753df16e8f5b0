import { z } from 'zod';

const id = z.string().min(1);
const shown = (max: number) => z.string().max(max).refine((value) => value.trim() !== '', 'white space alone');
const media = (more: z.ZodRawShape) => z.strictObject({ ...more });
const caption = z.string().min(1).max(1024).optional();

const contents = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text'), text: z.strictObject({ body: shown(4096), preview_url: z.boolean() }) }),
  z.looseObject({ type: z.literal('image'), image: media({ caption }) }),
  z.looseObject({ type: z.literal('video'), video: media({ caption }) }),
  z.looseObject({ type: z.literal('document'), document: media({ caption, filename: z.string().min(1).max(255) }) }),
  z.looseObject({ type: z.literal('audio'), audio: media({}) }),
  z.looseObject({ type: z.literal('sticker'), sticker: media({}) }),
  z.looseObject({ type: z.literal('location'), location: z.strictObject({ latitude: z.string().regex(/^-?\d+(\.\d{1,6})?$/), longitude: z.string().regex(/^-?\d+(\.\d{1,6})?$/), name: z.string().optional(), address: z.string().optional() }) }),
  z.looseObject({
    type: z.literal('contacts'),
    contacts: z.array(z.looseObject({ name: z.strictObject({ formatted_name: z.string().min(1), first_name: z.string().min(1) }) })).min(1).max(5),
  }),
  z.looseObject({ type: z.literal('reaction'), reaction: z.strictObject({ message_id: id, emoji: z.string() }) }),
  z.looseObject({ type: z.literal('template'), template: z.looseObject({ name: id, language: z.strictObject({ code: id }) }) }),
  z.looseObject({
    type: z.literal('interactive'),
    interactive: z.discriminatedUnion('type', [
      z.strictObject({
        type: z.literal('button'),
        body: z.strictObject({ text: shown(1024) }),
        action: z.strictObject({ buttons: z.array(z.strictObject({ type: z.literal('reply'), reply: z.strictObject({ id: id.max(256), title: shown(20) }) })).min(1).max(3) }),
      }),
      z.strictObject({
        type: z.literal('list'),
        body: z.strictObject({ text: shown(1024) }),
        action: z.strictObject({
          button: shown(20),
          sections: z.array(z.strictObject({ rows: z.array(z.strictObject({ id: id.max(200), title: shown(24), description: z.string().min(1).max(72).optional() })).min(1).max(10) })).length(1),
        }),
      }),
    ]),
  }),
]);

const recipient = z.union([z.looseObject({ to: z.string().regex(/^\+\d{5,20}$/), recipient: z.undefined().optional() }), z.looseObject({ recipient: z.string().regex(/^[A-Z]{2}\./) })]);
const read = z.strictObject({ messaging_product: z.literal('whatsapp'), status: z.literal('read'), message_id: id, typing_indicator: z.strictObject({ type: z.literal('text') }).optional() });
const message = z.looseObject({ messaging_product: z.literal('whatsapp'), recipient_type: z.literal('individual'), biz_opaque_callback_data: z.string().min(1) }).and(recipient).and(contents);

/** Limits and fields of the Cloud API (contract, section 8), written apart from the code that keeps them. */
export function findBrokenLimit(body: Readonly<Record<string, unknown>>): string | undefined {
  const result = (body['status'] === 'read' ? read : message).safeParse(body);
  return result.success ? undefined : `${result.error.message} in ${JSON.stringify(body).slice(0, 500)}`;
}
