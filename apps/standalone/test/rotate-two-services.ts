import { createEnvKeyProvider } from '@switchboard/secrets';
import type { ServiceDefinition } from '@switchboard/service-kit';
import { service as tenantService } from '@switchboard/tenant-service';
import { service as webhookIngest } from '@switchboard/webhook-ingest';
import { rotateDataKeys } from '../src/rotate-data-keys.ts';
import { openServiceDatabases } from '../src/service-databases.ts';

/** A rotation in a process of its own, so that a test can kill it. */
const services: readonly ServiceDefinition[] = [tenantService, webhookIngest];
const [place] = await openServiceDatabases(process.env);
if (place === undefined) throw new Error('no databases');
await rotateDataKeys({ services, databaseUrlOf: place.databaseUrlOf, keyProvider: createEnvKeyProvider(process.env['KEY_ENCRYPTION_KEY'] ?? ''), batch: 60, report: (line) => console.log(line) });
