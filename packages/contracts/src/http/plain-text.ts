/**
 * For `.refine` of texts that are stored: Postgres takes no zero byte, and no reader wants the others. No `.regex`: a generator of requests cannot make
 * texts for such a pattern, and leaves the whole route out.
 */
export function isPlainText(text: string): boolean {
  return !/\p{Cc}/u.test(text);
}

/** What is said of one that is not. */
export const notPlain = 'use no control characters';
