import type { ConnectionWithSecrets } from '@switchboard/contracts';
import { isV12 } from '../../account.ts';
import type { PushKnowledge } from './knowledge-target.ts';
import { pushToCloud } from './push-to-cloud.ts';
import { pushToV12 } from './push-to-v12.ts';

export type Target = { readonly kind: 'push'; readonly push: PushKnowledge } | { readonly kind: 'nowhere'; readonly reason: string };

/** Pure: where a connection's knowledge is kept, or why nowhere. */
export function chooseTarget(connection: ConnectionWithSecrets | undefined): Target {
  if (connection === undefined) return nowhere('No Botpress connection is active.');
  const { settings, credentials } = connection;
  // Its own knowledge base would be everybody's (contract, 2.9).
  if (settings['mode'] === 'shared') return nowhere('The bot is shared with other tenants.');
  if (isV12(connection)) return { kind: 'push', push: pushToV12 };
  if (credentials['accessToken'] === undefined) return nowhere('The connection has no accessToken.');
  if (settings['botId'] === undefined) return nowhere('The connection has no botId.');
  return { kind: 'push', push: pushToCloud };
}

function nowhere(why: string): Target {
  return { kind: 'nowhere', reason: `${why} The knowledge goes with each turn of a conversation instead.` };
}
