import type { PublicConnection } from '@switchboard/connector-kit';
import { providers } from '@switchboard/providers';

/** What of a connection both adapters read. */
type Account = Pick<PublicConnection, 'routingIdentifiers' | 'settings'>;

/** Botpress Cloud and the self-hosted v12 share the name and nothing else; which it is stands in the connection, never guessed. */
export function isV12({ settings }: Pick<Account, 'settings'>): boolean {
  return settings['kind'] === 'v12';
}

/** Base URL of the API, without a slash at its end. */
export function apiBaseUrl({ settings }: Pick<Account, 'settings'>): string {
  return (settings['apiBaseUrl'] ?? providers.botpress.hosts(settings)['api'] ?? '').replace(/\/+$/, '');
}

/** Seconds in the form, milliseconds here. */
export function replyTimeoutMs({ settings }: Pick<Account, 'settings'>): number {
  return numberIn(settings['replyTimeoutSeconds'], 20) * 1_000;
}

/** `converse.maxMessageLength` of a v12 server (contract, 1.3). */
export function textLengthMaxOf({ settings }: Pick<Account, 'settings'>): number {
  return numberIn(settings['maxTextLength'], 360);
}

function numberIn(value: string | undefined, otherwise: number): number {
  const number = Number(value);
  return number > 0 ? number : otherwise;
}
