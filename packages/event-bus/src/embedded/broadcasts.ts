import type { Pool } from 'pg';
import type { BusSchema } from '../bus-schema.ts';
import type { ConsumeEvent } from '../consume-event.ts';
import type { BusLog } from '../port.ts';

export type BroadcastListener = { readonly groups: readonly string[]; readonly consume: ConsumeEvent };

/** Hands each broadcast, named by its id in a notification, to every listener of this process: at once, unordered, never twice, never again. */
export function createBroadcasts(pool: Pool, { name }: BusSchema, log: BusLog): Broadcasts {
  const listeners = new Set<BroadcastListener>();

  async function deliver(id: string): Promise<void> {
    const { rows } = await pool.query<{ envelope: unknown }>(`select envelope from ${name}.broadcasts where id = $1`, [id]);
    const envelope = rows[0]?.envelope;
    if (envelope === undefined) return;
    const { signal } = new AbortController();
    await Promise.all([...listeners].flatMap(({ groups, consume }) => groups.map((group) => consume({ group, envelope, attempt: 1, since: Date.now(), signal }))));
  }

  return {
    listeners,
    onNotification: (id) => {
      deliver(id).catch((error: unknown) => log.warn({ err: error, broadcast: id }, 'a broadcast was missed'));
    },
  };
}

export interface Broadcasts {
  readonly listeners: Set<BroadcastListener>;
  onNotification(id: string): void;
}
