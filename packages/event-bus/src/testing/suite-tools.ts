import type { Envelope, TenantId } from '@switchboard/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumerContext, EffectKind, Subscription } from '../port.ts';
import { noteOf, type BusUnderTest, type Effect, type OpenBus, type openBus } from './bus-under-test.ts';

/** What the parts of the suite share. */
export type SuiteTools = {
  readonly subject: () => BusUnderTest;
  readonly tenants: readonly [TenantId, TenantId];
  /** Opened buses are closed after the test. */
  readonly open: (options?: Parameters<typeof openBus>[1]) => OpenBus;
  readonly newRun: () => string;
};

export type Handler = (event: Envelope, context: ConsumerContext) => Promise<void>;

/** Subscribes a handler to this run's events alone: topics outlive tests. */
export function listen({ bus }: OpenBus, run: string, effect: EffectKind, handle: Handler, giveUp?: Subscription['giveUp']): void {
  bus.subscribe({
    type: 'conversation.changed',
    group: `group-${run}`,
    effect,
    handle: async (event, context) => {
      if (noteOf(event).run === run) await handle(event, context);
    },
    giveUp,
  });
}

/** Waits until `ready` holds; fails with what it saw last. */
export async function eventually<T>(load: () => Promise<T> | T, ready: (value: T) => boolean, withinMs = 20_000): Promise<T> {
  const until = Date.now() + withinMs;
  for (;;) {
    const value = await load();
    if (ready(value)) return value;
    if (Date.now() > until) throw new Error(`not within ${withinMs} ms; last seen: ${JSON.stringify(value).slice(0, 2_000)}`);
    await sleep(20);
  }
}

/** Numbers by tenant and key, in the order of their effects. */
export function sequences(effects: readonly Pick<Effect, 'tenant_id' | 'key' | 'n'>[]): Record<string, number[]> {
  const byKey: Record<string, number[]> = {};
  for (const { tenant_id, key, n } of effects) (byKey[`${tenant_id}/${key}`] ??= []).push(n);
  return byKey;
}

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
