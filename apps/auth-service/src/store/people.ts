import type { MemberId, MemberRole, MemberStatus, PersonRole } from '@switchboard/contracts';
import { currentScope } from '@switchboard/tenant-context';
import type { AuthDatabase } from './client.ts';
import { insertRow, realmTables } from './realm-tables.ts';

/** A member of the current tenant or, in system scope, one of the staff. */
export type Person = {
  readonly memberId: MemberId;
  readonly email: string;
  readonly name: string | null;
  readonly role: PersonRole;
  readonly status: MemberStatus;
  readonly passwordHash: string | null;
  readonly createdAt: Date;
};

export type PersonPatch = Partial<Pick<Person, 'name' | 'role' | 'status' | 'passwordHash'>>;

export type PeopleFilter = { readonly status?: MemberStatus | undefined; readonly role?: MemberRole | undefined };

const columns = 'member_id as "memberId", email, name, role, status, password_hash as "passwordHash", created_at as "createdAt"';

/** Any number that no other advisory lock of this service has. */
const lockClass = 5_301;

/** Rows of `members`, or of `staff`, as the current scope says. */
export function createPeopleStore(db: AuthDatabase) {
  const query = (rest: string, values: readonly unknown[]): Promise<Person[]> => db.transaction(() => db.sql.query<Person>(`select ${columns} from ${realmTables().people} ${rest}`, values));

  return {
    async find(memberId: string): Promise<Person | undefined> {
      return (await query('where member_id = $1', [memberId]))[0];
    },

    /** Until the transaction ends, nobody changes or removes them. */
    async findForShare(memberId: string): Promise<Person | undefined> {
      return (await query('where member_id = $1 for share', [memberId]))[0];
    },

    async findForUpdate(memberId: string): Promise<Person | undefined> {
      return (await query('where member_id = $1 for update', [memberId]))[0];
    },

    async findByEmail(email: string): Promise<Person | undefined> {
      return (await query('where email = $1', [email]))[0];
    },

    /** After an id, which sorts by the time it was made. */
    list: (limit: number, afterId: string | undefined, { status, role }: PeopleFilter = {}): Promise<Person[]> =>
      query('where member_id > $1 and ($2::text is null or status = $2) and ($3::text is null or role = $3) order by member_id limit $4', [afterId ?? '', status ?? null, role ?? null, limit]),

    /** False when the address is somebody's already. */
    insert: (person: Person): Promise<boolean> =>
      db.transaction(() =>
        insertRow(db, realmTables().people, {
          member_id: person.memberId,
          email: person.email,
          name: person.name,
          role: person.role,
          status: person.status,
          password_hash: person.passwordHash,
          created_at: person.createdAt,
          updated_at: person.createdAt,
        }),
      ),

    /** Inside a transaction, after `findForUpdate`. */
    async update(person: Person, patch: PersonPatch, at: Date): Promise<Person> {
      const changed = { ...person, ...patch };
      await db.sql.query(`update ${realmTables().people} set name = $2, role = $3, status = $4, password_hash = $5, updated_at = $6 where member_id = $1`, [
        changed.memberId,
        changed.name,
        changed.role,
        changed.status,
        changed.passwordHash,
        at,
      ]);
      return changed;
    },

    /** With sessions and one-time tokens. */
    async remove(memberId: MemberId): Promise<void> {
      await db.sql.query(`delete from ${realmTables().people} where member_id = $1`, [memberId]);
    },

    /**
     * Until the transaction ends, nobody else changes roles, status or number of this realm's people: decisions over several of them (who is the
     * last owner, how many agents there are) see them as they stay.
     */
    async lock(): Promise<void> {
      const scope = currentScope();
      await db.sql.query('select pg_advisory_xact_lock($1, hashtext($2))', [lockClass, scope.kind === 'tenant' ? scope.tenantId : '']);
    },

    async countActiveOwners(): Promise<number> {
      return await count(db, "role = 'owner' and status = 'active'");
    },

    /** Invited ones have their place already. */
    async countAgents(): Promise<number> {
      return await count(db, "role = 'agent' and status in ('active', 'invited')");
    },
  };
}
export type PeopleStore = ReturnType<typeof createPeopleStore>;

async function count(db: AuthDatabase, condition: string): Promise<number> {
  const [row] = await db.sql.query<{ count: number }>(`select count(*)::int as count from members where ${condition}`);
  return row?.count ?? 0;
}
