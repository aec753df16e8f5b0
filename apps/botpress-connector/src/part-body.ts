import type { ClientContext, RenderedPart } from '@switchboard/connector-kit';
import { z } from 'zod';

/** The body of a part as render-message writes it and the claim keeps it: the request, and what the client needs around it. */
const partBodySchema = z.object({
  fid: z.string(),
  user: z.object({ name: z.string().optional(), profile: z.string().optional() }).optional(),
  request: z.record(z.string(), z.unknown()),
});
export type PartBody = z.infer<typeof partBodySchema>;

export function readPart({ body }: RenderedPart): PartBody {
  return partBodySchema.parse(body);
}

/** With the address of the part's file, in the field that is its own: Cloud says `imageUrl`, v12 `image`. In a bloc the file comes first. */
export function withFile(fields: Readonly<Record<string, unknown>>, { media }: RenderedPart, context: ClientContext, suffix: 'Url' | ''): Readonly<Record<string, unknown>> {
  if (media === undefined) return fields;
  const addressed = (file: Readonly<Record<string, unknown>>) => ({ ...file, [`${String(file['type'])}${suffix}`]: context.mediaUrl(media) });
  if (!Array.isArray(fields['items'])) return addressed(fields);
  // The cast names the form that render-message writes.
  const [file = {}, ...rest] = fields['items'] as Record<string, unknown>[];
  return { ...fields, items: [addressed(file), ...rest] };
}

/** Which message of ours a turn is about, as its metadata says. */
export function hubMessageIdOf(metadata: unknown): string | undefined {
  if (typeof metadata !== 'object' || metadata === null || !('hubMessageId' in metadata)) return undefined;
  return typeof metadata.hubMessageId === 'string' ? metadata.hubMessageId : undefined;
}
