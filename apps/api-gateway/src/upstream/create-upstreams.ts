import type { ServiceName } from '@switchboard/contracts';
import type { Kit } from '@switchboard/service-kit';
import { Gauge } from 'prom-client';
import type { Config } from '../config.ts';
import { createUpstream, type Upstream } from './create-upstream.ts';

export interface Upstreams {
  of(service: ServiceName): Upstream;
  close(): Promise<void>;
}

/** The services behind the gateway, each with a breaker of its own, opened when first asked for. */
export function createUpstreams({ urlsOf, config, log, registry }: Pick<Kit<Config, unknown>, 'urlsOf' | 'config' | 'log' | 'registry'>): Upstreams {
  const upstreams = new Map<ServiceName, Upstream>();
  const open = new Gauge({ name: 'switchboard_gateway_breaker_open', help: '1 while a service is given a rest because it mostly failed.', labelNames: ['upstream'], registers: [registry] });
  return {
    of(service) {
      let upstream = upstreams.get(service);
      if (upstream === undefined) {
        upstream = createUpstream({ service, urls: urlsOf(service), timeoutMs: config.upstreamTimeoutMs, log, onBreaker: (isOpen) => open.set({ upstream: service }, isOpen ? 1 : 0) });
        upstreams.set(service, upstream);
        open.set({ upstream: service }, 0);
      }
      return upstream;
    },
    async close() {
      await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
    },
  };
}
