import {
  createIssuer,
  createPlatformIssuer,
  deleteIssuer,
  deletePlatformIssuer,
  listIssuers,
  listPlatformIssuers,
  updateIssuer,
  updatePlatformIssuer,
  type IssuerRecord,
} from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { Issuers } from '../issuers/create-issuers.ts';
import type { IssuerRow, IssuerStore } from '../store/issuers.ts';

/** Whom the tenant in the path trusts, and whom the platform does: the kit runs each in its own realm. */
export function issuerRoutes({ issuers, store }: { readonly issuers: Issuers; readonly store: IssuerStore }): Route[] {
  const list = async ({ limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined }) => {
    const { data, nextCursor } = pageOfRows(await store.list(limit + 1, readCursor(cursor)), limit, ({ issuerId }) => issuerId);
    return { data: data.map(recordOf), nextCursor };
  };
  return [
    defineRoute(createIssuer, async ({ principal, body }) => recordOf(await issuers.create(principal, body))),
    defineRoute(listIssuers, ({ query }) => list(query)),
    defineRoute(updateIssuer, async ({ principal, params, body }) => recordOf(await issuers.setEnabled(principal, params.issuerId, body.isEnabled))),
    defineRoute(deleteIssuer, ({ params }) => issuers.remove(params.issuerId)),
    defineRoute(createPlatformIssuer, async ({ principal, body }) => recordOf(await issuers.create(principal, body))),
    defineRoute(listPlatformIssuers, ({ query }) => list(query)),
    defineRoute(updatePlatformIssuer, async ({ principal, params, body }) => recordOf(await issuers.setEnabled(principal, params.issuerId, body.isEnabled))),
    defineRoute(deletePlatformIssuer, ({ params }) => issuers.remove(params.issuerId)),
  ];
}

function recordOf({ issuerId, kind, issuer, audience, jwksUrl, algorithm, maxRole, isEnabled, createdAt }: IssuerRow): IssuerRecord {
  return { issuerId, kind, issuer, audience, jwksUrl, algorithm, maxRole, isEnabled, createdAt: createdAt.toISOString() };
}
