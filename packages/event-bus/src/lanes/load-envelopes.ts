import type { PendingStore } from './pending-store.ts';

export type EnvelopeHolder = { readonly id: number; readonly tenantId: string; envelope?: unknown; loading?: Promise<void> };

/** Envelopes of a deep backlog stay in the database until they are near; loading this many at once makes the extra query cheap. */
const aheadMax = 100;

/** Loads the envelopes that were left in the database, some ahead. */
export function createEnvelopeLoader(store: Pick<PendingStore, 'loadEnvelopes'>): EnvelopeLoader {
  /** By tenant, in the order they arrived. */
  const absent = new Map<string, Set<EnvelopeHolder>>();

  async function loadAhead(first: EnvelopeHolder): Promise<void> {
    const batch = [first];
    for (const holder of absent.get(first.tenantId) ?? []) {
      if (batch.length >= aheadMax) break;
      if (holder !== first && holder.loading === undefined) batch.push(holder);
    }
    const settled = loadInto(batch);
    for (const holder of batch) holder.loading = settled;
    try {
      await settled;
    } finally {
      for (const holder of batch) holder.loading = undefined;
    }
  }

  async function loadInto(batch: readonly EnvelopeHolder[]): Promise<void> {
    const envelopes = await store.loadEnvelopes(batch.map(({ id }) => id));
    for (const holder of batch) {
      holder.envelope = envelopes.get(holder.id);
      forget(holder);
    }
  }

  function forget(holder: EnvelopeHolder): void {
    const ofTenant = absent.get(holder.tenantId);
    ofTenant?.delete(holder);
    if (ofTenant?.size === 0) absent.delete(holder.tenantId);
  }

  return {
    expect(holder) {
      let ofTenant = absent.get(holder.tenantId);
      if (ofTenant === undefined) absent.set(holder.tenantId, (ofTenant = new Set()));
      ofTenant.add(holder);
    },
    async envelopeOf(holder) {
      if (holder.envelope === undefined) await (holder.loading ?? loadAhead(holder));
      return holder.envelope;
    },
    clear: () => absent.clear(),
  };
}

export interface EnvelopeLoader {
  /** This holder came without its envelope. */
  expect(holder: EnvelopeHolder): void;
  /** Undefined: the row is gone. */
  envelopeOf(holder: EnvelopeHolder): Promise<unknown>;
  clear(): void;
}
