import type { IssuerAlgorithm, IssuerId, MemberRole } from '@switchboard/contracts';
import { sealedColumns, sealedValues, type Sealed } from '../sealing/create-realm-box.ts';
import type { AuthDatabase } from './client.ts';
import { insertRow, realmTables } from './realm-tables.ts';

export type IssuerRow = {
  readonly issuerId: IssuerId;
  readonly issuer: string;
  readonly audience: string;
  readonly algorithm: IssuerAlgorithm | 'HS256';
  readonly kind: 'jwks' | 'hs256';
  readonly jwksUrl: string | null;
  readonly maxRole: MemberRole;
  readonly isEnabled: boolean;
  readonly createdAt: Date;
};

/** A row with the secret of `hs256`. */
export type SealedIssuer = IssuerRow & (Sealed | { readonly sealed: null; readonly wrappedBy: null; readonly wrapped: null });

const columns = 'issuer_id as "issuerId", issuer, audience, algorithm, kind, jwks_url as "jwksUrl", max_role as "maxRole", is_enabled as "isEnabled", created_at as "createdAt"';

/** Rows of `issuers`, or of `platform_issuers`, as the current scope says. */
export function createIssuerStore(db: AuthDatabase) {
  return {
    /** False when the realm has one of this name. */
    insert: (row: IssuerRow, secret: Sealed | undefined): Promise<boolean> =>
      insertRow(db, realmTables().issuers, {
        issuer_id: row.issuerId,
        issuer: row.issuer,
        audience: row.audience,
        algorithm: row.algorithm,
        kind: row.kind,
        jwks_url: row.jwksUrl,
        max_role: row.maxRole,
        is_enabled: row.isEnabled,
        created_at: row.createdAt,
        ...(secret === undefined ? {} : sealedValues(secret)),
      }),

    async findByName(issuer: string): Promise<SealedIssuer | undefined> {
      return (await db.transaction(() => db.sql.query<SealedIssuer>(`select ${columns}, ${sealedColumns()} from ${realmTables().issuers} where issuer = $1`, [issuer])))[0];
    },

    async findForUpdate(issuerId: IssuerId): Promise<IssuerRow | undefined> {
      return (await db.sql.query<IssuerRow>(`select ${columns} from ${realmTables().issuers} where issuer_id = $1 for update`, [issuerId]))[0];
    },

    /** After an id, which sorts by the time it was made. */
    list: (limit: number, afterId: string | undefined): Promise<IssuerRow[]> =>
      db.transaction(() => db.sql.query<IssuerRow>(`select ${columns} from ${realmTables().issuers} where issuer_id > $1 order by issuer_id limit $2`, [afterId ?? '', limit])),

    async count(): Promise<number> {
      return (await db.sql.query<{ count: number }>(`select count(*)::int as count from ${realmTables().issuers}`))[0]?.count ?? 0;
    },

    async setEnabled(issuerId: IssuerId, isEnabled: boolean): Promise<void> {
      await db.sql.query(`update ${realmTables().issuers} set is_enabled = $2 where issuer_id = $1`, [issuerId, isEnabled]);
    },

    async remove(issuerId: IssuerId): Promise<void> {
      await db.sql.query(`delete from ${realmTables().issuers} where issuer_id = $1`, [issuerId]);
    },
  };
}
export type IssuerStore = ReturnType<typeof createIssuerStore>;
