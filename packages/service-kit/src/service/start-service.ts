import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createCallRoute } from '../call-route.ts';
import { kitConfigSchema, urlsOf, type KitConfig } from '../config/kit-config.ts';
import { loadConfig, type Environment } from '../config/load-config.ts';
import { createEgress } from '../egress/create-egress.ts';
import { adminKeyCheck, authenticator } from '../http/authenticate.ts';
import { createServer } from '../http/create-server.ts';
import { healthRoutes } from '../http/health-routes.ts';
import { createHttpMetrics } from '../http/http-metrics.ts';
import { metricsRoute } from '../http/metrics-route.ts';
import { internalTokenKey, signInternalToken } from '../internal-token.ts';
import { createLog } from '../log/create-log.ts';
import type { Kit, RunningService, ServiceDefinition, ServiceName, ServiceParts } from '../port.ts';
import { observeBus } from './bus-metrics.ts';
import { deadLetterRoutes } from './dead-letter-routes.ts';
import { eraseConsumer } from './erase-consumer.ts';
import { openKeyProvider } from './open-key-provider.ts';
import { openBus, openDatabase } from './open-parts.ts';
import { StartRefusal } from './start-refusal.ts';

/** Milliseconds that requests in flight get to end after the port closed; then their connections are cut. */
const requestDrainMs = 10_000;

const idleSweepMs = 20;

export type StartOptions = {
  /** Metrics of the whole process (memory, event loop): only where the process is the service's own. */
  readonly processMetrics?: boolean;
};

/**
 * Starts a service from its variables: database and bus first, the port last. Many may run in one process. Throws StartRefusal with plain
 * sentences when it cannot start; what was opened by then is closed again.
 */
export async function startService(definition: ServiceDefinition, environment: Environment, options: StartOptions = {}): Promise<RunningService> {
  const { kitConfig, config } = loadBoth(definition, environment);
  const log = createLog({ service: definition.name, level: kitConfig.logLevel });
  const registry = new Registry();
  if (options.processMetrics === true) collectDefaultMetrics({ register: registry });
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const kit = openKit(definition, kitConfig, config, { log, registry, undo });
    const parts = await definition.build(kit);
    return await open(definition, kitConfig, kit, parts, undo);
  } catch (error) {
    for (const step of undo.toReversed()) await step().catch((cause: unknown) => log.warn({ err: cause }, 'closing after a failed start'));
    throw error;
  }
}

/** Both schemas are read before either complains, so that one start names everything that is missing. */
function loadBoth(definition: ServiceDefinition, environment: Environment): { kitConfig: KitConfig; config: Record<string, unknown> } {
  const faults: string[] = [];
  const attempt = <T>(load: () => T): T | undefined => {
    try {
      return load();
    } catch (error) {
      if (!(error instanceof StartRefusal)) throw error;
      faults.push(error.message);
      return undefined;
    }
  };
  const kitConfig = attempt(() => loadConfig(kitConfigSchema, environment));
  const config = attempt(() => loadConfig(definition.config, environment));
  if (kitConfig === undefined || config === undefined) throw new StartRefusal(`${definition.name} cannot start:\n${faults.join('\n')}`);
  return { kitConfig, config };
}

type Opened = Pick<Kit<unknown, unknown>, 'log' | 'registry'> & { readonly undo: (() => Promise<unknown>)[] };

/** Each thing opened is registered in `undo`, in the order of opening. */
function openKit(definition: ServiceDefinition, kitConfig: KitConfig, config: Record<string, unknown>, { log, registry, undo }: Opened): Kit<Record<string, unknown>, unknown> {
  const { name } = definition;
  const keyProvider = openKeyProvider(name, kitConfig);
  // The bus works in the database's transactions, and knows of which tenants there must be none any more.
  const db = openDatabase(definition, kitConfig, (tenantId) => bus.erasedTenants.admit(tenantId));
  undo.push(() => db.close());
  const egress = createEgress({ allow: kitConfig.egressAllow });
  undo.push(() => egress.close());
  const tokenKey = internalTokenKey(kitConfig.internalTokenSecret);
  const signToken: Kit<unknown, unknown>['signToken'] = (audience, claims) => signInternalToken(tokenKey, name, audience, claims);
  const urlsOfService = (service: ServiceName) => urlsOf(kitConfig, service);
  const { callRoute, close } = createCallRoute({ urlsOf: urlsOfService, signToken });
  undo.push(close);
  const bus = openBus(definition, kitConfig, db, log);
  undo.push(() => bus.stop());
  return { name, config, log, registry, keyProvider, db, bus, egress, callRoute, signToken, isAdminKey: adminKeyCheck(kitConfig.adminKey), urlsOf: urlsOfService, now: () => new Date() };
}

