import type { AuthDatabase } from './client.ts';

/** P-256 in JWK form (RFC 7518, section 6.2.1): base64url of 32 bytes each. */
export type PublicJwk = { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string };

export type SigningKeyRow = {
  readonly kid: string;
  readonly publicJwk: PublicJwk;
  /** The private part, and the key-encryption key that wrapped it; null once it signs no more. */
  readonly wrappedBy: string | null;
  readonly wrapped: Buffer | null;
  readonly createdAt: Date;
  readonly signsFrom: Date;
};

const columns = 'kid, public_jwk as "publicJwk", wrapped_by as "wrappedBy", wrapped, created_at as "createdAt", signs_from as "signsFrom"';

/** Any number that no other advisory lock of this service has. */
const lockClass = 5_302;

/** Rows of `signing_keys`; in system scope. */
export function createSigningKeyStore(db: AuthDatabase) {
  return {
    list: (): Promise<SigningKeyRow[]> => db.transaction(() => db.sql.query<SigningKeyRow>(`select ${columns} from signing_keys order by signs_from, kid`)),

    /** Until the transaction ends, no other process makes or changes keys. */
    async lock(): Promise<void> {
      await db.sql.query('select pg_advisory_xact_lock($1, 0)', [lockClass]);
    },

    async insert(row: SigningKeyRow): Promise<void> {
      await db.sql.query('insert into signing_keys (kid, public_jwk, wrapped_by, wrapped, created_at, signs_from) values ($1, $2, $3, $4, $5, $6)', [
        row.kid,
        JSON.stringify(row.publicJwk),
        row.wrappedBy,
        row.wrapped,
        row.createdAt,
        row.signsFrom,
      ]);
    },

    async setWrapped(kid: string, wrappedBy: string | null, wrapped: Buffer | null): Promise<void> {
      await db.sql.query('update signing_keys set wrapped_by = $2, wrapped = $3 where kid = $1', [kid, wrappedBy, wrapped]);
    },

    async remove(kids: readonly string[]): Promise<void> {
      await db.sql.query('delete from signing_keys where kid = any($1)', [kids]);
    },
  };
}
export type SigningKeyStore = ReturnType<typeof createSigningKeyStore>;
