import { createDatabase, shortName, type Database, type DatabaseOptions } from '@switchboard/db';
import { createEventBus, type BusLog, type EventBus, type EventBusOptions, type UnitOfWork } from '@switchboard/event-bus';
import type { KitConfig } from '../config/kit-config.ts';
import type { ServiceDefinition } from '../port.ts';
import { absentBus, absentDatabase } from './absent-parts.ts';
import { StartRefusal } from './start-refusal.ts';

/** Opens the service's own database. A service without one gets a stand-in that refuses SQL. */
export function openDatabase(definition: ServiceDefinition, config: KitConfig, admit?: DatabaseOptions<unknown>['admit']): Database<unknown> {
  const { name, database } = definition;
  if (database === undefined) return absentDatabase(name);
  if (config.databaseUrl === undefined) throw new StartRefusal(`DATABASE_URL is missing: the Postgres URL of ${name}'s own role, or DATABASE_URL_FILE with the path of a file that holds it.`);
  return createDatabase({ url: config.databaseUrl, schema: database.schema, connectionsMax: config.databaseConnectionsMax, createClient: database.createClient, admit });
}

/** The service's end of the bus. A service without database that was told of no bus gets a stand-in that refuses events. */
export function openBus(definition: ServiceDefinition, config: KitConfig, unitOfWork: UnitOfWork, log: BusLog): EventBus {
  const { busDriver, busDatabaseUrl, kafkaBrokers } = config;
  const told = busDriver === 'embedded' ? busDatabaseUrl !== undefined : kafkaBrokers.length > 0;
  if (!told && definition.database === undefined) return absentBus(definition.name);
  if (busDriver === 'kafka' && kafkaBrokers.length === 0) throw new StartRefusal('KAFKA_BROKERS is missing: the Kafka brokers, host:port, separated by commas.');
  if (busDatabaseUrl === undefined && (busDriver === 'embedded' || definition.database !== undefined)) {
    throw new StartRefusal('BUS_DATABASE_URL is missing: the Postgres URL of the role that owns the bus tables, or BUS_DATABASE_URL_FILE with the path of a file that holds it.');
  }
  return createEventBus({
    driver: busDriver,
    service: shortName(definition.name),
    unitOfWork,
    busUrl: busDatabaseUrl,
    ...(busDriver === 'kafka' ? { kafka: kafkaOptionsOf(config) } : {}),
    log,
  });
}

/** Where Kafka is, and on how many brokers the topics lie that this service makes. */
export function kafkaOptionsOf({ kafkaBrokers, kafkaReplicationFactor }: Pick<KitConfig, 'kafkaBrokers' | 'kafkaReplicationFactor'>): NonNullable<EventBusOptions['kafka']> {
  return { brokers: kafkaBrokers, replicationFactor: kafkaReplicationFactor };
}
