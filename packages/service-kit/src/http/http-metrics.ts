import { Counter, Histogram, type Registry } from 'prom-client';

export interface HttpMetrics {
  /** `route` is a template, never a path with ids in it. */
  observe(labels: { readonly method: string; readonly route: string; readonly status: number }, seconds: number): void;
  failed(route: string): void;
}

/** Durations by route template and status; labels are bounded by the route table. */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  const durations = new Histogram({
    name: 'switchboard_http_request_seconds',
    help: 'Seconds from the request head to the end of the answer.',
    labelNames: ['method', 'route', 'status'],
    // From a cache hit at the gateway to a provider that needs its whole timeout.
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  const errors = new Counter({ name: 'switchboard_http_internal_errors_total', help: 'Requests that ended in a defect (500).', labelNames: ['route'], registers: [registry] });
  return {
    observe: (labels, seconds) => durations.observe({ method: labels.method, route: labels.route, status: labels.status }, seconds),
    failed: (route) => errors.inc({ route }),
  };
}
