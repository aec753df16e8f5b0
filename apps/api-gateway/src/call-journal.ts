import { createHash } from 'node:crypto';
import { connectRedis, runScript, type RedisOptions } from './connect-redis.ts';

/** What was counted under one name of each batch: numbers by field. */
export type Counts = ReadonlyMap<string, number>;

/** Batches of counts that are not yet recorded, kept outside of the process that counts, so that others find what it leaves behind. */
export interface CallJournal {
  /**
   * Keeps these counts of a batch, which take the place of earlier ones: repeated it changes nothing. Without counts it says that somebody still has the
   * batch. Rejects when it cannot, also later.
   */
  keep(batchId: string, counts: Counts): Promise<void>;
  /** The batch was recorded. */
  forget(batchId: string): Promise<void>;
  /** Some of the batches that nobody has said a word of for `leftAfterMs`. */
  findLeft(): Promise<{ readonly batchId: string; readonly counts: Counts }[]>;
  /** How often it was connected: after each time it may have forgotten what it was told. 0 while it is not. */
  connection(): number;
  close(): void;
}

/** Counts in one step, so that Redis serves others in between. */
const stepMax = 1_000;
/** Batches in one answer of `findLeft`. */
const leftMax = 100;

const keepText = `
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
local time = redis.call('TIME')
redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
`;
const leftText = `
local time = redis.call('TIME')
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1], 'LIMIT', 0, ARGV[2])
`;
const [keepScript, leftScript] = [keepText, leftText].map((text) => ({ text, hash: createHash('sha1').update(text).digest('hex') })) as [Script, Script];
type Script = { readonly text: string; readonly hash: string };

type CallJournalOptions = RedisOptions & { readonly leftAfterMs: number; /** Of its keys. */ readonly prefix?: string };

/** In Redis: a hash for each batch, and their ids by when they were last spoken of, by Redis' own clock. */
export function createCallJournal({ leftAfterMs, prefix = 'switchboard:calls', ...options }: CallJournalOptions): CallJournal {
  const client = connectRedis(options);
  let connections = 0;
  client.on('ready', () => {
    connections++;
    // Before the first writing, which nobody waits for: asked for by a hash that Redis does not know, it would be sent a second time, and late.
    for (const { text } of [keepScript, leftScript]) client.scriptLoad(text).catch(() => undefined);
  });
  // In braces what Redis Cluster places by: both keys of a script lie on one node.
  const index = `{${prefix}}`;
  const keyOf = (batchId: string) => `{${prefix}}:${batchId}`;

  return {
    async keep(batchId, counts) {
      const fields = [...counts];
      const steps = [];
      do {
        const step = fields.splice(0, stepMax).flatMap(([field, count]) => [field, String(count)]);
        steps.push(runScript(client, keepScript, { keys: [keyOf(batchId), index], arguments: [batchId, ...step] }));
      } while (fields.length > 0);
      await Promise.all(steps);
    },
    async forget(batchId) {
      await client.multi().unlink(keyOf(batchId)).zRem(index, batchId).exec();
    },
    async findLeft() {
      const batchIds = (await runScript(client, leftScript, { keys: [index], arguments: [String(leftAfterMs), String(leftMax)] })) as string[]; // as Redis answers it
      return Promise.all(batchIds.map(async (batchId) => ({ batchId, counts: new Map(Object.entries(await client.hGetAll(keyOf(batchId))).map(([field, count]) => [field, Number(count)])) })));
    },
    connection: () => (client.isReady ? connections : 0),
    close: () => client.destroy(),
  };
}
