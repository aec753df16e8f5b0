import type { Kit } from '@switchboard/service-kit';
import type { ConnectionSource } from './connection-source.ts';

/** Milliseconds before the first repetition; doubled up to the cap. tenant-service may start later than we do. */
const retryMs = { first: 250, max: 30_000 };

/** Makes the copy of the connections complete once after the start, in the background, as soon as tenant-service answers. */
export function startSync(source: ConnectionSource, log: Kit<unknown, unknown>['log']): { stop(): Promise<void> } {
  let stopped = false;
  let wake = () => {};
  const run = async () => {
    for (let delayMs = retryMs.first; !stopped; delayMs = Math.min(delayMs * 2, retryMs.max)) {
      try {
        const changed = await source.sync();
        log.info({ changed }, 'connections synced');
        return;
      } catch (error) {
        if (!stopped) log.warn({ err: error, delayMs }, 'connections not synced yet; webhooks are verified with the copy');
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delayMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const running = run();
  return {
    async stop() {
      stopped = true;
      wake();
      await running;
    },
  };
}
