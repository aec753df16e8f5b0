/**
 * What tests stand on: real Postgres, Kafka and Redis (one of each for all files), tenants, fixtures. A dev dependency only.
 */
export {};
