import { spawn, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertPortsFree } from '../apps/standalone/src/assert-ports-free.ts';
import { explain } from '../apps/standalone/src/explain.ts';
import { openInstallation } from '../apps/standalone/src/installation.ts';
import { portOf, serviceEnvironment, type Deployment } from '../apps/standalone/src/service-environment.ts';
import { services } from '../apps/standalone/src/services.ts';
import { prepareServices, type ServiceDefinition } from '../packages/service-kit/src/index.ts';
import { startServers } from './services/start-servers.ts';

/** Milliseconds a service may take to get ready. */
const startTimeoutMs = 60_000;

/**
 * The distributed mode on one machine: every service its own process against Kafka, Postgres and Redis. DATABASE_ADMIN_URL, KAFKA_BROKERS
 * and REDIS_URL name servers that run already. Ends with the line `ready`; SIGINT and SIGTERM drain.
 */
async function runServices(): Promise<void> {
  const environment = process.env;
  const home = resolve(environment['SWITCHBOARD_HOME'] ?? '.switchboard');
  await assertPortsFree(services, environment);
  const installation = openInstallation(home, environment['ADMIN_KEY']);
  const servers = await startServers(join(home, 'services'), environment);
  const children: { service: ServiceDefinition; child: ChildProcess }[] = [];
  let isStopping = false;

  const stop = async (code: number) => {
    if (isStopping) return;
    isStopping = true;
    // The doors first, then who works behind them.
    for (const { child } of children.toReversed()) await terminate(child);
    await servers.stop();
    process.exit(code);
  };
  process.on('SIGINT', () => void stop(0));
  process.on('SIGTERM', () => void stop(0));

  try {
    await prepareServices(services, { adminUrl: servers.adminUrl, driver: 'kafka', rolePassword: () => installation.secrets.databasePassword });
    const deployment: Deployment = { installation, adminUrl: servers.adminUrl, busDriver: 'kafka', kafkaBrokers: servers.kafkaBrokers, redisUrl: servers.redisUrl, environment };
    for (const service of services) {
      const child = launch(service, serviceEnvironment(service, services, deployment));
      child.once('exit', (code) => {
        if (isStopping) return;
        process.stderr.write(`switchboard: ${service.name} ended with ${code}\n`);
        void stop(1);
      });
      children.push({ service, child });
    }
    await Promise.all(services.map((service) => untilReady(service, environment)));
  } catch (error) {
    process.stderr.write(`switchboard: ${explain(error)}\n`);
    return stop(1);
  }

  const width = Math.max(...services.map(({ name }) => name.length));
  for (const { service, child } of children) console.log(`${service.name.padEnd(width)}  http://127.0.0.1:${portOf(service, environment)}  pid ${child.pid}`);
  console.log(`\nKafka ${servers.kafkaBrokers}, Redis ${servers.redisUrl ?? 'none: limits are counted in each process'}`);
  console.log(`admin key: ${environment['ADMIN_KEY'] ? 'as set by ADMIN_KEY' : `in ${installation.adminKeyFile}`}`);
  console.log('ready');
}

function launch(service: ServiceDefinition, variables: Record<string, string | undefined>): ChildProcess {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', `apps/${service.name}/src/main.ts`], {
    env: variables,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().split('\n')) if (line !== '') process.stdout.write(`${service.name}: ${line}\n`);
    });
  }
  return child;
}

async function untilReady(service: ServiceDefinition, environment: Record<string, string | undefined>): Promise<void> {
  const until = Date.now() + startTimeoutMs;
  while (Date.now() < until) {
    const isReady = await fetch(`http://127.0.0.1:${portOf(service, environment)}/health/ready`).then((response) => response.ok, () => false);
    if (isReady) return;
    await sleep(100);
  }
  throw new Error(`${service.name} did not get ready within ${startTimeoutMs / 1000} s.`);
}

function terminate(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    child.once('exit', () => done());
    child.kill('SIGTERM');
  });
}

try {
  await runServices();
} catch (error) {
  process.stderr.write(`switchboard: ${explain(error)}\n`);
  process.exit(1);
}
