import { Counter, type Registry } from 'prom-client';
import type { Threshold } from './reached-thresholds.ts';

export type LimitMetrics = { reached(threshold: Threshold): void };

/** For the platform's alarms; which tenant it was says GET /plan-limits. */
export function createLimitMetrics(registry: Registry): LimitMetrics {
  const reached = new Counter({ name: 'switchboard_plan_limits_reached_total', help: 'Times that a tenant reached so many per cent of its plan\'s messages of a month.', labelNames: ['threshold'], registers: [registry] });
  return { reached: (threshold) => reached.inc({ threshold: String(threshold) }) };
}
