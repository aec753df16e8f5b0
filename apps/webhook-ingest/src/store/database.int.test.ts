import { describeDatabaseOfService } from '@switchboard/db/testing';

describeDatabaseOfService(
  { service: 'webhook-ingest', schema: 'ingest', prismaDirectory: new URL('../../prisma/', import.meta.url) },
  {
    uniqueAcrossTenants: { 'ingest.connections_connection_id_key': 'a connection is found by its URL before its tenant is known; ids are made by tenant-service' },
    systemTables: { connections: 'whose a webhook is, is asked before its tenant is known', webhooks: 'one commit holds webhooks of many tenants' },
  },
);
