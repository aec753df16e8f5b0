export const serviceNames = [
  'api-gateway', 'auth-service', 'state-manager', 'webhook-ingest', 'whatsapp-connector', 'genesys-connector', 'tenant-service', 'provider-sandbox',
] as const;
export type ServiceName = (typeof serviceNames)[number];
