import type { ProviderId } from '@switchboard/contracts';
import type { ProviderEntry } from '../provider.ts';
import { botpress } from './botpress.ts';
import { chatwoot } from './chatwoot.ts';
import { genesys } from './genesys.ts';
import { twilio } from './twilio.ts';
import { whatsapp } from './whatsapp.ts';

/** Every provider the hub can be connected to. A new one is one entry here and one connector. */
export const providers = { whatsapp, genesys, chatwoot, botpress, twilio } as const satisfies Record<ProviderId, ProviderEntry>;

const entries: readonly ProviderEntry[] = Object.values(providers);

export function findProvider(id: string): ProviderEntry | undefined {
  return entries.find((entry) => entry.id === id);
}

/** The provider whose credentials form the API calls `type` (`meta`, `genesys`). */
export function providerOfCredentialType(type: string): ProviderEntry | undefined {
  return entries.find((entry) => entry.credentialType === type);
}
