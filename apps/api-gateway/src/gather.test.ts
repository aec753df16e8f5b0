import { describe, expect, it } from '@jest/globals';
import { createGather } from './gather.ts';

/** A gather whose calls are answered by the test; each answer is the question in capitals. */
function world({ questionsMax = 3, patienceMs = 10_000 } = {}) {
  const calls: { readonly questions: readonly string[]; readonly answer: () => void; readonly fail: (error: Error) => void }[] = [];
  const ask = createGather({
    questionsMax,
    patienceMs,
    ask: (questions: readonly string[]) =>
      new Promise<readonly string[]>((resolve, reject) => {
        calls.push({ questions, answer: () => resolve(questions.map((question) => question.toUpperCase())), fail: reject });
      }),
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 1));
  return { ask, calls, settle, asked: () => calls.map(({ questions }) => questions) };
}

describe('gathered questions', () => {
  it('are asked at once when nothing is under way, else together, no more than fit, each with its own answer', async () => {
    const { ask, calls, settle, asked } = world();
    const answers = Promise.all(['a', 'b', 'c', 'd', 'e'].map(ask));
    expect(asked()).toEqual([['a']]);
    for (let i = 0; i < 3; i++) {
      calls[i]?.answer();
      await settle();
    }
    expect(asked()).toEqual([['a'], ['b', 'c', 'd'], ['e']]);
    expect(await answers).toEqual(['A', 'B', 'C', 'D', 'E']);
    void ask('f');
    expect(asked().at(-1)).toEqual(['f']);
  });

  it('fail together with their call, and the next are asked', async () => {
    const { ask, calls, settle, asked } = world();
    const [a, b] = [ask('a'), ask('b')];
    calls[0]?.fail(new Error('away'));
    await expect(a).rejects.toThrow('away');
    await settle();
    expect(asked()).toEqual([['a'], ['b']]);
    calls[1]?.answer();
    expect(await b).toBe('B');
  });

  it('do not wait for a call that hangs', async () => {
    const { ask, calls, asked, settle } = world({ patienceMs: 5 });
    const a = ask('a');
    const b = ask('b');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(asked()).toEqual([['a'], ['b']]);
    calls[1]?.answer();
    expect(await b).toBe('B');
    // The late one ends nobody's turn but its own.
    void ask('c');
    void ask('d').catch(() => undefined);
    calls[0]?.answer();
    expect(await a).toBe('A');
    await settle();
    expect(asked().slice(2)).toEqual([['c']]);
  });

  it('are not answered by a call that has fewer answers', async () => {
    const ask = createGather({ questionsMax: 3, patienceMs: 10_000, ask: async () => [] });
    await expect(ask('a')).rejects.toThrow('0 answers to 1 questions');
  });
});
