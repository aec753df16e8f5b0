import { hubError, isHubError } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mediaKeyPattern, type MediaStore } from './media-store.ts';

/** Files under `<directory>/<tenant>/<first two of the key>/<key>`. Tenant ids and keys are of alphabets that cannot leave the directory. */
export function createLocalMediaStore(directory: string): MediaStore {
  const pathOf = (mediaKey: string) => join(directory, currentTenant(), mediaKey.slice(0, 2), mediaKey);

  return {
    async store(bytes) {
      const mediaKey = createHash('sha256').update(bytes).digest('hex');
      const path = pathOf(mediaKey);
      if (!(await exists(path))) await writeAtomically(path, bytes);
      return mediaKey;
    },
    async load(mediaKey, bytesMax = Number.POSITIVE_INFINITY) {
      if (!mediaKeyPattern.test(mediaKey)) throw hubError('media.not_found');
      try {
        return await readAtMost(pathOf(mediaKey), bytesMax);
      } catch (cause) {
        if (isHubError(cause)) throw cause;
        if (isMissing(cause)) throw hubError('media.not_found', { cause });
        throw hubError('storage.unavailable', { cause });
      }
    },
    async eraseAll() {
      const own = join(directory, currentTenant());
      try {
        const entries = await readdir(own, { recursive: true, withFileTypes: true });
        // Connectors share the folder and may erase it at once: each counts what it was the one to delete.
        const deleted = await Promise.all(entries.filter((entry) => entry.isFile()).map((entry) => isDeleted(join(entry.parentPath, entry.name))));
        await rm(own, { recursive: true, force: true });
        return deleted.filter(Boolean).length;
      } catch (cause) {
        if (isMissing(cause)) return 0;
        throw hubError('storage.unavailable', { cause });
      }
    },
  };
}

/** A reader sees the whole file or none: written beside it under a name of its own, flushed, then renamed. */
async function writeAtomically(path: string, bytes: Buffer): Promise<void> {
  const unfinished = `${path}.${randomUUID()}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(unfinished, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw hubError('storage.unavailable', { publicMessage: 'The file could not be stored.', cause });
  }
}

async function readAtMost(path: string, bytesMax: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > bytesMax) throw hubError('media.too_large', { detail: { size, bytesMax } });
    return await file.readFile();
  } finally {
    await file.close();
  }
}

async function isDeleted(path: string): Promise<boolean> {
  return unlink(path).then(
    () => true,
    (cause: unknown) => {
      if (isMissing(cause)) return false;
      throw cause;
    },
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
