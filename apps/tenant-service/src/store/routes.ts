import type { ConnectionId, Route } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { TenantDatabase } from './client.ts';
import type { Prisma } from './generated/client.ts';

/** Rows of `routes`, of the current tenant. */
export function createRouteStore(db: TenantDatabase) {
  return {
    list: (): Promise<Route[]> =>
      db.transaction(async () => {
        const rows = await db.prisma.route.findMany({ where: { tenantId: currentTenant() }, orderBy: { channelConnectionId: 'asc' } });
        // The casts are safe: the columns are written from a Route, and from nowhere else.
        return rows.map((row) => ({
          channelConnectionId: row.channelConnectionId as ConnectionId,
          botConnectionId: row.botConnectionId as ConnectionId | null,
          deskConnectionId: row.deskConnectionId as ConnectionId | null,
          startsWith: row.startsWith as Route['startsWith'],
          settings: row.settings as Route['settings'],
        }));
      }),

    /** Inside a transaction. */
    async replaceAll(routes: readonly Route[]): Promise<void> {
      const tenantId = currentTenant();
      await db.prisma.route.deleteMany({ where: { tenantId } });
      // The cast is safe: settings came out of JSON.
      await db.prisma.route.createMany({ data: routes.map((route) => ({ ...route, tenantId, settings: route.settings as Prisma.InputJsonObject })) });
    },
  };
}
export type RouteStore = ReturnType<typeof createRouteStore>;
