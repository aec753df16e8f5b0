import type { TenantId } from '@switchboard/contracts';
import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';

/** Runs SQL in the transaction that is open around the caller. Same shape as the bus expects; db and event-bus do not know each other. */
export interface SqlSession {
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * Has it run with the next query or the commit, whichever comes first, in the order given: for a statement whose rows nobody needs, and that
   * is not worth a round trip. Its failure is that query's, or the commit's.
   */
  enqueue(text: string, values?: readonly unknown[]): void;
}

export interface Database<Client> {
  /**
   * Runs `fn` in one transaction of the current scope and commits it; joins the transaction that is open around the caller. In a tenant's
   * scope, row-level security shows that tenant alone; in system scope the transaction runs as the service's system role, which sees only
   * the tables that were opened to it. Outside any scope: throws `tenant.context_missing`. Connection lost or pool exhausted: `storage.unavailable`.
   */
  transaction<T>(fn: () => Promise<T>): Promise<T>;
  /** Session of the open transaction. Throws outside `transaction`. */
  readonly sql: SqlSession;
  /** Calls `fn` when the open transaction has committed, or may have because the answer was lost; not when it was rolled back. Throws outside `transaction`. */
  afterCommit(fn: () => void): void;
  /** Prisma client bound to the open transaction's connection. Throws outside `transaction`. */
  readonly prisma: Client;
  /** Undefined when healthy, else what is wrong. */
  unhealthy(): Promise<string | undefined>;
  close(): Promise<void>;
}

export type DatabaseOptions<Client> = {
  /** Of the service's runtime role. */
  readonly url: string;
  /** The service's own Postgres schema. */
  readonly schema: string;
  /** Role for system scope: `<runtime role>_system` by default. */
  readonly systemRole?: string;
  readonly connectionsMax: number;
  /** How long a statement may go without an answer, in milliseconds. Default: 35 s, a little more than the server allows it. */
  readonly answerMsMax?: number;
  readonly createClient: (adapter: SqlDriverAdapterFactory) => Client;
  /** Asked before a tenant's transaction opens; throws where there must be none (a tenant that is erased). Undefined when it had nothing to wait for. */
  readonly admit?: (tenantId: TenantId) => Promise<void> | undefined | void;
};

/** A service's place in a database. */
export type ServiceSchema = {
  /** Service name, for messages. */
  readonly service: string;
  /**
   * Postgres schema: the service's name with underscores, without "-service", "-manager", "-connector". Roles follow from it:
   * `switchboard_<schema>` (runtime), `…_owner`, `…_system`, `…_bus`; see `serviceRoles`.
   */
  readonly schema: string;
  /** Folder that holds `schema.prisma` and `migrations/`. */
  readonly prismaDirectory: URL;
};
