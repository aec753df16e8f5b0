import type { ProviderId, TenantId } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import { isWeaker, proofs, type Proof } from '../domain/proof-of.ts';
import type { TenantDatabase } from './client.ts';

export type Identifier = { readonly name: string; readonly value: string };
export type Claim = Identifier & { readonly tenantId: TenantId; readonly proof: Proof };

/** Which tenant owns which account at a provider: the active connections' routing identifiers, one tenant each in the whole installation. */
export function createIdentifierStore(db: TenantDatabase) {
  return {
    /** Who owns any of these: of all tenants in system scope, else of the current one. */
    findClaims: (provider: ProviderId, identifiers: readonly Identifier[]): Promise<Claim[]> =>
      db.transaction(async () => {
        const rows = await db.prisma.ownedIdentifier.findMany({ where: { provider, OR: identifiers.map(({ name, value }) => ({ name, value })) } });
        // The casts are safe: `claim` below wrote them, and nothing else.
        return rows.map(({ tenantId, name, value, proof }) => ({ tenantId: tenantId as TenantId, name, value, proof: proof as Proof }));
      }),

    /**
     * Makes the current tenant the owner of all of them, inside a transaction; returns those that another tenant owns. A claim made at the
     * same moment waits for the other one's outcome: the unique key decides, not a look before. What the tenant proved better before stays so.
     */
    async claim(provider: ProviderId, identifiers: readonly Identifier[], proof: Proof): Promise<Identifier[]> {
      const tenantId = currentTenant();
      await db.prisma.ownedIdentifier.createMany({ data: identifiers.map(({ name, value }) => ({ tenantId, provider, name, value, proof })), skipDuplicates: true });
      const weaker = proofs.filter((known) => isWeaker(known, proof));
      await db.prisma.ownedIdentifier.updateMany({ where: { tenantId, provider, OR: identifiers.map(({ name, value }) => ({ name, value })), proof: { in: weaker } }, data: { proof } });
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
