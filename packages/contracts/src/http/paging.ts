import { z } from 'zod';

/** Rows a page holds when the caller does not say, and at most. */
export const pageLimitDefault = 50;
export const pageLimitMax = 200;

/** Query of every list. The cursor is opaque: it came with the page before. */
export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(pageLimitMax).default(pageLimitDefault),
  cursor: z.string().max(512).optional(),
});

/** `{"data":[…],"nextCursor":"…"|null}` */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), nextCursor: z.string().nullable() });
}
