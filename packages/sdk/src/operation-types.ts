import type { BodyInputOf, ParamsInputOf, QueryInputOf, ReplyOf } from '@switchboard/contracts';

/** Names of T's fields that must be given. */
type RequiredNames<T> = { [Name in keyof T]-?: Record<never, never> extends Pick<T, Name> ? never : Name }[keyof T];

type Part<Name extends string, Value> = unknown extends Value ? unknown : [RequiredNames<Value>] extends [never] ? { readonly [N in Name]?: Value } : { readonly [N in Name]: Value };

/** The path's parameters, without the tenant where the credential names it. */
type OwnParams<C> = C extends { readonly namesTenant: true } ? ParamsInputOf<C> : C extends { readonly inService: true } ? WithoutTenant<C> & { readonly service: string } : unknown extends ParamsInputOf<C> ? unknown : Record<never, never> extends WithoutTenant<C> ? unknown : WithoutTenant<C>;
type WithoutTenant<C> = Omit<ParamsInputOf<C>, 'tenantId'>;

/** What a method takes: `params`, `query` and `body` as far as the route has them. */
export type OperationInput<C> = Part<'params', OwnParams<C>> & Part<'query', QueryInputOf<C>> & Part<'body', BodyInputOf<C>>;

export type CallOptions = {
  /** Your name for this request: a repetition answers what the first one made. Writes get a random one, so that repeating them is safe. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
};

/** One route as a function. The input may be left out where nothing in it is required. */
export type Operation<C> = [RequiredNames<OperationInput<C>>] extends [never]
  ? (input?: OperationInput<C>, options?: CallOptions) => Promise<ReplyOf<C>>
  : (input: OperationInput<C>, options?: CallOptions) => Promise<ReplyOf<C>>;

/** Item of a paged reply. */
export type ItemOf<C> = ReplyOf<C> extends { readonly data: readonly (infer Item)[]; readonly nextCursor: string | null } ? Item : never;
