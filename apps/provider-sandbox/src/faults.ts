import { z } from 'zod';

/** What the sandbox was told to do wrong. Each fault acts `times` times, then is gone. */
export const faultSchema = z.strictObject({
  provider: z.enum(['whatsapp', 'genesys', 'chatwoot', 'botpress', 'twilio']),
  /** `answers`: to calls of the hub. `webhooks`: on webhooks to the hub. */
  on: z.enum(['answers', 'webhooks']),
  /** Only paths (answers) or bodies (webhooks) that contain this text. */
  contains: z.string().optional(),
  times: z.int().min(1).max(100_000).default(1),
  /** answers: this status with the provider's error body. */
  status: z.int().min(400).max(599).optional(),
  /** answers: the provider's error code (Meta, Twilio: number; Genesys, Botpress: text) or its text (Chatwoot). */
  code: z.union([z.int(), z.string()]).optional(),
  /** answers with 429/503: seconds. */
  retryAfterSeconds: z.int().min(0).optional(),
  delayMs: z.int().min(0).max(60_000).optional(),
  /** answers: take the call, then close the connection without a word (`drop: "answer"`) or before taking it (`drop: "request"`). webhooks: do not send. */
  drop: z.enum(['request', 'answer']).optional(),
  /** webhooks: send so many times more. */
  repeat: z.int().min(1).max(100).optional(),
  /** webhooks: hold this one back until the next one was sent. */
  reorder: z.boolean().optional(),
});
export type Fault = z.infer<typeof faultSchema>;

/** The faults that are waiting to act. */
export class Faults {
  private waiting: { fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.waiting.push({ fault, left: fault.times });
  }

  clear(): void {
    this.waiting = [];
  }

  list(): { fault: Fault; left: number }[] {
    return this.waiting;
  }

  /** The first fault that fits, counted as used. */
  take(provider: Fault['provider'], on: Fault['on'], text: string): Fault | undefined {
    const entry = this.waiting.find(({ fault }) => fault.provider === provider && fault.on === on && (fault.contains === undefined || text.includes(fault.contains)));
    if (entry === undefined) return undefined;
    entry.left -= 1;
    if (entry.left === 0) this.waiting = this.waiting.filter((other) => other !== entry);
    return entry.fault;
  }
}
