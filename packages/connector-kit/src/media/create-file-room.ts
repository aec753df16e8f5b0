import { hubError } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';

/** Keeps the files that are in memory at the same time within bounds. */
export interface FileRoom {
  /**
   * Waits until there is room for so many bytes, for the current tenant; the function returned gives it back. First come, first served, but
   * a tenant that has its share waits for itself alone. Throws `storage.unavailable` when there is none for too long: the event comes again.
   */
  take(bytes: number): Promise<() => void>;
}

export type FileRoomOptions = {
  readonly bytesMax: number;
  /** What one tenant may have of it; at least the largest file. */
  readonly tenantBytesMax: number;
  /** Longest wait: a handler that waits holds one of its tenant's places in the bus. */
  readonly waitMaxMs: number;
};

type Waiting = { readonly tenantId: string; readonly bytes: number; readonly enter: () => void };

export function createFileRoom({ bytesMax, tenantBytesMax, waitMaxMs }: FileRoomOptions): FileRoom {
  const waiting = new Set<Waiting>();
  const usedBy = new Map<string, number>();
  let used = 0;

  const add = (tenantId: string, bytes: number) => {
    used += bytes;
    const own = (usedBy.get(tenantId) ?? 0) + bytes;
    if (own === 0) usedBy.delete(tenantId);
    else usedBy.set(tenantId, own);
  };

  const letIn = () => {
    for (const one of waiting) {
      if ((usedBy.get(one.tenantId) ?? 0) + one.bytes > tenantBytesMax) continue;
      // Nobody overtakes a large file, else it would wait for ever.
      if (used + one.bytes > bytesMax) return;
      waiting.delete(one);
      add(one.tenantId, one.bytes);
      one.enter();
    }
  };

  const leave = (tenantId: string, bytes: number) => {
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      add(tenantId, -bytes);
      letIn();
    };
  };

  return {
    take(bytes) {
      const tenantId = currentTenant();
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(one);
          letIn();
          reject(hubError('storage.unavailable', { publicMessage: 'Many files are under way; this one is tried again.', retry: { afterMs: 5_000, counted: false } }));
        }, waitMaxMs);
        const enter = () => {
          clearTimeout(timer);
          resolve(leave(tenantId, bytes));
        };
        const one: Waiting = { tenantId, bytes, enter };
        waiting.add(one);
        letIn();
      });
    },
  };
}
