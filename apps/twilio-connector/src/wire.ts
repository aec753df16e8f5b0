import { parseJson } from '@switchboard/connector-kit';
import { z } from 'zod';

/** What a webhook is, as ingest saw by its fields. */
export const webhookKinds = ['message', 'status', 'call', 'call_status', 'call_action', 'recording', 'transcription', 'other'] as const;
export type WebhookKind = (typeof webhookKinds)[number];

/** A form's fields by name; of a repeated field the first value. Twilio adds fields without notice. */
export type Form = Readonly<Record<string, string>>;

export type TwilioWebhook = { readonly kind: WebhookKind; readonly query: Form; readonly form: Form };

const formSchema = z.looseObject({}).catch({}).transform(flat);
const storedSchema = z.object({ kind: z.enum(webhookKinds).catch('other'), query: formSchema, form: formSchema });

/** The body of a webhook as ingest stored it (packages/providers, split-twilio-webhook.ts); undefined for anything else. Never throws. */
export function readWebhook(body: string): TwilioWebhook | undefined {
  const parsed = storedSchema.safeParse(parseJson(body));
  return parsed.success ? parsed.data : undefined;
}

function flat(fields: Readonly<Record<string, unknown>>): Form {
  return Object.fromEntries(Object.entries(fields).flatMap(([name, value]): [string, string][] => {
    const one: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof one === 'string') return [[name, one]];
    // Posted as JSON (`bodySHA256`) numbers need not be text.
    return typeof one === 'number' || typeof one === 'boolean' ? [[name, String(one)]] : [];
  }));
}

/** JSON in a field (InteractiveData, FlowData, ChannelMetadata); undefined for what is no object. */
export function readObject(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  const value = text === undefined || text === '' ? undefined : parseJson(text);
  // The cast is safe: any object's fields may be asked for.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

/** Twilio's own words for a refusal: in the older form (`message`), or as RFC 9457 (`detail`, `title`). */
const refusalSchema = z.object({
  code: z.coerce.number().int().positive(),
  message: z.string().optional().catch(undefined),
  detail: z.string().optional().catch(undefined),
  title: z.string().optional().catch(undefined),
});
export type TwilioRefusal = { readonly code: number; readonly words: string | undefined };

export function readRefusal(body: Buffer): TwilioRefusal | undefined {
  const parsed = refusalSchema.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const { code, message, detail, title } = parsed.data;
  return { code, words: message ?? detail ?? title };
}
