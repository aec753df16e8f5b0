import { hubError } from '@switchboard/contracts';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** None, the whole, or what comes in pieces. */
export type Body = null | Buffer | Readable;

/** Bytes. The services have tighter limits of their own by route. */
const bodyMaxBytes = 2 * 1024 * 1024;
/** Bytes. Bodies up to here are read whole before a connection to the service is taken, so that a slow sender holds none; the text of a message fits. */
const gatheredMaxBytes = 64 * 1024;

/**
 * The body of a request, whole when it is small. Undefined when the caller broke it off. Throws `request.too_large`; so does the stream of a
 * body whose length was not said, where it turns out too long.
 */
export function readBody(request: IncomingMessage): Body | Promise<Body | undefined> {
  const { 'content-length': said, 'transfer-encoding': encoding } = request.headers;
  if (encoding !== undefined) return gather(request);
  const length = Number(said ?? 0);
  if (length === 0) return null;
  if (length > bodyMaxBytes) throw tooLarge();
  return length <= gatheredMaxBytes ? gather(request) : request;
}

async function gather(request: IncomingMessage): Promise<Body | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  const isAll = await new Promise<boolean>((resolve) => {
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= gatheredMaxBytes) return;
      // The rest is streamed, at the pace of the service.
      request.pause();
      request.off('data', take);
      resolve(false);
    };
    request.on('data', take);
    request.once('end', () => resolve(true)).once('close', () => resolve(true));
    // Said by `complete` below; without a listener it would end the process.
    request.once('error', () => undefined);
  });
  if (!isAll) return Readable.from(rest(request, chunks), { objectMode: false });
  return request.complete ? Buffer.concat(chunks) : undefined;
}

async function* rest(request: IncomingMessage, chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  let length = 0;
  for (const chunk of chunks) {
    length += chunk.length;
    yield chunk;
  }
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bodyMaxBytes) throw tooLarge();
    yield chunk;
  }
}

function tooLarge() {
  return hubError('request.too_large', { publicMessage: `Send a body of at most ${bodyMaxBytes} bytes.` });
}
