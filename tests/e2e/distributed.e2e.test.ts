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
  // The run has said loudly why; in CI it fails instead.
  describe.skip('npm run services', () => {
    it('carries the same suite over Kafka', () => undefined);
  });
}
