import type { ConnectionId, ErrorCode } from '@switchboard/contracts';
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

/** What any question to a provider needs. */
export type AskContext = {
  readonly connectionId: ConnectionId;
  readonly egress: Egress;
  /** Base URLs by what they are for, without a slash at the end. */
  readonly hosts: Fields;
  /** Where the provider shall send this connection's webhooks. */
  readonly webhookUrl: string;
};

export type ConnectContext = AskContext & {
  /** Whether an earlier check of this connection may have made something at the provider whose answer was lost. */
  readonly mayHaveMade: boolean;
  /** Milliseconds to wait at most for something the provider does in its own time. */
  readonly waitMs: number;
  /** Stores what was learned before going on: after a crash, nothing is made twice. */
  readonly keep: (learned: Learned) => Promise<void>;
};

export type RemoveContext = AskContext & {
  /** Whether a connection that stays, of whatever tenant, also has the account's identifier of this name. */
  readonly isInUseElsewhere: (identifier: string) => Promise<boolean>;
};

/** `reason` speaks to the tenant. `retry`: whether asking again may end otherwise without new credentials. */
export type Unverified = { readonly kind: 'unverified'; readonly code: ErrorCode; readonly reason: string; readonly retry: boolean };

export type ConnectOutcome = { readonly kind: 'verified'; readonly learned?: Learned } | Unverified;

/** What became of what the hub had set up at the provider. `reason` speaks to the tenant. */
export type RemoveOutcome = { readonly kind: 'removed'; readonly reason?: undefined } | { readonly kind: 'nothing_to_remove' | 'failed'; readonly reason: string };

/** `code` is what it counts as in the error catalogue. */
export function unverified(reason: string, retry: boolean, code: ErrorCode = retry ? 'provider.unavailable' : 'provider.unauthorized'): Unverified {
  return { kind: 'unverified', code, reason, retry };
}

/** All that is special about connecting one provider. */
export interface ConnectStrategy {
  /** Is `posted`, which does not name its account, meant for `existing`? */
  isSameAccount(posted: Account, existing: Account): boolean;
  /** Secret fields of the account that the hub made. */
  generatedFields(account: Account): readonly string[];
  /** Adds what the tenant may leave out: generated secrets, what is known from the connection that is replaced. Asks nobody. */
  complete(posted: Account, previous: Account | undefined, generateSecret: () => string): Account;
  /** Asks the provider whether the account works, and makes there what the hub needs. May run again for the same account. */
  verify(account: Account, context: ConnectContext): Promise<ConnectOutcome>;
  /** Asks the provider whether the account works as it is, and changes nothing there. */
  ask(account: Account, context: AskContext): Promise<ConnectOutcome>;
  /** Takes back what the hub has set up there for the connection, as far as nobody else needs it. May run again. */
  remove(account: Account, context: RemoveContext): Promise<RemoveOutcome>;
}
