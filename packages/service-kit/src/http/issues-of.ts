import type { z } from 'zod';

export type Issue = { readonly path: string; readonly message: string };

/** zod's issues in the form of problem answers: `body.media[0].url` and a reason. Unknown fields get an issue each. Values are not repeated. */
export function issuesOf(error: z.ZodError, root: string): Issue[] {
  return error.issues.flatMap((issue) => issuesOfOne(issue, root));
}

function issuesOfOne(issue: z.core.$ZodIssue, root: string): Issue[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: pathOf(root, [...issue.path, key]), message: 'is not a known field' }));
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The option with the fewest faults is most likely the one that was meant.
    const nearest = issue.errors.reduce((best, errors) => (errors.length < best.length ? errors : best));
    if (nearest.length > 0) return nearest.flatMap((inner) => issuesOfOne({ ...inner, path: [...issue.path, ...inner.path] }, root));
  }
  return [{ path: pathOf(root, issue.path), message: issue.message }];
}

function pathOf(root: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => (typeof step === 'number' ? `${text}[${step}]` : `${text}.${String(step)}`), root);
}
