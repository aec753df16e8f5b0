import { AsyncLocalStorage } from 'node:async_hooks';
import { currentScope } from '@switchboard/tenant-context';
import { escapeIdentifier, escapeLiteral, Pool, type PoolClient } from 'pg';
import type { UnitOfWork } from '../port.ts';

/** The smallest unit of work the bus can run on: what packages/db does, without Prisma, which this package may not know. */
export function createPgUnitOfWork(url: string, connectionsMax = 16): UnitOfWork & { close(): Promise<void> } {
  const pool = new Pool({ connectionString: url, max: connectionsMax });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const systemRole = `${new URL(url).username}_system`;
  const open = new AsyncLocalStorage<{ client: PoolClient | undefined }>();

  return {
    async transaction(fn) {
      if (open.getStore()?.client !== undefined) return fn();
      const scope = currentScope();
      const client = await pool.connect();
      const session: { client: PoolClient | undefined } = { client };
      try {
        await client.query(`begin; ${scope.kind === 'system' ? `set local role ${escapeIdentifier(systemRole)}` : `set local app.tenant_id = ${escapeLiteral(scope.tenantId)}`}`);
        const value = await open.run(session, async () => await fn());
        await client.query('commit');
        client.release();
        return value;
      } catch (error) {
        await client.query('rollback').then(
          () => client.release(),
          () => client.release(true),
        );
        throw error;
      } finally {
        session.client = undefined;
      }
    },
    sql: {
      async query<Row extends object>(text: string, values: readonly unknown[] = []) {
        const client = open.getStore()?.client;
        if (client === undefined) throw new Error('no open transaction');
        return (await client.query<Row>(text, [...values])).rows;
      },
    },
    close: () => pool.end(),
  };
}
