import type { IncomingMessage } from 'node:http';

export type ReadBody =
  /** `release` must be called when the bytes are no longer needed. */
  | { readonly kind: 'body'; readonly body: Buffer; readonly release: () => void }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'no-room' }
  | { readonly kind: 'aborted' };

export interface BodyReader {
  /** The bytes of a request as they came. Stops at `maxBytes`, stated or real; what is left is not read. */
  read(request: IncomingMessage, maxBytes: number): Promise<ReadBody>;
}

/** Bytes that a chunk costs beside its own: a stranger may send them one byte long. */
const chunkCost = 512;

/**
 * Reads bodies of which no more than `heldMaxBytes` are in memory over all connections, from the first byte until `release`: strangers may
 * open any number of connections. When more comes, the body that has been arriving longest is given up (`no-room`): a provider sends
 * its own within a second, and who sends slowly on purpose must not keep it out.
 */
export function createBodyReader(options: { readonly heldMaxBytes: number }): BodyReader {
  let held = 0;
  const arriving = new Set<() => void>();

  return {
    read(request, maxBytes) {
      return new Promise((resolve) => {
        if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
          resolve({ kind: 'too-large' });
          return;
        }
        let chunks: Buffer[] = [];
        let length = 0;
        let cost = 0;
        const giveUp = (kind: 'too-large' | 'no-room' | 'aborted') => {
          if (!arriving.delete(giveWay)) return;
          held -= cost;
          chunks = [];
          request.pause();
          resolve({ kind });
        };
        const giveWay = () => giveUp('no-room');
        arriving.add(giveWay);
        request.on('data', (chunk: Buffer) => {
          if (!arriving.has(giveWay)) return;
          length += chunk.length;
          if (length > maxBytes) return giveUp('too-large');
          chunks.push(chunk);
          cost += chunk.length + chunkCost;
          held += chunk.length + chunkCost;
          for (const longest of arriving) {
            if (held <= options.heldMaxBytes) break;
            longest();
          }
        });
        request.on('end', () => {
          if (!arriving.delete(giveWay)) return;
          // Most webhooks are one chunk, which then needs no copy.
          const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
          chunks = [];
          const release = () => {
            held -= cost;
            cost = 0;
          };
          resolve({ kind: 'body', body, release });
        });
        request.on('error', () => giveUp('aborted'));
        request.on('close', () => giveUp('aborted'));
      });
    },
  };
}
