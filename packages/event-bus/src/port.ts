import type { DeadLetterId, Envelope, EventId, EventType, PayloadInputOf, TenantId } from '@switchboard/contracts';

/** Runs SQL in the transaction that is open around the caller. */
export interface SqlSession {
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Has it run with the next query or the commit, whichever comes first, in the order given. Its failure is that query's, or the commit's. */
  enqueue(text: string, values?: readonly unknown[]): void;
}

/** The service's database, as far as the bus needs it: an effect, its inbox record and the events it publishes are one transaction. */
export interface UnitOfWork {
  /** Runs `fn` in a transaction of the current scope (tenant or system); joins the one that is open already. */
  transaction<T>(fn: () => Promise<T>): Promise<T>;
  /** The open transaction's session. Throws when none is open. */
  readonly sql: SqlSession;
  /** Calls `fn` when the open transaction has committed, or may have because the answer was lost; not when it was rolled back. Throws when none is open. */
  afterCommit(fn: () => void): void;
}

export type PublishOptions = {
  /** What keeps its order: usually the conversation. */
  readonly orderingKey: string;
  /** Given by a publisher that may run twice for the same cause, so that its consumers can tell. Default: a new id. */
  readonly eventId?: EventId;
};

/**
 * How the effect of a consumer happens once:
 * - `transaction`: the handler runs inside one transaction with its inbox record; database work only. For an event that has taken effect
 *    already its first statement fails, and the transaction is rolled back.
 * - `external`: the inbox is asked first, the handler then calls the outside world and ends with `context.commit(effect)`, which stores
 *    the effect with the inbox record. A crash in between calls the handler again: it must claim what it may not repeat.
 * - `idempotent`: no inbox; for a handler whose repetition does nothing new (publishing with ids made from the cause).
 */
export type EffectKind = 'transaction' | 'external' | 'idempotent';

export interface ConsumerContext {
  /** 1 for the first time this event is tried. A try that ended in `provider.throttled` or in a failure with `counted: false` is not counted. */
  readonly attempt: number;
  /** Aborted when the service must stop now. */
  readonly signal: AbortSignal;
  /**
   * Runs the effect and completes the event in one transaction; for `external` with its inbox record (when there is one already, the effect is
   * rolled back). Called at most once; not called means no effect.
   */
  commit(effect: () => Promise<void>): Promise<void>;
}

export type Subscription<T extends EventType = EventType> = {
  readonly type: T;
  /** Consumer group: the service's name, with a suffix where one service listens twice. */
  readonly group: string;
  readonly effect: EffectKind;
  /**
   * `group` (default): one process of the group handles each event, in order of its key.
   * `broadcast`: every process handles each event published while it runs, at most once, unordered, without retries: for dropping caches.
   */
  readonly delivery?: 'group' | 'broadcast';
  /** Hears also of tenants that are erased: for erasing them. */
  readonly ofErased?: boolean;
  /**
   * Runs as the event's tenant. Throwing a HubError says the event's fate by its `retry` (`provider.throttled` and `counted: false` use up no try, and
   * are tried again for a day); anything else makes a dead letter at once.
   */
  handle(event: Envelope<T>, context: ConsumerContext): Promise<void>;
  /**
   * Called when the event is given up, right before its dead letter is stored: to tell whoever waits for its outcome. Runs as the event's
   * tenant inside a transaction of its own. A crash in between, or a redrive that fails too, calls it again: publish with ids made from the
   * cause. When it throws, it is tried again if its error says so (the event with it), else the dead letter is stored without it.
   */
  giveUp?(event: Envelope<T>, reason: FailureReason): Promise<void>;
};

/** Why an event was not handled: a code of the error catalogue, and its message for the log and the list of dead letters. */
export type FailureReason = { readonly code: string; readonly message: string };

