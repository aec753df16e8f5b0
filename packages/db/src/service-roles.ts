import type { ServiceSchema } from './port.ts';

/** The database roles of a service. They are the same in every database of a server, and follow from the service's schema name. */
export type ServiceRoles = {
  /** Logs in, runs the service: its tenant's rows alone. */
  readonly runtime: string;
  /** Taken on by the runtime role for work that belongs to no tenant; sees the tables opened to it. */
  readonly system: string;
  /** Owns the schema and its tables; only migrations act as it. */
  readonly owner: string;
  /** Logs in, owns the service's bus objects in the distributed mode. */
  readonly bus: string;
};

export function serviceRoles({ schema }: Pick<ServiceSchema, 'schema'>): ServiceRoles {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(schema)) throw new Error(`"${schema}" is not a service's schema name: a-z, 0-9 and "_", starting with a letter, at most 31.`);
  const runtime = `switchboard_${schema}`;
  return { runtime, system: `${runtime}_system`, owner: `${runtime}_owner`, bus: `${runtime}_bus` };
}

/** Owns the bus objects that all services share in the embedded mode. */
export const embeddedBusRole = 'switchboard_bus';
