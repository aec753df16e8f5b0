import { z } from 'zod';

export const configSchema = z.object({
  conversationIdleHours: z.coerce.number().int().min(1).max(8_760).default(72).describe('hours without a message after which a conversation is closed; the contact\'s next message opens it again'),
  earlyStatusHours: z.coerce.number().int().min(1).max(720).default(24).describe('hours that a delivery status is kept whose message is not known yet'),
});
export type Config = z.output<typeof configSchema>;
