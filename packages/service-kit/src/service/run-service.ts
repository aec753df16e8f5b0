import { processEnvironment, type Environment } from '../config/load-config.ts';
import { createLog } from '../log/create-log.ts';
import type { ServiceDefinition } from '../port.ts';
import { startService } from './start-service.ts';
import { StartRefusal } from './start-refusal.ts';

/** Milliseconds for the whole way down: less than the 30 s after which Kubernetes kills. */
const stopTimeoutMs = 25_000;
/** A second signal counts as "now" only this much later: a terminal and npm both pass on one Ctrl-C. */
const secondSignalAfterMs = 1_000;

/**
 * A service as a process of its own. SIGTERM and SIGINT: not ready → no new requests → bus drained → database closed → exit 0. An uncaught
 * error ends the process with 1: its state is unknown then, and whoever started it starts it again.
 */
export async function runService<Definition extends ServiceDefinition>(definition: Definition, environment: Environment = processEnvironment()): Promise<void> {
  const log = createLog({ service: definition.name, level: 'info' });
  const die = (error: unknown, message: string) => {
    log.fatal({ err: error }, message);
    process.exit(1);
  };
  process.on('uncaughtException', (error) => die(error, 'uncaught error'));
  process.on('unhandledRejection', (error) => die(error, 'unhandled rejection'));

  try {
    const service = await startService(definition, environment, { processMetrics: true });
    let stoppingSince: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
      if (stoppingSince !== undefined) {
        if (Date.now() - stoppingSince > secondSignalAfterMs) process.exit(1);
        return;
      }
      stoppingSince = Date.now();
      log.info({ signal }, 'stopping');
      setTimeout(() => die(new Error(`not stopped within ${stopTimeoutMs} ms`), 'stopped by force'), stopTimeoutMs).unref();
      service.stop().then(
        () => process.exit(0),
        (error: unknown) => die(error, 'stopping failed'),
      );
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  } catch (error) {
    if (!(error instanceof StartRefusal)) return die(error, 'start failed');
    // For the person at the terminal, not for a log collector.
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
