import { z } from 'zod';

/** RFC 9457 problem details, with `code` of the error catalogue and `error` (= title) for simple clients. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  requestId: z.string(),
  error: z.string(),
  /** Of a limit: when it begins anew. */
  resetsAt: z.iso.datetime().optional(),
  issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof problemSchema>;
