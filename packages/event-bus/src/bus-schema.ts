/** Name of a driver of the bus. */
export type BusDriverName = 'embedded' | 'kafka';

/**
 * Where the bus keeps its tables, and who owns them. Embedded: one schema for all services, so that a state change and its consumers' work
 * are one transaction. Kafka: one for each service, beside its own tables.
 * `worker` is graphile-worker's schema of the same owner.
 */
export type BusSchema = { readonly name: string; readonly worker: string; readonly owner: string };

/** `service` is the service's short name (its Postgres schema): `state`, `ingest`, … */
export function busSchemaOf(driver: BusDriverName, service: string): BusSchema {
  if (driver === 'embedded') return { name: 'bus', worker: 'bus_worker', owner: 'switchboard_bus' };
  // The name goes into SQL as an identifier; it comes from our own code, and this keeps it that way.
  if (!/^[a-z][a-z0-9_]*$/.test(service)) throw new Error(`"${service}" is not the short name of a service`);
  return { name: `${service}_bus`, worker: `${service}_bus_worker`, owner: `switchboard_${service}_bus` };
}
