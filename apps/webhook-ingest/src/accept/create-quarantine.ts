import { runAsSystem } from '@switchboard/tenant-context';
import type { QuarantinedWebhook, QuarantineStore } from '../store/quarantine.ts';

export interface Quarantine {
  keep(webhook: QuarantinedWebhook): Promise<void>;
}

/** Rows a second, of a process. More of what nobody owns is answered, counted and not kept: it must not fill the disk of those who own theirs. */
const keptPerSecondMax = 20;

export function createQuarantine(store: QuarantineStore, now: () => Date): Quarantine {
  let second = 0;
  let kept = 0;
  return {
    async keep(webhook) {
      const current = Math.floor(now().getTime() / 1000);
      if (current !== second) {
        second = current;
        kept = 0;
      }
      if (++kept > keptPerSecondMax) return;
      await runAsSystem('keeping a webhook that no tenant owns', () => store.store(webhook));
    },
  };
}
