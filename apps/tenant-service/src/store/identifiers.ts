import type { ProviderId } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { TenantDatabase } from './client.ts';

export type Identifier = { readonly name: string; readonly value: string };

/** Which tenant owns which account at a provider: the active connections' routing identifiers, one tenant each in the whole installation. */
export function createIdentifierStore(db: TenantDatabase) {
  return {
    /** Tenants that own any of these; in system scope. */
    findOwners: (provider: ProviderId, identifiers: readonly Identifier[]): Promise<string[]> =>
      db.transaction(async () => {
        const rows = await db.prisma.ownedIdentifier.findMany({ where: { provider, OR: identifiers.map(({ name, value }) => ({ name, value })) }, select: { tenantId: true } });
        return rows.map((row) => row.tenantId);
      }),

    /**
     * Makes the current tenant the owner of all of them, inside a transaction; returns those that another tenant owns. A claim made at the
     * same moment waits for the other one's outcome: the unique key decides, not a look before.
     */
    async claim(provider: ProviderId, identifiers: readonly Identifier[]): Promise<Identifier[]> {
      const tenantId = currentTenant();
      await db.prisma.ownedIdentifier.createMany({ data: identifiers.map(({ name, value }) => ({ tenantId, provider, name, value })), skipDuplicates: true });
      const owned = await db.prisma.ownedIdentifier.findMany({ where: { tenantId, provider } });
      return identifiers.filter(({ name, value }) => !owned.some((row) => row.name === name && row.value === value));
    },

    /** Gives up the current tenant's identifiers at this provider except those; inside a transaction. */
    async releaseExcept(provider: ProviderId, kept: readonly Identifier[]): Promise<void> {
      const tenantId = currentTenant();
      await db.prisma.ownedIdentifier.deleteMany({ where: { tenantId, provider, NOT: { OR: kept.map(({ name, value }) => ({ name, value })) } } });
    },
  };
}
export type IdentifierStore = ReturnType<typeof createIdentifierStore>;
