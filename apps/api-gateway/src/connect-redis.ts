import { createClient } from 'redis';

export type RedisOptions = { readonly url: string; readonly onError: (error: NodeJS.ErrnoException) => void };

/** A client that never waits for Redis to come up: what cannot be asked now rejects. It keeps trying to connect. */
export function connectRedis({ url, onError }: RedisOptions) {
  const client = createClient({ url, disableOfflineQueue: true, socket: { connectTimeout: 1_000, reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, 2_000) } });
  client.on('error', onError);
  void client.connect().catch(() => undefined); // reported by the listener above
  return client;
}
type RedisClient = ReturnType<typeof connectRedis>;

/** Runs a script by its hash, and by its text where Redis does not know it yet: one that was started anew. */
export async function runScript(client: RedisClient, { text, hash }: { readonly text: string; readonly hash: string }, call: { keys: string[]; arguments: string[] }): Promise<unknown> {
  try {
    return await client.evalSha(hash, call);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return client.eval(text, call);
  }
}
