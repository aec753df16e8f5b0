import { describe, it } from '@jest/globals';
import { hasTestKafka, startTestDatabase, testKafka, testRedis } from '@switchboard/testing';
import { describeHub } from './src/describe-hub.ts';

if (hasTestKafka()) {
  describeHub('npm run services', {
    script: 'services',
    environment: async () => {
      const [database, kafka, redis] = await Promise.all([startTestDatabase(), testKafka(), testRedis()]);
      return { DATABASE_ADMIN_URL: database.adminUrl, KAFKA_BROKERS: kafka.brokers, ...(redis === undefined ? {} : { REDIS_URL: redis.url }) };
    },
  });
} else {
  // testing has said loudly why; Jest wants a test in every file.
  describe('npm run services', () => {
    it.todo('needs Java and Maven for Kafka');
  });
}
