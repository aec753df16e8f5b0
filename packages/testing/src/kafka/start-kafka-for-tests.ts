import { readFile, rm, writeFile } from 'node:fs/promises';
import { startKafka } from './start-kafka.ts';
import { isAlive, withFileLock } from './with-file-lock.ts';

/**
 * The one broker all test files share, started by the first that asks: a run without Kafka tests does not pay for it. It outlives the
 * asking process (Jest's workers come and go); `stopKafkaForTests` with the same folder ends it.
 * @param directory belongs to this test run alone.
 */
export async function startKafkaForTests(directory: string): Promise<{ readonly brokers: string }> {
  return withFileLock(`${directory}/kafka.lock`, async () => {
    const running = await readAddress(directory);
    if (running !== undefined && isAlive(running.pid)) return { brokers: running.brokers };
    const { brokers, pid } = await startKafka({ directory: `${directory}/kafka`, detached: true, brief: true });
    await writeFile(`${directory}/kafka.json`, JSON.stringify({ brokers, pid }));
    return { brokers };
  });
}

/** For Jest's globalSetup teardown. Nothing to do when no test asked for the broker. */
export async function stopKafkaForTests(directory: string): Promise<void> {
  const running = await readAddress(directory);
  // The records of a test run are worth nothing: no orderly shutdown.
  if (running !== undefined && isAlive(running.pid)) process.kill(running.pid, 'SIGKILL');
  await rm(`${directory}/kafka`, { recursive: true, force: true, maxRetries: 5 });
  await rm(`${directory}/kafka.json`, { force: true });
}

async function readAddress(directory: string): Promise<{ brokers: string; pid: number } | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(`${directory}/kafka.json`, 'utf8'));
    if (typeof value !== 'object' || value === null || !('brokers' in value) || !('pid' in value)) return undefined;
    return { brokers: String(value.brokers), pid: Number(value.pid) };
  } catch {
    return undefined;
  }
}
