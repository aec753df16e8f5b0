import { StartRefusal } from '@switchboard/service-kit';

/** What stands in the way is one sentence (StartRefusal, or a plain Error of the database's starter); a defect shows its stack. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof StartRefusal || error.constructor === Error ? error.message : (error.stack ?? error.message);
}
