import type { Egress } from '@switchboard/service-kit';

/** An account at a Chatwoot server as one of its users (or bots) sees it: what every call of this folder is made with. */
export type ChatwootAccount = {
  readonly egress: Pick<Egress, 'request'>;
  /** `https://chatwoot.example`, perhaps with a path; a slash at the end does no harm. */
  readonly apiUrl: string;
  readonly accountId: string;
  /** Of an administrator. A bot's token may only write messages, statuses, labels and assignments (contract, 2). */
  readonly token: string;
};

/** `https://chatwoot.example/api/v1/accounts/77` */
export function accountUrlOf({ apiUrl, accountId }: Pick<ChatwootAccount, 'apiUrl' | 'accountId'>): string {
  return `${withoutSlash(apiUrl)}/api/v1/accounts/${encodeURIComponent(accountId)}`;
}

export function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
