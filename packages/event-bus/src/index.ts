/**
 * Events and commands between services: at least once, in order per ordering key, effects once, fair between tenants, on two drivers
 * (embedded: Postgres alone; kafka). Services see the port and nothing of the drivers.
 * Knows no service, no provider and no database models; kafkajs and graphile-worker stay behind this door.
 */
export * from './port.ts';
export { installBus, type InstallBusOptions } from './install/install-bus.ts';
export { createEventBus, type EventBusOptions } from './create-event-bus.ts';
