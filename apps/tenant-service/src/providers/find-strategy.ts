import type { ProviderId } from '@switchboard/contracts';
import { botpress } from './botpress.ts';
import { chatwoot } from './chatwoot.ts';
import type { ConnectStrategy } from './connect-strategy.ts';
import { genesys } from './genesys.ts';
import { twilio } from './twilio.ts';
import { whatsapp } from './whatsapp.ts';

const strategies: Readonly<Partial<Record<ProviderId, ConnectStrategy>>> = { whatsapp, genesys, chatwoot, botpress, twilio };

/** How this provider is connected; undefined where the hub cannot connect it yet. */
export function findStrategy(provider: ProviderId): ConnectStrategy | undefined {
  return strategies[provider];
}
