import type { ScheduledTask } from '@switchboard/event-bus';
import type { QuarantineStore } from './store/quarantine.ts';
import type { UnknownAccountStore } from './store/unknown-accounts.ts';
import type { WebhookStore } from './store/webhooks.ts';

/** Rows a transaction deletes: short enough to be in nobody's way. */
const removedAtOnce = 5_000;
const dayMs = 86_400_000;

/** Deletes what the log has kept long enough, a little every hour. */
export function retentionTask(options: { readonly webhooks: WebhookStore; readonly quarantine: QuarantineStore; readonly unknownAccounts: UnknownAccountStore; readonly keptDays: number; readonly now: () => Date }): ScheduledTask {
  return {
    name: 'webhook-retention',
    cron: '17 * * * *',
    async run() {
      const before = new Date(options.now().getTime() - options.keptDays * dayMs);
      while ((await options.webhooks.removeBefore(before, removedAtOnce)) === removedAtOnce);
      await options.quarantine.removeBefore(before);
      await options.unknownAccounts.removeBefore(before);
    },
  };
}
