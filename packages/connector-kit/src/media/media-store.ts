/**
 * Files of the current tenant by content: the key is the SHA-256 of the bytes in hex, so storing twice stores once. Another tenant's
 * file is a missing file.
 */
export interface MediaStore {
  store(bytes: Buffer): Promise<string>;
  /** Throws `media.not_found`; `media.too_large`, before it is read, when it has more than `bytesMax`. */
  load(mediaKey: string, bytesMax?: number): Promise<Buffer>;
  /** Deletes every file of the current tenant; returns how many there were. */
  eraseAll(): Promise<number>;
}

export const mediaKeyPattern = /^[0-9a-f]{64}$/;
