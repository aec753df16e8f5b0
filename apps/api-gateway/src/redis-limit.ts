import { createHash } from 'node:crypto';
import { connectRedis, runScript, type RedisOptions } from './connect-redis.ts';
import type { CountedBucket } from './limit-store.ts';

/** What was decided about one request; see domain/decide-limit.ts. */
export type Counted = { readonly isAccepted: boolean; readonly remaining: number; readonly resetMs: number };

export interface RedisLimit {
  /** One request against all its buckets, in one step. Rejects when Redis does not answer; the caller bounds the wait. */
  count(buckets: readonly CountedBucket[], now: number | undefined): Promise<Counted>;
  /** False until it is connected, and while it is not. */
  isReady(): boolean;
  close(): void;
}

/** domain/decide-limit.ts in Lua: one atomic step for all gateways. ARGV: milliseconds now, or empty for Redis' own clock; then interval and window of each key. */
const text = `
local now = tonumber(ARGV[1])
if now == nil then
  local time = redis.call('TIME')
  now = time[1] * 1000 + time[2] / 1000
end
local tolerance = 1e-6
local buckets = {}
local refusing = false
local remaining, reset = math.huge, 0
for i = 1, #KEYS do
  local interval, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local kept = redis.call('HMGET', KEYS[i], 'began', 'used', 'refused', 'interval')
  local began, used, refused = tonumber(kept[1]), tonumber(kept[2]), tonumber(kept[3]) or 0
  if began == nil or used == nil or now >= math.max(began, refused) + window or began > now + window then
    began, used = now, 0
  elseif tonumber(kept[4]) ~= interval then
    if now - began >= window then
      began, used = now, 0
    else
      used = used / tonumber(kept[4]) * interval
    end
  end
  local isRefusing = used + interval > math.max(window, now - began) + interval * tolerance
  buckets[i] = { interval = interval, window = window, began = began, used = used, refused = refused, isRefusing = isRefusing }
  refusing = refusing or isRefusing
end
for i = 1, #KEYS do
  local b = buckets[i]
  if refusing then
    if b.isRefusing then
      b.refused = now
      reset = math.max(reset, math.min(b.began + b.used + b.interval - now, b.window))
    end
    remaining = 0
  else
    b.used = b.used + b.interval
    remaining = math.min(remaining, math.floor((math.max(b.window, now - b.began) - b.used) / b.interval + tolerance))
    reset = math.max(reset, b.began + math.max(b.window, b.used) - now)
  end
  if not refusing or b.isRefusing then
    redis.call('HSET', KEYS[i], 'began', string.format('%.17g', b.began), 'used', string.format('%.17g', b.used), 'refused', string.format('%.17g', b.refused), 'interval', ARGV[2 * i])
    redis.call('PEXPIRE', KEYS[i], math.ceil(math.max(b.began, b.refused) + b.window - now) + 1000)
  end
end
return { refusing and 0 or 1, remaining, math.ceil(reset) }
`;
const script = { text, hash: createHash('sha1').update(text).digest('hex') };

/** Never waits for Redis to come up: what cannot be asked now rejects. */
export function createRedisLimit(options: RedisOptions): RedisLimit {
  const client = connectRedis(options);
  return {
    async count(buckets, now) {
      const call = {
        keys: buckets.map(({ id }) => `switchboard:limit:${id}`),
        arguments: [now === undefined ? '' : String(now), ...buckets.flatMap(({ rate }) => [String(rate.intervalMs), String(rate.windowMs)])],
      };
      const [isAccepted, remaining, resetMs] = (await runScript(client, script, call)) as [number, number, number]; // as the script returns them
      return { isAccepted: isAccepted === 1, remaining, resetMs };
    },
    isReady: () => client.isReady,
    close: () => client.destroy(),
  };
}
