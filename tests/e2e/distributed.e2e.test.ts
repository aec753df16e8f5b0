import { describe } from '@jest/globals';
import { hasTestKafka, startTestDatabase, testKafka, testRedis } from '@switchboard/testing';
import { describeHub } from './src/describe-hub.ts';

// Without Kafka the run has said loudly that this is skipped, and counts it; in CI it fails instead.
const describeWithKafka = hasTestKafka() ? describe : describe.skip;

describeWithKafka('the distributed mode', () => {
  describeHub('npm run services', {
    script: 'services',
    environment: async () => {
      const [database, kafka, redis] = await Promise.all([startTestDatabase(), testKafka(), testRedis()]);
      return { CHATWOOT_MOVE_QUIET_SECONDS: '3', TWILIO_TRANSCRIPT_WAIT_SECONDS: '3', DATABASE_ADMIN_URL: database.adminUrl, KAFKA_BROKERS: kafka.brokers, ...(redis === undefined ? {} : { REDIS_URL: redis.url }) };
    },
  });
});
