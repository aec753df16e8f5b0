import { createClientContext } from './client-context.ts';
import { createPace } from '@switchboard/connector-kit';
import { getRoutesInternal, hubError, isHubError, newId, replaceConnectionInRoutes, replaceConnectionInternal, retireConnection, type ConnectionId, type ConnectionWithSecrets, type MessageSend, type TenantId } from '@switchboard/contracts';
import { createDatabase, type Database } from '@switchboard/db';
import { prepareServices } from '@switchboard/service-kit';
import { testKit } from '@switchboard/service-kit/testing';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '../../src/client.ts';
import { createMoves, type Moves } from '../../src/moves/create-moves.ts';
import { renderMessage } from '../../src/render-message.ts';
import { service } from '../../src/service.ts';
import { PrismaClient } from '../../src/store/generated/client.ts';
import { createThreads } from '../../src/store/threads.ts';
import { createMortal, type Mortal } from './create-mortal.ts';
import { startSandbox, type Sandbox } from './start-sandbox.ts';

const [acme, globex] = testTenants;

export type Seen = {
  readonly conversationId: string;
  readonly inboxId: string;
  readonly sourceId: string;
  readonly status: string;
  readonly labels: readonly string[];
  readonly contact: { readonly name: string; readonly identifier: string | null };
  readonly messages: readonly { readonly id: string; readonly type: string; readonly text: string | null; readonly private: boolean; readonly contentAttributes: Readonly<Record<string, unknown>>; readonly attachments: readonly { readonly base64: string }[] }[];
};

type Account = { readonly server: string; readonly accountId: string; readonly credentials: { readonly apiUrl: string; readonly apiToken: string } };
type Inbox = { readonly account: Account; readonly inboxId: string; readonly connection: ConnectionWithSecrets };

/** Short, so that a test's processes follow each other soon; in the relations of the real ones. */
const timing = { lagMsMax: 10_000, quietMs: 1_500, unknownMs: 2_000, unknownFormMs: 2_000, settleMs: 50, leaseMs: 1_500, pollMs: 50, pauseMs: 150 };
const unlimited = { perMinute: 600_000, burst: 10_000 } as const;

export type Process = { readonly moves: Moves; readonly mortal: Mortal };

/**
 * Chatwoot's accounts in the sandbox, the connector's database, tenant-service and state-manager as far as a move asks them, and the bus as far as it
 * promises order: the commands of a conversation one after the other, again until they are done.
 */
export class MoveWorld {
  readonly sandbox: Sandbox;
  private readonly database: TestDatabase;
  private readonly db: Database<PrismaClient>;
  private readonly connections = new Map<ConnectionId, ConnectionWithSecrets>();
  readonly from: Inbox;
  readonly to: Inbox;
  readonly theirs: Inbox;
  /** Where state-manager sends what contacts write. */
  desk: ConnectionId;
  readonly asked: string[] = [];
  private readonly queues = new Map<string, Promise<void>>();
  private current: Process | undefined;

  private constructor(parts: { sandbox: Sandbox; database: TestDatabase; db: Database<PrismaClient>; from: Inbox; to: Inbox; theirs: Inbox }) {
    ({ sandbox: this.sandbox, database: this.database, db: this.db, from: this.from, to: this.to, theirs: this.theirs } = parts);
    for (const { connection } of [this.from, this.to, this.theirs]) this.connections.set(connection.connectionId, connection);
    this.desk = this.from.connection.connectionId;
  }

