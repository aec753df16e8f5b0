/** Milliseconds to the first check after the one at connect time; doubled each time. */
const firstDelayMs = 60_000;
const delayMaxMs = 3_600_000;
/** Checks of the same credentials at most: with the delays above, about two days. After that the tenant must say something. */
const attemptsMax = 50;

/** When credentials that could not be verified are checked again; undefined: not by itself. `attempts` were made so far. */
export function nextCheckAt(now: Date, attempts: number, retry: boolean): Date | undefined {
  if (!retry || attempts >= attemptsMax) return undefined;
  return new Date(now.getTime() + Math.min(delayMaxMs, firstDelayMs * 2 ** Math.min(attempts - 1, 10)));
}
