import { z } from 'zod';
import { keyProviderConfigSchema } from './key-provider-config.ts';
import { serviceNames, type ServiceName } from '../port.ts';

const secret = { secret: true } as const;

/** Where each service listens when nothing else is said. */
export const servicePorts = {
  'api-gateway': 3000,
  'auth-service': 3001,
  'state-manager': 3002,
  'webhook-ingest': 3003,
  'whatsapp-connector': 3004,
  'genesys-connector': 3005,
  'chatwoot-connector': 3006,
  'tenant-service': 3007,
  'botpress-connector': 3008,
  'twilio-connector': 3009,
  'provider-sandbox': 3020,
} as const satisfies Record<ServiceName, number>;

/** Variables that the kit reads for every service. */
export const kitConfigSchema = z.object({
  port: z.coerce.number().int().min(0).max(65_535).optional().describe('the TCP port to listen on; 0 takes a free one'),
  host: z.string().default('127.0.0.1').describe('the address to listen on; 0.0.0.0 in a container'),
  metricsPort: z.coerce.number().int().min(0).max(65_535).optional().describe('a TCP port of its own for /metrics, so that the public port of a door does not show it; without it /metrics is on PORT'),
  databaseUrl: z.string().optional().describe("the Postgres URL of the service's own role").meta(secret),
  databaseConnectionsMax: z.coerce.number().int().min(1).max(500).default(10).describe('the most connections to Postgres that this process opens'),
  busDriver: z.enum(['embedded', 'kafka']).default('embedded').describe('what carries events: embedded (Postgres) or kafka'),
  busDatabaseUrl: z.string().optional().describe('the Postgres URL of the role that owns the bus tables').meta(secret),
  kafkaBrokers: list().describe('the Kafka brokers, host:port, separated by commas'),
  kafkaReplicationFactor: z.coerce.number().int().min(1).max(9).default(1).describe('how many brokers keep a copy of each topic that is made; 3 in production, where one may then be away without losing or stopping anything'),
  internalTokenSecret: z.string().min(32).describe('at least 32 characters that all services share; signs the calls between them').meta(secret),
  adminKey: z.string().min(16).optional().describe('the key of the platform, for Authorization: Bearer').meta(secret),
  ...keyProviderConfigSchema.shape,
  egressAllow: list().describe('networks (CIDR) and host names that outgoing calls may reach although they are private, separated by commas'),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info').describe('the least level that is logged'),
  drainDelayMs: z.coerce.number().int().min(0).max(60_000).default(0).describe('milliseconds between "not ready" and the end of accepting, for load balancers to notice'),
  ...serviceUrls(),
});
export type KitConfig = z.output<typeof kitConfigSchema>;

/** Base URLs of a service's processes, one at least, without a slash at the end. */
export function urlsOf(config: KitConfig, service: ServiceName): readonly [string, ...string[]] {
  // The field exists and holds one: serviceUrls makes one of each name.
  return config[urlField(service) as keyof KitConfig] as unknown as [string, ...string[]];
}

function list() {
  return z
    .string()
    .default('')
    .transform((text) => text.split(',').map((item) => item.trim()).filter((item) => item !== ''));
}

function serviceUrls(): Record<`${string}Url`, z.ZodType<string[], string | undefined>> {
  return Object.fromEntries(
    serviceNames.map((name) => [
      urlField(name),
      z
        .string()
        .default(`http://127.0.0.1:${servicePorts[name]}`)
        .transform((text) => text.split(',').map((url) => url.trim().replace(/\/+$/, '')))
        .pipe(z.array(z.url({ protocol: /^https?$/ })))
        .describe(`the address of ${name}; those of several processes of it, separated by commas`),
    ]),
  );
}

function urlField(service: ServiceName): `${string}Url` {
  return `${service.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())}Url`;
}
