import type { MemberRole, Scope, TenantFacts, TenantId } from '@switchboard/contracts';

/** One tenant's caller. The same object for the same credential as long as it is remembered: what is made for a caller can hang on it. */
export type Caller = {
  readonly tenantId: TenantId;
  /** Id of the key or the member, `iss_…:<sub>` of a trusted issuer's token, `subdomain:<label>`. */
  readonly subject: string;
  readonly via: 'key' | 'member' | 'subdomain';
  readonly role: MemberRole | undefined;
  readonly scopes: readonly Scope[];
  /** Requests a minute of the tenant, all its callers together. */
  readonly rateLimit: number;
  /** Requests a minute of the key alone, where it has a limit of its own. */
  readonly keyRateLimit: number | null;
  readonly tenant: TenantFacts;
};

/** Who a request is from. `nobody` may still have come through the door of a tenant, which proves nothing. */
export type Identity =
  | { readonly kind: 'tenant'; readonly caller: Caller }
  | { readonly kind: 'platform'; /** `admin-key`, or the id of the staff member. */ readonly subject: string }
  | { readonly kind: 'nobody'; readonly tenant: TenantFacts | undefined };
