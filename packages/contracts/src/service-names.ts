export const serviceNames = [
  'api-gateway', 'auth-service', 'state-manager', 'webhook-ingest', 'whatsapp-connector', 'genesys-connector', 'chatwoot-connector', 'tenant-service', 'botpress-connector', 'twilio-connector', 'provider-sandbox',
] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Services that keep rows of tenants: each must have said that it has erased a tenant before the tenant is gone. */
export const servicesWithTenantRows = ['auth-service', 'state-manager', 'webhook-ingest', 'whatsapp-connector', 'genesys-connector', 'chatwoot-connector', 'tenant-service', 'botpress-connector', 'twilio-connector'] as const satisfies readonly ServiceName[];
