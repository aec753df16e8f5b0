import type { MemberRole } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { AuthDatabase } from './client.ts';
import { insertRow } from './realm-tables.ts';

export type SsoSettings = {
  readonly issuer: string;
  readonly clientId: string;
  readonly sealedSecret: Uint8Array;
  readonly allowedDomains: readonly string[];
  readonly defaultRole: MemberRole;
  readonly maxRole: MemberRole;
  readonly createMembers: boolean;
  readonly returnUrl: string;
  readonly updatedAt: Date;
};

export type SsoLogin = { readonly loginId: string; readonly stateHash: string; readonly challenge: string; readonly nonce: string; readonly begunWith: Date; readonly expiresAt: Date };

/** More than all people of a tenant together begin within ten minutes. */
export const waitingMax = 10_000;

const settingsColumns =
  'issuer, client_id as "clientId", sealed_secret as "sealedSecret", allowed_domains as "allowedDomains", default_role as "defaultRole", max_role as "maxRole", create_members as "createMembers", return_url as "returnUrl", updated_at as "updatedAt"';
const loginColumns = 'login_id as "loginId", state_hash as "stateHash", challenge, nonce, begun_with as "begunWith", expires_at as "expiresAt"';

/** Rows of `sso_providers` and `sso_logins` of the current tenant. */
export function createSsoStore(db: AuthDatabase) {
  return {
    async find(): Promise<SsoSettings | undefined> {
      return (await db.transaction(() => db.sql.query<SsoSettings>(`select ${settingsColumns} from sso_providers where tenant_id = $1`, [currentTenant()])))[0];
    },

    /** Instead of what there was; log-ins that began under it end. Inside a transaction. */
    async replace(settings: SsoSettings): Promise<void> {
      await this.remove();
      await insertRow(db, 'sso_providers', {
        issuer: settings.issuer,
        client_id: settings.clientId,
        sealed_secret: settings.sealedSecret,
        allowed_domains: settings.allowedDomains,
        default_role: settings.defaultRole,
        max_role: settings.maxRole,
        create_members: settings.createMembers,
        return_url: settings.returnUrl,
        updated_at: settings.updatedAt,
      });
    },

    /** Inside a transaction. */
    async remove(): Promise<void> {
      await db.sql.query('delete from sso_logins where tenant_id = $1', [currentTenant()]);
      await db.sql.query('delete from sso_providers where tenant_id = $1', [currentTenant()]);
    },

    /** Anybody may begin one: of very many that wait, the oldest go. */
    insertLogin: (login: SsoLogin): Promise<void> =>
      db.transaction(async () => {
        await insertRow(db, 'sso_logins', { login_id: login.loginId, state_hash: login.stateHash, challenge: login.challenge, nonce: login.nonce, begun_with: login.begunWith, expires_at: login.expiresAt });
        await db.sql.query('delete from sso_logins where tenant_id = $1 and login_id in (select login_id from sso_logins where tenant_id = $1 order by login_id desc offset $2)', [currentTenant(), waitingMax]);
      }),

    /** The log-in, once: of whoever has both the state and the cookie of the browser that began it. */
    async takeLogin({ loginId, stateHash, challenge }: Pick<SsoLogin, 'loginId' | 'stateHash' | 'challenge'>, now: Date): Promise<SsoLogin | undefined> {
      const taken = await db.transaction(() =>
        db.sql.query<SsoLogin>(`delete from sso_logins where tenant_id = $1 and login_id = $2 and state_hash = $3 and challenge = $4 and expires_at > $5 returning ${loginColumns}`, [
          currentTenant(),
          loginId,
          stateHash,
          challenge,
          now,
        ]),
      );
      return taken[0];
    },

    /** Of all tenants, in system scope. */
    sweep: (expiredBefore: Date): Promise<unknown> => db.transaction(() => db.sql.query('delete from sso_logins where expires_at < $1', [expiredBefore])),
  };
}
export type SsoStore = ReturnType<typeof createSsoStore>;
