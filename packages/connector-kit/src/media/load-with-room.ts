import { isHubError } from '@switchboard/contracts';
import type { FileRoom } from './create-file-room.ts';

/** Bytes of one file, in or out: the most that a provider takes (WhatsApp documents). */
export const mediaBytesMax = 100 * 1024 * 1024;

/** Bytes of most files: pictures, voice messages, and the most that WhatsApp takes of video. */
const smallFileBytes = 16 * 1024 * 1024;

/**
 * Loads a file with room for it. Few files say their size before they come: room for a small one is taken first, room for the largest only
 * when `load` throws `media.too_large`. The caller gives the room back when it has done with the bytes.
 */
export async function loadWithRoom<T>(room: FileRoom, size: number | undefined, load: (bytesMax: number) => Promise<T>): Promise<{ readonly value: T; readonly release: () => void }> {
  if ((size ?? 0) > smallFileBytes) return loadInto(room, mediaBytesMax, load);
  try {
    return await loadInto(room, smallFileBytes, load);
  } catch (error) {
    if (!isHubError(error) || error.code !== 'media.too_large') throw error;
    return loadInto(room, mediaBytesMax, load);
  }
}

async function loadInto<T>(room: FileRoom, bytesMax: number, load: (bytesMax: number) => Promise<T>): Promise<{ readonly value: T; readonly release: () => void }> {
  const release = await room.take(bytesMax);
  try {
    return { value: await load(bytesMax), release };
  } catch (error) {
    release();
    throw error;
  }
}
