import { accountMoveIdSchema, connectionIdSchema, newId, tenantIdSchema, type AccountMoveId, type ConnectionId, type MovePhase, type MoveReport, type TenantId } from '@switchboard/contracts';
import type { Database } from '@switchboard/db';
import { currentTenant, runAsSystem } from '@switchboard/tenant-context';
import type { AccountMove as Row, PrismaClient } from './generated/client.ts';

export type MoveState = 'running' | 'paused' | 'failed' | 'ended';

export type AccountMove = {
  readonly moveId: AccountMoveId;
  readonly fromConnectionId: ConnectionId;
  readonly toConnectionId: ConnectionId;
  readonly state: MoveState;
  readonly phase: MovePhase;
  readonly conversationsTotal: number;
  readonly sweptAt: Date | undefined;
  readonly roundMs: number | undefined;
  readonly newestAt: Date | undefined;
  readonly switchedAt: Date | undefined;
  readonly inboxBefore: string | undefined;
  readonly report: MoveReport | undefined;
  readonly error: { readonly code: string; readonly message: string; readonly at: Date } | undefined;
  readonly failures: number;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
};

export type MoveChange = Partial<{
  readonly state: MoveState;
  readonly phase: MovePhase;
  readonly conversationsTotal: number;
  readonly sweptAt: Date | null;
  readonly roundMs: number;
  readonly newestAt: Date;
  readonly switchedAt: Date;
  readonly inboxBefore: string | null;
  readonly report: MoveReport;
  readonly error: { readonly code: string; readonly message: string; readonly at: Date } | null;
  readonly failures: number;
  readonly nextAt: Date;
  readonly endedAt: Date;
}>;

/** What must hold for a change to be made. */
export type MoveCondition = { readonly owner?: string; readonly states?: readonly MoveState[]; readonly phases?: readonly MovePhase[] };

/** Moves of the current tenant, and who works on which. Every function has a transaction of its own, or joins the open one. */
export interface MoveStore {
  /** Undefined when the tenant has an open move already. */
  start(move: Pick<AccountMove, 'fromConnectionId' | 'toConnectionId'>): Promise<AccountMove | undefined>;
  /** The open one, or the last one. */
  findLatest(): Promise<AccountMove | undefined>;
  findOpen(): Promise<AccountMove | undefined>;
  /** The move as it is after the change; undefined when the condition does not hold (any more). */
  change(moveId: AccountMoveId, change: MoveChange, when: MoveCondition): Promise<AccountMove | undefined>;
  /** Takes, of all tenants, a move that is due and that nobody works on. */
  takeDue(owner: string, leaseMs: number): Promise<{ readonly tenantId: TenantId; readonly moveId: AccountMoveId } | undefined>;
  /** False when the lease has ended and somebody else may have taken it, or when somebody ordered something else meanwhile (a pause, a rollback). */
  renew(move: Pick<AccountMove, 'moveId' | 'phase'>, owner: string, leaseMs: number): Promise<boolean>;
  release(moveId: AccountMoveId, owner: string): Promise<void>;
  /** Deliveries at this connection that are planned or begun and not settled. */
  countUnsettled(connectionId: ConnectionId): Promise<number>;
}

type MoveDatabase = Pick<Database<PrismaClient>, 'transaction' | 'sql' | 'prisma'>;

