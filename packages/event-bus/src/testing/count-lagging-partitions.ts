import { Kafka, logLevel } from 'kafkajs';

/** How many partitions hold records that the group would get again if its processes were killed now: more than it has committed. */
export async function countLaggingPartitions(brokers: readonly string[], prefix: string, group: string): Promise<number> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    const committed = await admin.fetchOffsets({ groupId: `${prefix}${group}`, topics });
    const lagging = await Promise.all(
      committed.map(async ({ topic, partitions }) => {
        const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]));
        // -1: nothing committed yet.
        return partitions.filter(({ partition, offset }) => Math.max(Number(offset), ends.get(partition)?.low ?? 0) < (ends.get(partition)?.high ?? 0)).length;
      }),
    );
    return lagging.reduce((sum, count) => sum + count, 0);
  } finally {
    await admin.disconnect();
  }
}
