import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchTenant } from './onboard.ts';
import { callJson, type Providers } from './providers.ts';

/** `in`: a contact's message at Genesys. `back`: an agent's message at Meta. */
export type Direction = 'in' | 'back';

/** When each text arrived at the other provider, first and again. Milliseconds since 1970. */
export type Arrivals = ReadonlyMap<string, readonly number[]>;

type Received = { readonly at: string; readonly body: { readonly text?: string | { readonly body?: string } } };

/** Waits until all of `texts` have arrived at least once, or for as long as `patienceMs`; then a moment longer, for what comes twice. */
export async function collectArrivals(providers: Providers, tenants: readonly BenchTenant[], direction: Direction, texts: readonly string[], patienceMs: number): Promise<Arrivals> {
  const until = Date.now() + patienceMs;
  for (;;) {
    await sleep(500);
    const arrivals = await readArrivals(providers, tenants, direction);
    if (texts.every((text) => arrivals.has(text)) || Date.now() >= until) {
      await sleep(500);
      return readArrivals(providers, tenants, direction);
    }
  }
}

async function readArrivals({ url }: Providers, tenants: readonly BenchTenant[], direction: Direction): Promise<Arrivals> {
  const arrivals = new Map<string, number[]>();
  for (const { integrationId, phoneNumberId } of tenants) {
    const { data } = await callJson<{ data: Received[] }>('GET', direction === 'in' ? `${url}/sandbox/genesys/${integrationId}/received` : `${url}/sandbox/whatsapp/${phoneNumberId}/sent`);
    for (const { at, body } of data) {
      const text = typeof body.text === 'string' ? body.text : body.text?.body;
      if (text !== undefined) arrivals.set(text, [...(arrivals.get(text) ?? []), Date.parse(at)]);
    }
  }
  return arrivals;
}
