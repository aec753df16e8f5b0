import type { ConnectionId, ErrorCode, Role } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';

type Fields = Readonly<Record<string, string>>;

/** An account at a provider as its credentials form says it, in the parts that are kept apart. */
export type Account = {
  readonly routingIdentifiers: Fields;
  readonly settings: Fields;
  /** The secret fields. */
  readonly credentials: Fields;
};

/** What was learned at the provider and must not be forgotten, as the id of an integration just made. An empty text is what holds no more. */
export type Learned = Partial<Account>;

/** What any question to a provider needs. */
export type AskContext = {
  readonly connectionId: ConnectionId;
  readonly role: Role;
  readonly egress: Egress;
  /** Base URLs by what they are for, without a slash at the end. */
  readonly hosts: Fields;
  /** Where the provider shall send this connection's webhooks. */
  readonly webhookUrl: string;
};

/**
 * The platform's account in which the hub makes an account for a connection. Its credentials are for making, moving and closing it; what the
 * connection works with is its own.
 */
export type MainAccount = { readonly account: Account; readonly hosts: Fields };

export type ConnectContext = AskContext & {
  /** Where the account is made in one of the platform's. */
  readonly main?: MainAccount | undefined;
  /** Whether an earlier check of this connection may have made something at the provider whose answer was lost. */
  readonly mayHaveMade: boolean;
  /** Whether another connection that the provider has confirmed, of whatever tenant, also has the account's identifier of this name. */
  readonly isInUseElsewhere: (identifier: string) => Promise<boolean>;
  /** Milliseconds to wait at most for something the provider does in its own time. */
  readonly waitMs: number;
  /** Stores what was learned before going on: after a crash, nothing is made twice. False when the credentials were posted again meanwhile, and nothing was stored. */
  readonly keep: (learned: Learned, options?: KeepOptions) => Promise<boolean>;
};

/** `isAnnounced`: everybody with a copy of the connection hears of it, because the provider may use a new webhook secret next; the old one stays valid for a while. */
export type KeepOptions = { readonly isAnnounced?: boolean };

export type RemoveContext = AskContext & {
  readonly main?: MainAccount | undefined;
  /** Whether a connection that stays, of whatever tenant, also has the account's identifier of this name; an active one, or also one that is switched off; what was only posted is nobody's. */
  readonly isInUseElsewhere: (identifier: string, status?: 'active' | 'confirmed') => Promise<boolean>;
};

/** What following a tenant's status needs. */
export type FollowContext = Pick<AskContext, 'connectionId' | 'egress'> & { readonly main: MainAccount };

/** `reason` speaks to the tenant. `retry`: whether asking again may end otherwise without new credentials. */
export type Unverified = { readonly kind: 'unverified'; readonly code: ErrorCode; readonly reason: string; readonly retry: boolean };

export type ConnectOutcome = { readonly kind: 'verified'; readonly learned?: Learned } | Unverified;

/** What became of what the hub had set up at the provider. `reason` speaks to the tenant; of what was removed: what stays nevertheless. */
export type RemoveOutcome = { readonly kind: 'removed'; readonly reason?: string | undefined } | { readonly kind: 'nothing_to_remove' | 'failed'; readonly reason: string };

/** `code` is what it counts as in the error catalogue. */
export function unverified(reason: string, retry: boolean, code: ErrorCode = retry ? 'provider.unavailable' : 'provider.unauthorized'): Unverified {
  return { kind: 'unverified', code, reason, retry };
}

/** What a question about an account of the platform needs. */
export type PlatformContext = {
  readonly egress: Egress;
  readonly hosts: Fields;
  /** Where the provider shall send the webhooks of all tenants in the account. */
  readonly webhookUrl: string;
};

/** What is special about an account of the platform itself. */
export interface PlatformStrategy {
  /** Fields of the form that say the platform's account; the others are a tenant's. Where it is absent, all that no tenant chooses. */
  readonly ownFields?: readonly string[];
  /** Asks the provider whether the account works, and makes there what the hub needs once for all tenants. Made twice, it would be there once. */
  verify(account: Account, context: PlatformContext): Promise<ConnectOutcome>;
  /** Asks, and changes nothing. */
  ask(account: Account, context: PlatformContext): Promise<ConnectOutcome>;
  /** Takes that back. */
  remove(account: Account, context: PlatformContext): Promise<RemoveOutcome>;
}

/**
 * All that is special about connecting one provider. An account of mode `shared` comes to `verify`, `ask` and `remove` with what the platform's
 * account has and the tenant's does not; what is kept of it is the tenant's part alone.
 */
export interface ConnectStrategy {
  /** Fields of the form that name the account, besides its identifiers, and cannot change. */
  readonly fixedFields?: readonly string[];
  /** Whether checking makes things there that two checks at once would make twice. */
  readonly makesParts?: true;
  /** Tells what the platform's accounts at this provider need; where it is absent, the platform has none. */
  readonly platform?: PlatformStrategy;
  /** Whether the hub makes the account in one of the platform's: the connection has a place there, and credentials of its own. */
  isMadeInPlatform?(account: Pick<Account, 'settings'>): boolean;
  /** What the hub made in the platform's account works while its tenant is active, and not while it is suspended or deleted. Undefined when that is so. May run again. */
  followTenant?(account: Account, context: FollowContext, isActive: boolean): Promise<Unverified | undefined>;
  /** Adds the identifiers that follow from what was given, before anybody is asked. */
  identify?(account: Account, hosts: Fields): Account;
  /** Is `posted`, which does not name its account, meant for `existing`? */
  isSameAccount(posted: Account, existing: Account): boolean;
  /** Fields of the form whose values the hub made or learned: they are not posted again. */
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
