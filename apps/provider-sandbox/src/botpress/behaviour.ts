import { z } from 'zod';

const option = z.strictObject({ label: z.string().min(1), value: z.string().min(1) });
const pauseMs = z.int().min(0).max(120_000);

/** One thing a scripted bot says or does. Texts may name `{{text}}` and what came with the turn: `{{tenantContext.tenantId}}`. */
export const replySchema = z.union([
  z.strictObject({ say: z.string().min(1) }),
  z.strictObject({ choice: z.strictObject({ text: z.string().min(1), options: z.array(option).min(1) }) }),
  z.strictObject({ image: z.url(), title: z.string().optional() }),
  z.strictObject({ file: z.url(), title: z.string().optional() }),
  /** A lead, a booking or a handoff: a custom event at Cloud, a custom message with module `hub` on v12. */
  z.strictObject({ action: z.object({ type: z.enum(['lead_capture', 'booking', 'handoff']) }).loose() }),
  z.strictObject({ event: z.record(z.string(), z.unknown()) }),
  /** A message as it stands, in the product's own form. */
  z.strictObject({ payload: z.record(z.string(), z.unknown()) }),
  /** The answer of the entry in the turn's knowledge that has most words of the question; the text when none has any. */
  z.strictObject({ fromKnowledge: z.string().min(1) }),
  z.strictObject({ waitMs: pauseMs }),
]);
export type Reply = z.output<typeof replySchema>;

const rule = z.strictObject({ contains: z.string().min(1), delayMs: pauseMs.default(0), replies: z.array(replySchema) });

/** `echo` repeats, `silent` takes the turn and says nothing, `down` refuses it; `delayMs` thinks for so long and then echoes. */
export const behaviourSchema = z.union([
  z.enum(['echo', 'silent', 'down']),
  z.strictObject({ delayMs: pauseMs }),
  z.strictObject({ rules: z.array(rule), otherwise: z.array(replySchema).default([]) }),
]);
export type Behaviour = z.output<typeof behaviourSchema>;

export type Turn = { readonly text: string; readonly metadata: Readonly<Record<string, unknown>> };

/** What the bot does with a turn: after `delayMs`, these in order. The first rule whose words stand in the text counts. */
export function decideReplies(behaviour: Behaviour, turn: Turn): { delayMs: number; replies: readonly Reply[] } {
  if (behaviour === 'silent' || behaviour === 'down') return { delayMs: 0, replies: [] };
  if (behaviour === 'echo') return { delayMs: 0, replies: [{ say: turn.text || '(nothing)' }] };
  if ('delayMs' in behaviour) return { delayMs: behaviour.delayMs, replies: [{ say: turn.text || '(nothing)' }] };
  const words = turn.text.toLowerCase();
  const found = behaviour.rules.find(({ contains }) => words.includes(contains.toLowerCase()));
  const chosen = found ?? { delayMs: 0, replies: behaviour.otherwise };
  return { delayMs: chosen.delayMs, replies: chosen.replies.map((reply) => fill(reply, turn)) };
}

function fill(reply: Reply, turn: Turn): Reply {
  if ('say' in reply) return { say: named(reply.say, turn) };
  if ('fromKnowledge' in reply) return { say: knownAnswer(turn) ?? named(reply.fromKnowledge, turn) };
  if ('choice' in reply) return { choice: { ...reply.choice, text: named(reply.choice.text, turn) } };
  return reply;
}

function named(text: string, { text: said, metadata }: Turn): string {
  const filled = text.replaceAll(/\{\{\s*([\w.]+)\s*\}\}/g, (_whole, path: string) => {
    const value = path.split('.').reduce<unknown>((place, name) => (typeof place === 'object' && place !== null ? Reflect.get(place, name) : undefined), { ...metadata, text: said });
    return value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean);
  });
  // An empty text is refused at Cloud.
  return filled === '' ? '-' : filled;
}

const knowledgeSchema = z.object({ tenantContext: z.object({ knowledge: z.array(z.object({ question: z.string(), answer: z.string() })) }) });

function knownAnswer({ text, metadata }: Turn): string | undefined {
  const entries = knowledgeSchema.safeParse(metadata).data?.tenantContext.knowledge ?? [];
  const asked = new Set(wordsOf(text));
  const scored = entries.map(({ question, answer }) => ({ answer, score: wordsOf(question).filter((word) => asked.has(word)).length }));
  const best = scored.reduce((one, other) => (other.score > one.score ? other : one), { answer: '', score: 0 });
  return best.score === 0 ? undefined : best.answer;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? [];
}
