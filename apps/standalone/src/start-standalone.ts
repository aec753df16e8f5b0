import { holdExclusively, startPostgres } from '@switchboard/db/embedded';
import { prepareServices, StartRefusal, startService, type RunningService } from '@switchboard/service-kit';
import { join, resolve } from 'node:path';
import { assertPortsFree } from './assert-ports-free.ts';
import { explain } from './explain.ts';
import { openInstallation } from './installation.ts';
import { serviceEnvironment, type Deployment } from './service-environment.ts';
import { services } from './services.ts';

/** Milliseconds for draining after the first Ctrl-C; a second one after this long ends at once. */
const forcedExitAfterMs = 2_000;

/**
 * Every service in this process: the embedded mode. Prints the addresses and, as the last line, `ready`. Returns when everything runs;
 * SIGINT and SIGTERM drain and stop it.
 */
export async function startStandalone(environment: Record<string, string | undefined> = process.env): Promise<void> {
  try {
    await start(environment);
  } catch (error) {
    process.stderr.write(`switchboard: ${explain(error)}\n`);
    process.exit(1);
  }
}

async function start(environment: Record<string, string | undefined>): Promise<void> {
  const home = resolve(environment['SWITCHBOARD_HOME'] ?? '.switchboard');
  await assertPortsFree(services, environment);
  const installation = openInstallation(home, environment['ADMIN_KEY']);

  const postgres = await startPostgres({ directory: join(home, 'postgres') });
  const release = await holdExclusively(postgres.adminUrl);
  if (release === false) throw new StartRefusal(`Another Switchboard runs on the folder ${home}; stop it, or set SWITCHBOARD_HOME to another folder.`);
  const running: { name: string; service: RunningService }[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () =>
    (stopping ??= (async () => {
      for (const { name, service } of running.toReversed()) {
        await service.stop().catch((error: unknown) => process.stderr.write(`switchboard: ${name} did not stop cleanly: ${String(error)}\n`));
      }
      await release();
      await postgres.stop();
    })());
  stopOnSignals(stop);

  try {
    const deployment: Deployment = { installation, adminUrl: postgres.adminUrl, busDriver: 'embedded', environment };
    await prepareServices(services, { adminUrl: postgres.adminUrl, driver: 'embedded', rolePassword: () => installation.secrets.databasePassword });
    for (const service of services) {
      running.push({ name: service.name, service: await startService(service, serviceEnvironment(service, services, deployment)) });
    }
  } catch (error) {
    await stop();
    throw error;
  }

  const width = Math.max(...running.map(({ name }) => name.length));
  for (const { name, service } of running) process.stdout.write(`${name.padEnd(width)}  ${service.url}\n`);
  process.stdout.write(`\nadmin key: ${environment['ADMIN_KEY'] ? 'as set by ADMIN_KEY' : `in ${installation.adminKeyFile}`}\n`);
  process.stdout.write('ready\n');
}

function stopOnSignals(stop: () => Promise<void>): void {
  let firstSignalAt: number | undefined;
  const onSignal = () => {
    if (firstSignalAt !== undefined) {
      // A terminal's Ctrl-C arrives twice (from the terminal and from npm): only a later one is meant as "now".
      if (Date.now() - firstSignalAt > forcedExitAfterMs) process.exit(130);
      return;
    }
    firstSignalAt = Date.now();
    process.stdout.write('stopping: finishing what is under way …\n');
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`switchboard: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}