  static async start(): Promise<MoveWorld> {
    const [sandbox, database] = await Promise.all([startSandbox(), startTestDatabase()]);
    // The cast drops the service's own config type.
    await prepareServices([service as never], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
    const db = createDatabase({ url: database.url('switchboard_chatwoot'), schema: 'chatwoot', connectionsMax: 8, createClient: (adapter) => new PrismaClient({ adapter }) });
    const shared = await sandbox.ask<Account>('POST', '/accounts', { name: 'Platform', agents: ['Bruno'] });
    const own = await sandbox.ask<Account>('POST', '/accounts', { server: `own-${newId('req').slice(-6)}`, name: 'Acme', agents: ['Bea'] });
    return new MoveWorld({ sandbox, database, db, from: await inboxIn(sandbox, shared, acme, 'shared'), to: await inboxIn(sandbox, own, acme, 'dedicated'), theirs: await inboxIn(sandbox, shared, globex, 'shared') });
  }

  async stop(): Promise<void> {
    if (this.current?.mortal.isDead() === false) await this.current.moves.stopRunner();
    this.sandbox.stop();
    await this.db.close();
    await this.database.drop();
  }

  /** A process of the connector. The one before it is dead, or stopped. */
  startProcess(): Process {
    const kit = testKit<unknown, PrismaClient>({ name: 'chatwoot-connector', config: {}, db: this.db, answer: ({ contract, input }) => this.answer(contract, input) });
    const mortal = createMortal(kit);
    const servers = { pace: createPace({ ...unlimited, waitMaxMs: 1_000, now: kit.now }), sleep };
    const moves = createMoves(
      { ...kit, ...mortal },
      { connections: { load: (id) => this.load(id), loadToken: () => Promise.reject(hubError('internal')), drop: () => undefined }, runClient: (connection, call) => call(createClientContext(connection, mortal.egress)) },
      { threads: createThreads(mortal.db, randomUUID), servers, timing, callsPerMinute: unlimited.perMinute },
    );
    moves.startRunner();
    this.current = { moves, mortal };
    return this.current;
  }

  /** The one that was started last. */
  startedProcess(): Process {
    if (this.current === undefined) throw new Error('no process was started');
    return this.current;
  }

  /** The API of the process that was started last answers as long as it lives. */
  startedMoves(): Moves {
    return this.startedProcess().moves;
  }

  /** A contact writes: state-manager names the desk of now, the bus delivers in order. */
  contactWrites(address: string, text: string): void {
    const connectionId = this.desk;
    const command: MessageSend = { messageId: newId('msg'), conversationId: newId('cnv'), connectionId, contact: { address, aliases: {} }, author: 'contact', content: { kind: 'text', text }, attributes: {}, sentAt: new Date().toISOString() };
    const before = this.queues.get(address) ?? Promise.resolve();
    this.queues.set(address, before.then(() => runAsTenant(acme, () => this.deliver(command))));
  }

  delivered(): Promise<unknown> {
    return Promise.all(this.queues.values());
  }

  async agentWrites(inbox: Inbox, conversationId: string, text: string, more: object = {}): Promise<void> {
    await this.sandbox.ask('POST', `/${inbox.account.server}/accounts/${inbox.account.accountId}/conversations/${conversationId}/reply`, { text, ...more });
  }

  async look(inbox: Inbox): Promise<readonly Seen[]> {
    const { data } = await this.sandbox.ask<{ data: readonly Seen[] }>('GET', `/${inbox.account.server}/accounts/${inbox.account.accountId}/conversations?inboxId=${inbox.inboxId}`);
    return data;
  }

  async seed(inbox: Inbox, address: string, text: string, more: object = {}): Promise<string> {
    const path = `/${inbox.account.server}/accounts/${inbox.account.accountId}/inboxes/${inbox.inboxId}/receive`;
    const { conversationId } = await this.sandbox.ask<{ conversationId: string }>('POST', path, { from: address, name: `Contact ${address}`, identifier: `${inbox.connection.tenantId}:${address}`, text, ...more });
    return conversationId;
  }

  /** Tells the sandbox to do something wrong. */
  async fail(fault: object): Promise<void> {
    await this.sandbox.ask('POST', '/../faults', fault);
  }

  private async load(connectionId: ConnectionId): Promise<ConnectionWithSecrets> {
    const connection = this.connections.get(connectionId);
    if (connection?.tenantId !== currentTenant()) throw hubError('connection.not_found');
    return connection;
  }

  /** As the kit does it, on the process that lives: a process that dies in it leaves the command to the next one. */
  private async deliver(command: MessageSend): Promise<void> {
    const connection = await this.load(command.connectionId);
    const rendered = renderMessage(command, connection);
    if (rendered.kind !== 'parts') throw new Error('nothing to send');
    for (;;) {
      await sleep(Math.random() * 40);
      try {
        await this.beforeSend(command);
        const client = createClient({ threads: createThreads(this.db, randomUUID), sleep, pace: createPace({ ...unlimited, waitMaxMs: 1_000, now: () => new Date() }) });
        for (const part of rendered.parts) await client.send(part, createClientContext(connection, testKit({ name: 'chatwoot-connector', config: {} }).egress));
        return;
      } catch (error) {
        if (!isHubError(error) || error.retry === 'never') throw error;
      }
    }
  }

  private async beforeSend(command: MessageSend): Promise<void> {
    const envelope = { eventId: newId('evt'), type: 'message.send.chatwoot', version: 1, tenantId: currentTenant(), occurredAt: command.sentAt, orderingKey: command.conversationId, payload: command } as const;
    while (this.current !== undefined) {
      const { moves, mortal } = this.current;
      // A dead process never answers.
      const waited = Symbol('waited');
      const answer = await Promise.race([moves.beforeSend(envelope, command.connectionId), sleep(5_000, waited)]);
      if (answer !== waited) return;
      if (!mortal.isDead()) throw hubError('provider.throttled');
      await sleep(50);
    }
  }

  private async answer(contract: object, input: { readonly body?: unknown }): Promise<unknown> {
    if (contract === getRoutesInternal) {
      const connections = [...this.connections.values()].filter(({ tenantId }) => tenantId === currentTenant()).map(({ connectionId, provider, role, status }) => ({ connectionId, provider, role, status, createdAt: new Date().toISOString() }));
      return { version: 1, timeZone: 'UTC', plan: 'enterprise', routes: [], connections };
    }
    const { from, to } = (input.body ?? {}) as { from?: ConnectionId; to?: ConnectionId }; // of the contracts below
    if (contract === replaceConnectionInRoutes) {
      this.asked.push(`routes to ${this.nameOf(to)}`);
      return { version: 1, replaced: 0 };
    }
    if (contract === replaceConnectionInternal) {
      const isNew = this.desk === from;
      if (to !== undefined) this.desk = to;
      this.asked.push(`conversations to ${this.nameOf(to)}`);
      return { conversations: isNew ? 1 : 0, mappings: 0, kept: 0, isDone: true };
    }
    if (contract === retireConnection) {
      const isGone = this.asked.includes('retire');
      this.asked.push('retire');
      if (isGone) throw hubError('connection.not_found');
      return { id: this.from.connection.connectionId, atProvider: { outcome: 'removed' } };
    }
    throw new Error('nobody answers that');
  }

  private nameOf(connectionId: ConnectionId | undefined): string {
    return connectionId === this.to.connection.connectionId ? 'own' : 'shared';
  }
}

async function inboxIn(sandbox: Sandbox, account: Account, tenantId: TenantId, mode: 'shared' | 'dedicated'): Promise<Inbox> {
  const { inboxId } = await sandbox.ask<{ inboxId: string }>('POST', `/${account.server}/accounts/${account.accountId}/inboxes`, { type: 'api', name: `${tenantId} ${mode}` });
  const { apiUrl, apiToken } = account.credentials;
  const { host, pathname } = new URL(apiUrl);
  return {
    account,
    inboxId,
    connection: {
      tenantId, connectionId: newId('con'), provider: 'chatwoot', role: 'desk', status: 'active', version: 1,
      routingIdentifiers: { inbox: `${host}${pathname}/${account.accountId}/${inboxId}` },
      settings: { mode, apiUrl, accountId: account.accountId, inboxId, inboxType: 'api' },
      credentials: { apiToken },
    },
  };
}
