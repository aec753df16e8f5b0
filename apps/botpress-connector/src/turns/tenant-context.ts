import { chatbotActions, type KnowledgeEntry, type MessageSend } from '@switchboard/contracts';
import { z } from 'zod';
import type { Chatbot } from '../chatbot/create-chatbots.ts';
import { selectKnowledge } from '../chatbot/select-knowledge.ts';

/**
 * What a bot is told with every turn: whose contact asks, and what that tenant wants of it. A bot that serves several tenants knows one from the
 * other by nothing else.
 */
const tenantContextSchema = z.object({
  tenantId: z.string().optional(),
  locale: z.string().optional(),
  channel: z.string().optional(),
  botName: z.string().optional(),
  systemPrompt: z.string().optional(),
  knowledge: z.array(z.object({ question: z.string(), answer: z.string() })).optional(),
  allowedActions: z.array(z.enum(chatbotActions)).optional(),
});
export type TenantContext = z.infer<typeof tenantContextSchema>;

/** Bytes of all of it as JSON: a quarter of what a message at Cloud may have (contract, 2.2), so that the turn itself always fits. */
export const tenantContextBytesMax = 30_000;
/** Bytes that knowledge has at least, however long the prompt is. */
const knowledgeBytesMin = 10_000;

/** Pure; the knowledge is what the question is about. */
export function makeTenantContext(tenantId: string, question: string, channel: string | undefined, chatbot: Chatbot | undefined): TenantContext {
  const whose = { tenantId, ...(channel === undefined ? {} : { channel: channel.slice(0, 64) }) };
  if (chatbot === undefined) return whose;
  const { botName, systemPrompt, language, allowedActions } = chatbot.config;
  const context = { ...whose, locale: language, botName, allowedActions };
  const room = tenantContextBytesMax - bytesOf(context) - 64;
  const prompt = systemPrompt === undefined ? {} : { systemPrompt: fitting(systemPrompt, room - knowledgeBytesMin) };
  const knowledge = selectKnowledge(chatbot.knowledgeBase, question, room - bytesOf(prompt)).map(({ question, answer }: KnowledgeEntry) => ({ question, answer }));
  return { ...context, ...prompt, knowledge };
}

/** The way through a command, whose attributes are flat. */
export function withTenantContext(command: MessageSend, context: TenantContext, isKnownAtBot: boolean): MessageSend {
  return { ...command, attributes: { ...command.attributes, tenantContext: JSON.stringify(context), ...(isKnownAtBot ? { isKnownAtBot: 'true' } : {}) } };
}

/** What `withTenantContext` wrote; of a command that has none, the channel. */
export function readTenantContext(attributes: MessageSend['attributes']): TenantContext {
  const { tenantContext, channel } = attributes;
  if (tenantContext === undefined) return channel === undefined ? {} : { channel: channel.slice(0, 64) };
  try {
    return tenantContextSchema.catch({}).parse(JSON.parse(tenantContext));
  } catch {
    return {};
  }
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** The beginning of a text that as JSON has at most so many bytes. */
function fitting(text: string, bytesMax: number): string {
  let length = text.length;
  while (length > 0 && bytesOf(text.slice(0, length)) > bytesMax) length = Math.floor(length * 0.9);
  const last = text.charCodeAt(length - 1);
  // Not half of a pair.
  return length < text.length && last >= 0xd800 && last <= 0xdbff ? text.slice(0, length - 1) : text.slice(0, length);
}
