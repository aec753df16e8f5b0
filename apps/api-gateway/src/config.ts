import { z } from 'zod';
import { parseNetworks } from './networks.ts';

/** Variables of the gateway alone. */
export const config = z.object({
  redisUrl: z.string().optional().describe('the Redis that several gateways share for counting requests; without it each process counts for itself, and one that is killed loses the usage of its last second').meta({ secret: true }),
  upstreamTimeoutMs: z.coerce.number().int().min(100).max(120_000).default(15_000).describe('milliseconds that a service behind the gateway gets to begin its answer'),
  publicGatewayUrl: z.url({ protocol: /^https?$/ }).optional().describe('where callers reach the gateway, for the API description; without it: the host at which it is asked for'),
  baseDomain: z
    .string()
    .toLowerCase()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'give a domain without scheme and port')
    .optional()
    .describe('the domain whose subdomains name tenants (acme.example.com); without it no host names a tenant'),
  platformSubdomains: list('api,www').describe('names under BASE_DOMAIN that are no tenant, separated by commas'),
  trustedProxies: list()
    .refine((entries) => parseNetworks(entries).faults.length === 0, 'give networks (10.0.0.0/8) or addresses, separated by commas')
    .describe('networks (CIDR) of the proxies in front, whose X-Forwarded-For and X-Forwarded-Host are believed, separated by commas'),
  trustedSubdomains: z.stringbool().default(false).describe('true lets a subdomain alone read what is its tenant\'s (scope state:read), for private networks'),
  rateLimitBurstSeconds: z.coerce.number().int().min(1).max(3_600).default(60).describe("seconds' worth of a tenant's requests that it may send at once; the rate stays what it is"),
  publicRequestsPerMinute: z.coerce.number().int().min(1).max(10_000_000).default(600).describe('requests a minute of one address (of the /64 of a v6 one) at routes that ask for no credentials: log-in, refresh, invitations, single sign-on, the API description'),
  credentialsMax: z.coerce.number().int().min(100).max(10_000_000).default(100_000).describe('the most API keys and tokens that are remembered; one that is in use takes 1.1 kB of heap with its token for the services (measured with 50 000 keys of 10 000 tenants: 54 MB)'),
});
export type Config = z.output<typeof config>;

function list(defaultText = '') {
  return z.string().default(defaultText).transform((text) => text.split(',').map((item) => item.trim().toLowerCase()).filter((item) => item !== ''));
}
