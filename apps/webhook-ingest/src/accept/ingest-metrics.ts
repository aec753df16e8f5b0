import type { ProviderId } from '@switchboard/contracts';
import { Counter, Histogram, type Registry } from 'prom-client';

/** What became of a part of a webhook. `accepted` counts repetitions too; `stored` only what was new. */
export type Outcome = 'accepted' | 'stored' | 'refused' | 'unknown' | 'quarantined' | 'limited' | 'unavailable' | 'too_large';

export interface IngestMetrics {
  count(provider: ProviderId | 'all', outcome: Outcome, parts?: number): void;
  committed(parts: number): void;
}

export function createIngestMetrics(registry: Registry): IngestMetrics {
  const parts = new Counter({ name: 'ingest_webhook_parts_total', help: 'Parts of webhooks by what became of them', labelNames: ['provider', 'outcome'], registers: [registry] });
  const groups = new Histogram({ name: 'ingest_commit_parts', help: 'Parts of webhooks stored by one commit', buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024], registers: [registry] });
  return {
    count: (provider, outcome, count = 1) => parts.inc({ provider, outcome }, count),
    committed: (count) => groups.observe(count),
  };
}
