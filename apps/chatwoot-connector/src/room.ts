import { hubError, type ConnectionWithSecrets } from '@switchboard/contracts';
import { serverOf } from '@switchboard/providers';
import type { Egress } from '@switchboard/service-kit';
import type { ChatwootAccount } from './api/account.ts';

/** A connection's inbox, and who may write there. */
export type Room = {
  readonly tenantId: string;
  /** `<server>/<account>/<inbox>`: names the inbox among all of them. */
  readonly inboxKey: string;
  readonly inboxId: number;
  /** Whether it is one of the platform's accounts, which other tenants' agents look into. */
  readonly isShared: boolean;
  /** With the administrator's token: may do everything the hub does. */
  readonly admin: ChatwootAccount;
  /** With the bot's, where there is one: messages, statuses and typing appear as a machine's. */
  readonly bot: ChatwootAccount;
  /** Of the inbox at the contacts' own API. */
  readonly inboxIdentifier: string | undefined;
};

/** Throws `provider.not_found` for an account that has not been set up to its end. */
export function roomOf({ tenantId, settings, credentials, routingIdentifiers }: ConnectionWithSecrets, egress: Pick<Egress, 'request'>): Room {
  const { apiUrl, accountId, inboxId, mode, inboxIdentifier } = settings;
  const { apiToken, botToken } = credentials;
  const isInbox = /^\d{1,15}$/.test(inboxId ?? '');
  if (apiUrl === undefined || accountId === undefined || apiToken === undefined || !isInbox) {
    throw hubError('provider.not_found', { publicMessage: 'This connection has no inbox at Chatwoot yet: post its credentials again.', detail: { scope: 'account', sent: false } });
  }
  const admin: ChatwootAccount = { egress, apiUrl, accountId, token: apiToken };
  return {
    tenantId,
    inboxKey: routingIdentifiers['inbox'] ?? `${serverOf(apiUrl)}/${accountId}/${inboxId}`,
    inboxId: Number(inboxId),
    isShared: mode === 'shared',
    admin,
    bot: botToken === undefined ? admin : { ...admin, token: botToken },
    inboxIdentifier,
  };
}
