import { z } from 'zod';

/**
 * Genesys Cloud's JSON, only what is used, and leniently: payloads of different years lack `idType`, `originatingEntity` and
 * `conversationId`, and carry empty arrays (contract, section 3.1).
 */
const attachment = z.object({
  id: z.string().optional(),
  mediaType: z.string().optional(),
  url: z.string(),
  mime: z.string().optional(),
  filename: z.string().optional(),
  contentSizeBytes: z.number().nonnegative().optional(),
  text: z.string().optional(),
  sha256: z.string().optional(),
});

const action = z.object({ type: z.string().optional(), text: z.string().optional(), payload: z.string().optional(), url: z.string().optional() });
const card = z.object({ title: z.string().optional(), description: z.string().optional(), image: z.string().optional(), actions: z.array(action).catch([]).default([]) });

const contentItem = z.object({
  contentType: z.string(),
  attachment: attachment.optional().catch(undefined),
  quickReply: z.object({ text: z.string(), payload: z.string().optional() }).optional().catch(undefined),
  card: card.optional().catch(undefined),
  carousel: z.object({ cards: z.array(card) }).optional().catch(undefined),
  location: z.object({ latitude: z.number(), longitude: z.number(), address: z.string().optional(), text: z.string().optional() }).optional().catch(undefined),
});

export const webhookSchema = z.object({
  id: z.string().min(1),
  channel: z.object({
    id: z.string().optional(),
    to: z.object({ id: z.string().min(1) }),
    from: z.object({ id: z.string(), nickname: z.string().optional() }).optional().catch(undefined),
    time: z.string().optional(),
    messageId: z.string().optional(),
  }),
  type: z.string(),
  text: z.string().optional().catch(undefined),
  content: z.array(z.unknown()).catch([]).default([]),
  events: z.array(z.object({ eventType: z.string(), typing: z.object({ type: z.string().optional() }).optional().catch(undefined) })).catch([]).default([]),
  originatingEntity: z.string().optional().catch(undefined),
  direction: z.string().optional().catch(undefined),
  conversationId: z.string().optional().catch(undefined),
  status: z.string().optional().catch(undefined),
  reasons: z.array(z.object({ code: z.string().optional(), message: z.string().optional() })).catch([]).default([]),
});
export type GenesysWebhook = z.infer<typeof webhookSchema>;
export type GenesysAttachment = z.infer<typeof attachment>;
export type GenesysCard = z.infer<typeof card>;

export { contentItem as contentItemSchema };

/** The answer to an inbound message. `conversationId` is asked for with a flag and may still be absent. */
export const messageReplySchema = z.object({ id: z.string().optional(), conversationId: z.string().optional() });

export const errorBodySchema = z.object({ code: z.string().optional(), message: z.string().optional(), contextId: z.string().optional() });
