import { describe, expect, it } from '@jest/globals';
import { systemScope } from './port.ts';
import { createMemoryStore } from './memory-store.ts';

const put = (store: ReturnType<typeof createMemoryStore>, key: string, value: string) => store.put({ scope: systemScope, key, value, keptForMs: 1_000, mark: store.mark() });
const weighed = (bytesMax: number) => createMemoryStore({ entriesMax: 100, weight: { bytesMax, bytesOf: (value) => String(value).length } });

describe('values that are weighed', () => {
  it('are together never heavier than they may be: the oldest make room', () => {
    const store = weighed(10);
    for (const [key, value] of [['a', 'aaaa'], ['b', 'bbbb'], ['c', 'cccccc']] as const) put(store, key, value);
    expect(['a', 'b', 'c'].map((key) => store.get(systemScope, key))).toEqual([undefined, 'bbbb', 'cccccc']);
    expect(store.bytes).toBe(10);
  });

  it('are not kept where one is heavier than all may be, and push no other out', () => {
    const store = weighed(10);
    put(store, 'a', 'aaaa');
    put(store, 'b', 'b'.repeat(11));
    expect([store.get(systemScope, 'a'), store.get(systemScope, 'b')]).toEqual(['aaaa', undefined]);
  });

  it('weigh nothing any more when they are replaced or forgotten', () => {
    const store = weighed(10);
    put(store, 'a', 'aaaaaaaa');
    put(store, 'a', 'aa');
    put(store, 'b', 'bbb');
    expect(store.bytes).toBe(5);
    store.forget(systemScope, 'b');
    expect(store.bytes).toBe(2);
    store.forgetAll(systemScope);
    expect(store.bytes).toBe(0);
  });
});
