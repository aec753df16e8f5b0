/** Per cent of a limit at which tenant and platform are told. */
export const thresholds = [80, 100] as const;
export type Threshold = (typeof thresholds)[number];

/** Those that so many messages have reached; none without a limit. */
export function reachedThresholds(used: number, limit: number | null): Threshold[] {
  return limit === null ? [] : thresholds.filter((threshold) => used * 100 >= limit * threshold);
}