async function open(
  definition: ServiceDefinition,
  kitConfig: KitConfig,
  kit: Kit<Record<string, unknown>, unknown>,
  parts: ServiceParts,
  undo: (() => Promise<unknown>)[],
): Promise<RunningService> {
  const { bus, db, log, registry } = kit;
  const consumers = parts.consumers ?? [];
  let draining = false;
  const isDraining = () => draining;

  for (const consumer of consumers) bus.subscribe(consumer);
  if (definition.database !== undefined) bus.subscribe(eraseConsumer(kit, parts.erase));
  for (const task of parts.tasks ?? []) bus.schedule(task);
  observeBus(registry, bus);
  const checks = { ...(definition.database === undefined ? {} : { db: () => db.unhealthy() }), bus: () => bus.unhealthy(), ...parts.readiness };
  const common = { authenticate: authenticator(definition.name, kitConfig), metrics: createHttpMetrics(registry), log, isDraining };
  const { metricsPort } = kitConfig;
  const server = createServer({
    ...common,
    routes: [...parts.routes, ...(consumers.length > 0 && definition.database !== undefined ? deadLetterRoutes(bus.deadLetters) : [])],
    rawRoutes: [...healthRoutes({ checks, isDraining, log }), ...(metricsPort === undefined ? [metricsRoute(registry)] : []), ...(parts.rawRoutes ?? [])],
  });
  const metricsServer = metricsPort === undefined ? undefined : createServer({ ...common, routes: [], rawRoutes: [metricsRoute(registry)] });

  await bus.start();
  await parts.onStart?.();
  const metricsUrl = metricsServer && (await listen(metricsServer, metricsPort ?? 0, kitConfig.host, definition.name));
  if (metricsServer !== undefined) undo.push(() => closeServer(metricsServer));
  const url = await listen(server, kitConfig.port ?? definition.port, kitConfig.host, definition.name);
  log.info({ url, metricsUrl }, 'listening');

  let stopping: Promise<void> | undefined;
  const stop = async () => {
    draining = true;
    await new Promise((resolve) => setTimeout(resolve, kitConfig.drainDelayMs));
    await closeServer(server);
    await bus.stop();
    await parts.onStop?.();
    for (const step of undo.toReversed()) await step();
    log.info('stopped');
  };
  return { url, metricsUrl: metricsUrl ?? url, stop: () => (stopping ??= stop()) };
}

async function listen(server: Server, port: number, host: string, service: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE') reject(new StartRefusal(`Port ${port} (${service}) is in use; stop the program that uses it, or set PORT to another port.`, { cause }));
      else if (cause.code === 'EACCES') reject(new StartRefusal(`Port ${port} (${service}) may not be opened by this user; set PORT to one above 1023.`, { cause }));
      else if (cause.code === 'EADDRNOTAVAIL') reject(new StartRefusal(`This machine does not have the address of HOST (${service}); set HOST to one of its own.`, { cause }));
      else reject(cause);
    });
    server.listen({ port, host }, resolve);
  });
  const address = server.address() as AddressInfo; // a TCP server that listens
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${address.port}`;
}

/** Stops accepting at once, lets what is under way end, cuts what takes too long. */
async function closeServer(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), requestDrainMs);
  // A request that was under way leaves its connection open for the next one, which will never come.
  const sweep = setInterval(() => server.closeIdleConnections(), idleSweepMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  clearInterval(sweep);
  clearTimeout(cut);
}
