import { Client } from 'pg';
import type { BusLog } from '../port.ts';

export type LeaderConnectionOptions = {
  readonly busUrl: string;
  /** Processes with the same name compete; one leads. */
  readonly name: string;
  readonly channels: readonly string[];
  readonly onNotification: (channel: string, payload: string) => void;
  /** Called when this process leads, after the channels are listened to. */
  readonly onLead: () => void;
  readonly onLost: () => void;
  readonly log: BusLog;
};

export interface LeaderConnection {
  /** Resolves with the first connection; leading may come later. Rejects when the database refuses the first one. */
  open(): Promise<void>;
  close(): Promise<void>;
  readonly connected: boolean;
  readonly leading: boolean;
}

/** A standby asks this often. Taking over within half a second is what a restart needs; the question costs microseconds. */
const standbyAskMs = 250;
const reconnectMs = 500;
/** A server that vanishes says nothing: it is asked this often, and given this long for any answer. */
const pingEveryMs = 5_000;
const answerMsMax = 5_000;
/** The other side of it: Postgres frees the lock of a process that vanished after 10 s of silence and three questions. */
const serverKeepalives = '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3';

/**
 * One connection that listens and holds the lead: a session-level advisory lock. Postgres frees it the moment the connection ends, also by
 * kill -9, so that the next process goes on at once, with no lock of the dead to wait for or to clear. A network that loses the connection
 * without a word is noticed on this side within ten seconds, by Postgres within 25.
 */
export function openLeaderConnection({ busUrl, name, channels, onNotification, onLead, onLost, log }: LeaderConnectionOptions): LeaderConnection {
  let client: Client | undefined;
  let leading = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  async function connect(): Promise<void> {
    const next = new Client({ connectionString: busUrl, keepAlive: true, connectionTimeoutMillis: answerMsMax, query_timeout: answerMsMax, application_name: `switchboard ${name}`, options: serverKeepalives });
    next.on('error', (error) => lost(next, error));
    next.on('end', () => lost(next));
    next.on('notification', ({ channel, payload }) => onNotification(channel, payload ?? ''));
    try {
      await next.connect();
      for (const channel of channels) await next.query(`listen ${channel}`);
    } catch (error) {
      void next.end().catch(() => undefined);
      throw error;
    }
    if (closed) return void next.end().catch(() => undefined);
    // From here on it is the one connection, and its end is a loss; two would wait for each other's lock.
    client = next;
    try {
      await ask(next);
    } catch (error) {
      lost(next, error);
    }
  }

  async function ask(asked: Client): Promise<void> {
    if (closed || client !== asked) return;
    const { rows } = await asked.query<{ lead: boolean }>('select pg_try_advisory_lock(hashtext($1), 1) as lead', [name]);
    if (rows[0]?.lead === true) {
      leading = true;
      onLead();
      ping(asked);
    } else {
      timer = setTimeout(() => void ask(asked).catch((error: unknown) => lost(asked, error)), standbyAskMs);
    }
  }

  /** The leader asks nothing else on this connection, so that only a question of its own shows that there is no answer any more. */
  function ping(asked: Client): void {
    timer = setTimeout(() => {
      if (closed || client !== asked) return;
      asked.query('select 1').then(() => ping(asked), (error: unknown) => lost(asked, error));
    }, pingEveryMs);
  }

  function lost(which: Client, error?: unknown): void {
    if (client !== which) return;
    client = undefined;
    clearTimeout(timer);
    const led = leading;
    leading = false;
    if (led) onLost();
    if (closed) return;
    log.warn({ err: error, bus: name }, 'the bus lost its database connection and connects again');
    void which.end().catch(() => undefined);
    reconnect();
  }

  function reconnect(): void {
    timer = setTimeout(() => {
      if (!closed) connect().catch(reconnect);
    }, reconnectMs);
  }

  return {
    open: connect,
    async close() {
      closed = true;
      clearTimeout(timer);
      await client?.end();
    },
    get connected() {
      return client !== undefined;
    },
    get leading() {
      return leading;
    },
  };
}
