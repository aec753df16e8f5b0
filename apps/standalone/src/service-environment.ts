import { runtimeUrl } from '@switchboard/db';
import { StartRefusal, type ServiceDefinition } from '@switchboard/service-kit';
import { join } from 'node:path';
import type { Installation } from './installation.ts';

type Variables = Record<string, string | undefined>;

/** Where the parts of a deployment on one machine are. */
export type Deployment = {
  readonly installation: Installation;
  readonly adminUrl: string;
  readonly busDriver: 'embedded' | 'kafka';
  readonly kafkaBrokers?: string;
  readonly redisUrl?: string;
  /** The caller's environment: what it sets wins over what is derived here. */
  readonly environment: Variables;
};

/** Upper-case name of a service in variables: `TENANT_SERVICE`. */
export function variablePrefix(serviceName: string): string {
  return serviceName.toUpperCase().replaceAll('-', '_');
}

/** The port of a service: `<NAME>_PORT` or the one of its definition. Throws StartRefusal for what is no port. */
export function portOf(service: ServiceDefinition, environment: Variables): number {
  const name = `${variablePrefix(service.name)}_PORT`;
  const given = environment[name];
  if (given === undefined || given === '') return service.port;
  if (!/^\d{1,5}$/.test(given) || Number(given) > 65_535) throw new StartRefusal(`${name} must be a TCP port between 0 and 65535, and is "${given}".`);
  return Number(given);
}

/** The variables that one service of a one-machine deployment gets: its own database role, its neighbours' addresses, the installation's secrets. */
export function serviceEnvironment(service: ServiceDefinition, services: readonly ServiceDefinition[], deployment: Deployment): Variables {
  const { installation, environment, busDriver } = deployment;
  const { secrets } = installation;
  const addresses = Object.fromEntries(services.map((other) => [`${variablePrefix(other.name)}_URL`, `http://127.0.0.1:${portOf(other, environment)}`]));
  const ingest = services.find((other) => other.name === 'webhook-ingest');
  const gateway = services.find((other) => other.name === 'api-gateway');
  const schema = service.database?.schema;
  // Embedded, all services share one bus schema; with Kafka, a service without database only listens and needs none. The sandbox is no part of the hub.
  const isOutside = service.name === 'provider-sandbox';
  const busRole = isOutside ? undefined : busDriver === 'embedded' ? 'switchboard_bus' : schema && `switchboard_${schema}_bus`;
  return {
    ...addresses,
    HOST: '127.0.0.1',
    EGRESS_ALLOW: '127.0.0.0/8',
    PUBLIC_WEBHOOK_URL: ingest && `http://127.0.0.1:${portOf(ingest, environment)}`,
    PUBLIC_GATEWAY_URL: gateway && `http://127.0.0.1:${portOf(gateway, environment)}`,
    SANDBOX_URL: addresses['PROVIDER_SANDBOX_URL'],
    SANDBOX_PUBLIC_URL: addresses['PROVIDER_SANDBOX_URL'],
    SANDBOX_ENABLED: 'true',
    SANDBOX_JOURNAL: join(installation.home, 'sandbox.jsonl'),
    MEDIA_DIR: join(installation.home, 'media'),
    LOG_LEVEL: 'warn',
    ...environment,
    PORT: String(portOf(service, environment)),
    ADMIN_KEY: secrets.adminKey,
    INTERNAL_TOKEN_SECRET: secrets.internalTokenSecret,
    KEY_ENCRYPTION_KEY: secrets.keyEncryptionKey,
    API_KEY_PEPPER: secrets.apiKeyPepper,
    MEDIA_URL_SECRET: secrets.mediaUrlSecret,
    BUS_DRIVER: busDriver,
    KAFKA_BROKERS: isOutside ? undefined : deployment.kafkaBrokers,
    REDIS_URL: deployment.redisUrl,
    DATABASE_URL: schema && runtimeUrl(deployment.adminUrl, `switchboard_${schema}`, secrets.databasePassword),
    BUS_DATABASE_URL: busRole && runtimeUrl(deployment.adminUrl, busRole, secrets.databasePassword),
  };
}
