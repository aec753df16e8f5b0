import { kafkaMissing, startKafkaForTests } from '../kafka/index.ts';
import { isMandatory, testDirectory } from './test-directory.ts';

const hereVariable = 'SWITCHBOARD_TEST_KAFKA';

/** Looks whether a broker can be started here; does not start it, because that takes seconds and most files need none. */
export async function findKafkaForTests(): Promise<void> {
  const missing = await kafkaMissing();
  if (missing === undefined) {
    process.env[hereVariable] = 'true';
    return;
  }
  if (isMandatory()) throw new Error(`CI=true wants the Kafka tests, and ${missing} is not installed.`);
  console.warn(`\n*** SKIPPED: the tests that need Kafka, because ${missing} is not installed. ***\n`);
}

/** Whether this run has Kafka: `(hasTestKafka() ? describe : describe.skip)(…)`. In CI it always has. */
export function hasTestKafka(): boolean {
  return process.env[hereVariable] === 'true';
}

/** The run's one broker, started by the first file that asks: call it in `beforeAll` with a timeout of a minute. */
export function testKafka(): Promise<{ readonly brokers: string }> {
  return startKafkaForTests(testDirectory());
}