export function createMoveStore(db: MoveDatabase): MoveStore {
  const key = (moveId: AccountMoveId) => ({ tenantId: currentTenant(), moveId });

  return {
    start: (move) =>
      db.transaction(async () => {
        const moveId = newId('mov');
        const data = { ...key(moveId), ...move, state: 'running', phase: 'copying', isOpen: true };
        const { count } = await db.prisma.accountMove.createMany({ data: [data], skipDuplicates: true });
        if (count === 0) return undefined;
        return moveOf(await db.prisma.accountMove.findUniqueOrThrow({ where: { tenantId_moveId: key(moveId) } }));
      }),
    findLatest: () => find(db, {}),
    findOpen: () => find(db, { isOpen: true }),
    change: (moveId, change, { owner, states, phases }) =>
      db.transaction(async () => {
        const { error, report, state, ...rest } = change;
        const { count } = await db.prisma.accountMove.updateMany({
          where: { ...key(moveId), ...(owner && { leaseOwner: owner }), ...(states && { state: { in: [...states] } }), ...(phases && { phase: { in: [...phases] } }) },
          data: {
            ...rest,
            ...(report && { report: JSON.stringify(report) }),
            ...(error !== undefined && { errorCode: error?.code ?? null, errorMessage: error?.message ?? null, errorAt: error?.at ?? null }),
            ...(state && { state, isOpen: state === 'ended' ? null : true }),
          },
        });
        if (count === 0) return undefined;
        return moveOf(await db.prisma.accountMove.findUniqueOrThrow({ where: { tenantId_moveId: key(moveId) } }));
      }),
    takeDue: (owner, leaseMs) =>
      runAsSystem('moves of all tenants that wait for a process', () =>
        db.transaction(async () => {
          // The database's clock: processes on several machines agree on when a lease has ended.
          const [taken] = await db.sql.query<{ tenant_id: string; move_id: string }>(
            `update account_moves set lease_owner = $1, lease_until = now() + make_interval(secs => $2::float8 / 1000)
             where (tenant_id, move_id) = (
               select tenant_id, move_id from account_moves
               where state = 'running' and next_at <= now() and (lease_until is null or lease_until < now())
               order by next_at limit 1 for update skip locked)
             returning tenant_id, move_id`,
            [owner, leaseMs],
          );
          return taken && { tenantId: tenantIdSchema.parse(taken.tenant_id), moveId: accountMoveIdSchema.parse(taken.move_id) };
        }),
      ),
    renew: ({ moveId, phase }, owner, leaseMs) =>
      db.transaction(async () => {
        const renewed = await db.sql.query(
          `update account_moves set lease_until = now() + make_interval(secs => $4::float8 / 1000)
           where tenant_id = $1 and move_id = $2 and lease_owner = $3 and lease_until > now() and state = 'running' and phase = $5 returning move_id`,
          [currentTenant(), moveId, owner, leaseMs, phase],
        );
        return renewed.length === 1;
      }),
    release: (moveId, owner) =>
      db.transaction(async () => {
        await db.sql.query('update account_moves set lease_owner = null, lease_until = null where tenant_id = $1 and move_id = $2 and lease_owner = $3', [currentTenant(), moveId, owner]);
      }),
    countUnsettled: (connectionId) =>
      db.transaction(async () => {
        const [row] = await db.sql.query<{ count: number }>(`select count(*)::int as count from deliveries where tenant_id = $1 and connection_id = $2 and state in ('planned', 'claimed')`, [currentTenant(), connectionId]);
        return row?.count ?? 0;
      }),
  };
}

/** Ids sort by time. */
function find(db: MoveDatabase, where: { readonly isOpen?: boolean }): Promise<AccountMove | undefined> {
  return db.transaction(async () => {
    const row = await db.prisma.accountMove.findFirst({ where: { tenantId: currentTenant(), ...where }, orderBy: { moveId: 'desc' } });
    return row === null ? undefined : moveOf(row);
  });
}

function moveOf(row: Row): AccountMove {
  return {
    moveId: accountMoveIdSchema.parse(row.moveId),
    fromConnectionId: connectionIdSchema.parse(row.fromConnectionId),
    toConnectionId: connectionIdSchema.parse(row.toConnectionId),
    // The casts are safe: only `start` and `change` write them.
    state: row.state as MoveState,
    phase: row.phase as MovePhase,
    conversationsTotal: row.conversationsTotal,
    sweptAt: row.sweptAt ?? undefined,
    roundMs: row.roundMs ?? undefined,
    newestAt: row.newestAt ?? undefined,
    switchedAt: row.switchedAt ?? undefined,
    inboxBefore: row.inboxBefore ?? undefined,
    // The cast is safe for the same reason.
    report: row.report === null ? undefined : (JSON.parse(row.report) as MoveReport),
    error: row.errorCode === null || row.errorAt === null ? undefined : { code: row.errorCode, message: row.errorMessage ?? '', at: row.errorAt },
    failures: row.failures,
    startedAt: row.startedAt,
    endedAt: row.endedAt ?? undefined,
  };
}
