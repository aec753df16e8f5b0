/**
 * What tests stand on: real Postgres, Kafka and Redis (one of each for all files of a run), tenants, fixtures. A dev dependency only:
 * nothing that runs in production may import it.
 */
export { openSilentNetwork, type SilentNetwork } from './open-silent-network.ts';
export { hasTestKafka, testKafka } from './servers/kafka-for-tests.ts';
export { testRedis } from './servers/redis-for-tests.ts';
export { startTestDatabase, testRolePassword, type TestDatabase } from './start-test-database.ts';
export { testTenants } from './test-tenants.ts';
