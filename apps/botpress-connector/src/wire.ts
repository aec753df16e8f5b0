import { z } from 'zod';

/** What we read of Botpress' JSON: Chat API signals, bot messages of Cloud and of v12, answers and errors. Everything else is let pass. */

const text = z.string().optional().catch(undefined);
const record = z.record(z.string(), z.unknown());

/** A signal of the Chat integration (contract, 2.3). */
export const signalSchema = z.object({
  type: z.string(),
  data: z.object({
    id: z.string().nullable().optional().catch(undefined),
    conversationId: z.string(),
    createdAt: text,
    payload: record.catch({}),
    isBot: z.boolean().optional().catch(undefined),
  }),
});
export type Signal = z.infer<typeof signalSchema>;

/** The published form: answers of a session, without ids of their own. */
export const publishedSchema = z.object({ sessionId: z.string(), responses: z.array(z.unknown()) });

/** Item of a bot's message: the fields of all types of both products, each as far as it can be read. */
export const itemSchema = z.object({
  type: text,
  text,
  markdown: z.union([z.string(), z.boolean()]).optional().catch(undefined),
  message: text,
  title: text,
  subtitle: text,
  caption: text,
  value: z.unknown().optional(),
  image: text,
  imageUrl: text,
  audio: text,
  audioUrl: text,
  video: text,
  videoUrl: text,
  file: text,
  fileUrl: text,
  latitude: z.number().optional().catch(undefined),
  longitude: z.number().optional().catch(undefined),
  address: text,
  options: z.array(z.unknown()).catch([]).default([]),
  choices: z.array(z.unknown()).catch([]).default([]),
  buttonText: text,
  dropdownPlaceholder: text,
  actions: z.array(z.unknown()).catch([]).default([]),
  items: z.array(z.unknown()).catch([]).default([]),
  payload: record.optional().catch(undefined),
  module: text,
  component: text,
  reason: text,
  summary: text,
});
export type Item = z.infer<typeof itemSchema>;

/** Cloud says label and value, v12 title and value; actions of cards add what a click does. */
export const optionSchema = z.object({ label: text, title: text, value: z.union([z.string(), z.number().transform(String)]).optional().catch(undefined), action: text, text, url: text, payload: text });

/** Errors arrive with any HTTP status, 200 among them (contract, 2.2). The second pair is how a page of the documentation shows them. */
export const cloudErrorSchema = z.object({ code: z.number().int().min(400).max(599).optional().catch(undefined), status: z.number().int().min(400).max(599).optional().catch(undefined), type: text, message: text, description: text });

export const messageReplySchema = z.object({ message: z.object({ id: z.string() }) });

/** Newest first. The metadata stands beside the payload, or in it (recordings of 2025). */
const listed = z.object({ id: z.string(), createdAt: text, userId: text, metadata: record.optional().catch(undefined), payload: record.optional().catch(undefined) });
export const messageListSchema = z.object({ messages: z.array(listed) });

export const loginReplySchema = z.object({ payload: z.object({ jwt: z.string().min(1), /** Milliseconds until it expires. */ exp: z.number().positive().catch(3_600_000).default(3_600_000) }) });
export const v12ErrorSchema = z.object({ message: text, type: text, errorCode: text });
export const converseReplySchema = z.object({ responses: z.array(z.unknown()).catch([]).default([]) });
