import type { ConnectionId } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';

type Fields = Readonly<Record<string, string>>;

/** An account at a provider as its credentials form says it, in the parts that are kept apart. */
export type Account = {
  readonly routingIdentifiers: Fields;
  readonly settings: Fields;
  /** The secret fields. */
  readonly credentials: Fields;
};

/** What was learned at the provider and must not be forgotten, as the id of an integration just made. */
export type Learned = Partial<Account>;

export type ConnectContext = {
  readonly connectionId: ConnectionId;
  readonly egress: Egress;
  /** Base URLs by what they are for, without a slash at the end. */
  readonly hosts: Fields;
  /** Where the provider shall send this connection's webhooks. */
  readonly webhookUrl: string;
  /** Whether an earlier check of this connection may have made something at the provider whose answer was lost. */
  readonly mayHaveMade: boolean;
  /** Milliseconds to wait at most for something the provider does in its own time. */
  readonly waitMs: number;
  /** Stores what was learned before going on: after a crash, nothing is made twice. */
  readonly keep: (learned: Learned) => Promise<void>;
};

/** `reason` speaks to the tenant. `retry`: whether asking again may end otherwise without new credentials. */
export type Unverified = { readonly kind: 'unverified'; readonly reason: string; readonly retry: boolean };

export type ConnectOutcome = { readonly kind: 'verified'; readonly learned?: Learned } | Unverified;

export function unverified(reason: string, retry: boolean): Unverified {
  return { kind: 'unverified', reason, retry };
}

/** All that is special about connecting one provider. */
export interface ConnectStrategy {
  /** Is `posted`, which does not name its account, meant for `existing`? */
  isSameAccount(posted: Account, existing: Account): boolean;
  /** Adds what the tenant may leave out: generated secrets, what is known from the connection that is replaced. Asks nobody. */
  complete(posted: Account, previous: Account | undefined, generateSecret: () => string): Account;
  /** Asks the provider whether the account works, and makes there what the hub needs. May run again for the same account. */
  verify(account: Account, context: ConnectContext): Promise<ConnectOutcome>;
}
