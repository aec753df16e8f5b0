import { z } from 'zod';

/** Such as en-US. */
export const languageTag = z.string().trim().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$/, 'use a language tag, such as en-US');

/** Characters; a minute of speech. */
const textLengthMax = 1000;

const greetingSchema = z.union([z.strictObject({ text: z.string().trim().min(1).max(textLengthMax) }), z.strictObject({ url: z.url({ protocol: /^https$/ }).max(2048) })]);

/** Said by Twilio, or a recording that it plays. */
export type Greeting = z.infer<typeof greetingSchema>;

/** Languages that a tenant has a greeting for. */
const greetingsMax = 20;

/** By language; as JSON text where it comes back from where accounts are kept. */
export const greetingsSchema = z.preprocess(parsed, z.record(languageTag, greetingSchema).refine((greetings) => Object.keys(greetings).length <= greetingsMax, `give at most ${greetingsMax} greetings`));

function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
