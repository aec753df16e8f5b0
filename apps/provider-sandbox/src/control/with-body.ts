import type { z } from 'zod';
import { jsonObjectOf, type Answer, type Exchange } from '../exchange.ts';

/** A control route whose body is read by a schema; what does not fit it is answered with the places. */
export function withBody<Schema extends z.ZodType>(schema: Schema, handle: (body: z.output<Schema>, exchange: Exchange) => Promise<Answer> | Answer) {
  return (exchange: Exchange): Promise<Answer> | Answer => {
    const parsed = schema.safeParse(exchange.body.length === 0 ? {} : jsonObjectOf(exchange));
    if (!parsed.success) return { status: 400, json: { error: 'Request is not valid', issues: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })) } };
    return handle(parsed.data, exchange);
  };
}

export function unknown(what: string): Answer {
  return { status: 404, json: { error: `The sandbox knows no such ${what}` } };
}
