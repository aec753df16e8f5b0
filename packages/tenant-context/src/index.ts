/**
 * Whose work is this? The tenant (or the stated reason for there being none) travels with the asynchronous call chain, so that no
 * function in between takes a tenant id and none can forget it: reading it where there is none throws.
 * Three doors call `runAsTenant`: the gateway's token at a service, ingest, the consumer runner.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { hubError, type ActorKind, type TenantId } from '@switchboard/contracts';

export type Scope = { readonly kind: 'tenant'; readonly tenantId: TenantId } | { readonly kind: 'system'; readonly reason: string };

/** Ids that follow one piece of work through logs, events and calls. */
export type Trace = { readonly requestId: string; readonly traceparent?: string; readonly causedBy?: string };

/** Who does it. `from` is the address the call came from; `hub` is work that nobody asked for just now: consumers, tasks, relays. */
export type Actor = { readonly kind: ActorKind; readonly subject: string; readonly from: string | null };

const scopes = new AsyncLocalStorage<Scope>();
const actors = new AsyncLocalStorage<Actor>();
const traces = new AsyncLocalStorage<Trace>();

/** Runs `fn`, and everything it starts, as work of this tenant. */
export function runAsTenant<T>(tenantId: TenantId, fn: () => T): T {
  return scopes.run({ kind: 'tenant', tenantId }, fn);
}

/** Runs `fn` as work of no tenant: resolving a key, admin listing, relays. The reason is for the reader and for grep. */
export function runAsSystem<T>(reason: string, fn: () => T): T {
  return scopes.run({ kind: 'system', reason }, fn);
}

/** The tenant of this work. Throws `tenant.context_missing` outside a tenant. */
export function currentTenant(): TenantId {
  const scope = scopes.getStore();
  if (scope?.kind !== 'tenant') throw hubError('tenant.context_missing', { detail: { scope: scope ?? null } });
  return scope.tenantId;
}

/** Tenant or system scope of this work. Throws `tenant.context_missing` when there is neither. */
export function currentScope(): Scope {
  const scope = scopes.getStore();
  if (scope === undefined) throw hubError('tenant.context_missing');
  return scope;
}

/** For logs only: what the scope is, without insisting that there is one. */
export function peekScope(): Scope | undefined {
  return scopes.getStore();
}

export function runWithTrace<T>(trace: Trace, fn: () => T): T {
  return traces.run(trace, fn);
}

export function currentTrace(): Trace | undefined {
  return traces.getStore();
}

/** Runs `fn` as the doing of this actor; the kit does so around every handler of a route. */
export function runWithActor<T>(actor: Actor, fn: () => T): T {
  return actors.run(actor, fn);
}

const theHub: Actor = { kind: 'hub', subject: 'hub', from: null };

/** Who does this, for the audit; the hub itself where nobody called. */
export function currentActor(): Actor {
  return actors.getStore() ?? theHub;
}
