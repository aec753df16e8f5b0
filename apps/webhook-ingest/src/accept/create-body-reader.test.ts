import { describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { createBodyReader } from './create-body-reader.ts';

/** A request whose bytes come when the test says so. */
const request = () => Object.assign(new PassThrough(), { headers: {} }) as PassThrough & IncomingMessage; // as far as a body is read

const send = async (to: PassThrough, bytes: number) => {
  to.write(Buffer.alloc(bytes, 0x20));
  await turn();
};

describe('bodies of all connections', () => {
  it('take no more memory than the bound: the one that has been arriving longest gives way', async () => {
    const bodies = createBodyReader({ heldMaxBytes: 10_000 });
    const [slow, slower, prompt] = [request(), request(), request()];
    const reads = [slow, slower, prompt].map((each) => bodies.read(each, 8_000));
    await send(slow, 4_000);
    await send(slower, 4_000);
    await send(prompt, 4_000);
    prompt.end();
    expect((await reads[0])?.kind).toBe('no-room');
    expect(await reads[2]).toMatchObject({ kind: 'body', body: { length: 4_000 } });
    slower.end();
    expect((await reads[1])?.kind).toBe('body');
  });

  it('count until they are released, so that a newcomer is told to come again while they are worked on', async () => {
    const bodies = createBodyReader({ heldMaxBytes: 10_000 });
    const readWhole = async () => {
      const from = request();
      const reading = bodies.read(from, 8_000);
      await send(from, 7_000);
      from.end();
      return await reading;
    };
    const first = await readWhole();
    expect((await readWhole()).kind).toBe('no-room');
    if (first.kind === 'body') for (let time = 0; time < 2; time++) first.release();
    expect((await readWhole()).kind).toBe('body');
    expect((await readWhole()).kind).toBe('no-room');
  });

  it('count no more after their connection broke or they were too large', async () => {
    const bodies = createBodyReader({ heldMaxBytes: 10_000 });
    for (let time = 0; time < 5; time++) {
      const [broken, large] = [request(), request()];
      const reads = [bodies.read(broken, 8_000), bodies.read(large, 2_000)];
      await send(broken, 6_000);
      broken.destroy();
      await send(large, 1_500);
      await send(large, 1_500);
      expect((await Promise.all(reads)).map(({ kind }) => kind)).toEqual(['aborted', 'too-large']);
    }
  });

  it('count what single bytes cost, not what they weigh', async () => {
    const bodies = createBodyReader({ heldMaxBytes: 10_000 });
    const from = request();
    const reading = bodies.read(from, 8_000);
    for (let time = 0; time < 100; time++) await send(from, 1);
    from.end();
    expect((await reading).kind).toBe('no-room');
  });
});
