import type { Database } from '@switchboard/db';
import type { CallRoute, Egress } from '@switchboard/service-kit';
import type { PrismaClient } from '../../src/store/generated/client.ts';

export type Mortal = {
  readonly db: Database<PrismaClient>;
  readonly egress: Egress;
  readonly callRoute: CallRoute;
  /** Dies at the n-th call from now on, before it is made or when it was made and nobody has heard of it. */
  dieAt(call: number, when: 'before' | 'after'): void;
  isDead(): boolean;
};

const never = <T>(): Promise<T> => new Promise(() => undefined);

/** What a process reaches the world by, which ends as kill -9 ends it: nothing that it does afterwards happens, and it hears of nothing. */
export function createMortal(world: Pick<Mortal, 'db' | 'egress' | 'callRoute'>): Mortal {
  let calls = 0;
  let death: { readonly at: number; readonly when: 'before' | 'after' } | undefined;
  let dead = false;

  async function live<T>(act: () => Promise<T>, isCall: boolean): Promise<T> {
    if (dead) return never();
    const isLast = isCall && ++calls === death?.at;
    if (isLast && death?.when === 'before') {
      dead = true;
      return never();
    }
    const done = act();
    if (isLast) dead = true;
    const settled = await done.then((value) => ({ value }), (error: unknown) => ({ error }));
    if (dead) return never();
    if ('error' in settled) throw settled.error;
    return settled.value;
  }

  return {
    db: new Proxy(world.db, {
      get: (db, name: keyof Database<PrismaClient>) => (name === 'transaction' ? <T>(fn: () => Promise<T>) => live(() => db.transaction(fn), false) : db[name]),
    }),
    egress: { ...world.egress, request: (request) => live(() => world.egress.request(request), true) },
    callRoute: (service, contract, input) => live(() => world.callRoute(service, contract, input), true),
    dieAt(call, when) {
      death = { at: calls + call, when };
    },
    isDead: () => dead,
  };
}
