import type { z } from 'zod';
import type { ServiceDefinition } from '../port.ts';

/** Types `build` by the service's own config schema and database client. */
export function defineService<ConfigSchema extends z.ZodObject, Client = unknown>(definition: ServiceDefinition<ConfigSchema, Client>): ServiceDefinition<ConfigSchema, Client> {
  return definition;
}