/** Types the handler by the event's name: `onEvent({ type: 'message.received', … })`. */
export function onEvent<T extends EventType>(subscription: Subscription<T>): Subscription {
  // The cast is safe: the runner hands a subscription only events of its own type.
  return subscription as unknown as Subscription;
}

/** Work by the clock: retention, sync jobs. One process of the service runs each tick. */
export type ScheduledTask = {
  readonly name: string;
  /** Five cron fields, UTC. */
  readonly cron: string;
  run(): Promise<void>;
};

export type DeadLetter = {
  readonly deadLetterId: DeadLetterId;
  readonly tenantId: TenantId;
  readonly group: string;
  readonly event: Envelope;
  readonly error: FailureReason;
  readonly attempts: number;
  readonly failedAt: string;
};

/** Events that could not be handled, of the current tenant. Listed oldest first. */
export interface DeadLetters {
  list(page: { readonly limit: number; readonly cursor?: string; readonly group?: string }): Promise<{ data: DeadLetter[]; nextCursor: string | null }>;
  find(id: DeadLetterId): Promise<DeadLetter | undefined>;
  /** Hands them to their consumers again, in their original order per key. Returns how many. Without ids: all of the tenant's. */
  redrive(ids?: readonly DeadLetterId[]): Promise<number>;
}

/**
 * Tenants that this service has erased. Nothing of them comes back: consumers pass over their events, and whoever asks `admit` before a
 * transaction is refused, in every process of the service. A tenant that is created anew under the same id is another one.
 */
export interface ErasedTenants {
  /** Throws `tenant.not_found` for a tenant that is erased or being erased, but to the erasing itself. Undefined where nothing had to be awaited. */
  admit(tenantId: TenantId): Promise<void> | undefined | void;
  /**
   * Erases the current tenant because of this event: first nobody gets in any more, then `rows` deletes what the service keeps, giving the
   * counts of each transaction to `note` inside it; then what the bus itself keeps goes (of every service with `ofAll`), and `done` gets the
   * totals by table. May break off and be called again: totals go on. False: the tenant was created anew since.
   */
  erase(
    event: { readonly eventId: EventId; readonly occurredAt: string },
    work: { rows(note: (count: Readonly<Record<string, number>>) => void): Promise<void>; done(total: Readonly<Record<string, number>>): Promise<void>; readonly ofAll?: boolean },
  ): Promise<boolean>;
  /** The current tenant was created anew, at this time (RFC 3339). */
  revive(at: string): Promise<void>;
}

export interface EventBus {
  /** Publishes with the open transaction, at its commit at the latest, or with one of its own. The tenant is the current one; the trace follows. Throws a ZodError on a payload that does not fit, `request.too_large` on one that no driver can carry. */
  publish<T extends EventType>(type: T, payload: PayloadInputOf<T>, options: PublishOptions): Promise<EventId>;
  /** Publishes envelopes made elsewhere, of several tenants, with the open transaction: for ingest's grouped commits. System scope. Throws `request.too_large` as `publish` does, and publishes none then. */
  publishMany(envelopes: readonly Envelope[]): Promise<void>;
  /** Before `start`. */
  subscribe(subscription: Subscription): void;
  /** Before `start`. */
  schedule(task: ScheduledTask): void;
  start(): Promise<void>;
  /** Stops fetching, lets running handlers finish, commits, closes. */
  stop(): Promise<void>;
  /** Undefined when healthy, else what is wrong. */
  unhealthy(): Promise<string | undefined>;
  readonly deadLetters: DeadLetters;
  readonly erasedTenants: ErasedTenants;
  /** Figures for /metrics: sampled when scraped. */
  metrics(): Promise<BusMetrics>;
}

export type BusMetrics = {
  readonly inFlight: number;
  readonly outboxPending: number;
  readonly deadLetters: number;
  readonly handled: number;
  readonly failed: number;
  readonly retried: number;
};

/** What the bus says to the log of the service it lives in. */
export interface BusLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
