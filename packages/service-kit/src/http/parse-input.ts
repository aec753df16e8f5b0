import { hubError, type RouteContract } from '@switchboard/contracts';
import type { z } from 'zod';
import { issuesOf, type Issue } from './issues-of.ts';
import { strictSchema } from './strict-schema.ts';

export type RawInput = { readonly params: unknown; readonly query: unknown; readonly body: unknown };

/** Compiles a contract's schemas once; the result parses an input or throws `request.invalid` with every issue of params, query and body. */
export function inputParser(contract: RouteContract): (raw: RawInput) => RawInput {
  const parts = (['params', 'query', 'body'] as const).map((name) => ({ name, schema: contract[name] === undefined ? undefined : strictSchema(contract[name]) }));
  return (raw) => {
    const issues: Issue[] = [];
    const parsed: Record<string, unknown> = {};
    for (const { name, schema } of parts) {
      if (schema === undefined) continue;
      const result = schema.safeParse(raw[name]);
      if (result.success) parsed[name] = result.data;
      else issues.push(...issuesOf(result.error, name));
    }
    if (issues.length > 0) throw hubError('request.invalid', { issues });
    return parsed as RawInput; // one field for each part that the contract has
  };
}

/** Compiles a contract's reply schema; the result says what does not fit, or undefined. */
export function replyCheck(contract: RouteContract): (value: unknown) => readonly Issue[] | undefined {
  const schema: z.ZodType = strictSchema(contract.reply.schema);
  return (value) => {
    const result = schema.safeParse(value);
    return result.success ? undefined : issuesOf(result.error, 'reply');
  };
}
