import { newId, type ConnectionId } from '@switchboard/contracts';
import type { SecretBox } from '@switchboard/secrets';
import { currentTenant } from '@switchboard/tenant-context';
import type { TenantDatabase } from './client.ts';

export type PreviousSecret = { readonly secretId: string; readonly sealedSecret: Uint8Array; readonly expiresAt: Date };

/** Of one connection: credentials that are posted in a loop must not become a list that every copy of the connection carries. */
const keptMax = 100;

/** Rows of `previous_webhook_secrets`: what providers may still sign with for a while after it was replaced. */
export function createPreviousSecretStore(db: TenantDatabase, secretBox: SecretBox) {
  const place = (connectionId: ConnectionId, secretId: string) => ({ table: 'previous_webhook_secrets', column: 'sealed_secret', row: `${connectionId}/${secretId}` });

  return {
    /** Inside a transaction of the connection's tenant. The oldest ones go where there are very many. */
    async insert(connectionId: ConnectionId, secret: string, expiresAt: Date): Promise<void> {
      // Sorts by time: the youngest is asked first.
      const secretId = newId('whs');
      const sealedSecret = new Uint8Array(await secretBox.seal(secret, place(connectionId, secretId)));
      await db.prisma.previousWebhookSecret.create({ data: { tenantId: currentTenant(), connectionId, secretId, sealedSecret, expiresAt } });
      db.sql.enqueue(
        `delete from previous_webhook_secrets where tenant_id = $1 and connection_id = $2
           and secret_id not in (select secret_id from previous_webhook_secrets where tenant_id = $1 and connection_id = $2 order by secret_id desc limit $3)`,
        [currentTenant(), connectionId, keptMax],
      );
    },

    open: (connectionId: ConnectionId, secret: PreviousSecret): Promise<string> => secretBox.open(secret.sealedSecret, place(connectionId, secret.secretId)),

    /** Ends the overlap of a connection; returns how many secrets were still valid. Inside a transaction. */
    async deleteOf(connectionId: ConnectionId, now: Date): Promise<number> {
      const rows = await db.sql.query<{ isValid: boolean }>('delete from previous_webhook_secrets where tenant_id = $1 and connection_id = $2 returning expires_at > $3 as "isValid"', [currentTenant(), connectionId, now]);
      return rows.filter(({ isValid }) => isValid).length;
    },

    /** Of all tenants; in system scope. */
    deleteExpired: (now: Date): Promise<void> =>
      db.transaction(async () => {
        await db.sql.query('delete from previous_webhook_secrets where expires_at < $1', [now]);
      }),
  };
}
export type PreviousSecretStore = ReturnType<typeof createPreviousSecretStore>;
