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
  const open = new AsyncLocalStorage<Session>();

  return {
    async transaction(fn) {
      if (open.getStore()?.client !== undefined) return fn();
      const scope = currentScope();
      const client = await pool.connect();
      const session: Session = { client, enqueued: [], afterCommit: [] };
      try {
        await client.query(`begin; ${scope.kind === 'system' ? `set local role ${escapeIdentifier(systemRole)}` : `set local app.tenant_id = ${escapeLiteral(scope.tenantId)}`}`);
        const value = await open.run(session, async () => await fn());
        await runEnqueued(client, session);
        await client.query('commit');
        client.release();
        for (const call of session.afterCommit) call();
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
        const session = open.getStore();
        const client = session?.client;
        if (session === undefined || client === undefined) throw new Error('no open transaction');
        await runEnqueued(client, session);
        return (await client.query<Row>(text, [...values])).rows;
      },
      enqueue(text: string, values: readonly unknown[] = []) {
        const session = open.getStore();
        if (session?.client === undefined) throw new Error('no open transaction');
        session.enqueued.push({ text, values: [...values] });
      },
    },
    afterCommit(fn) {
      const session = open.getStore();
      if (session?.client === undefined) throw new Error('no open transaction');
      session.afterCommit.push(fn);
    },
    close: () => pool.end(),
  };
}

type Session = { client: PoolClient | undefined; enqueued: { readonly text: string; readonly values: unknown[] }[]; afterCommit: (() => void)[] };

async function runEnqueued(client: PoolClient, session: Session): Promise<void> {
  for (const { text, values } of session.enqueued.splice(0)) await client.query(text, values);
}
