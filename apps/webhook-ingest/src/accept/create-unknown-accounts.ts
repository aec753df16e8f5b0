import type { ProviderId } from '@switchboard/contracts';
import type { RoutingIdentifier } from '@switchboard/providers';
import type { Kit } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import type { UnknownAccount, UnknownAccountStore } from '../store/unknown-accounts.ts';

export interface UnknownAccounts {
  /** A webhook named these, and nobody has connected them. Costs a look into a map. */
  note(provider: ProviderId, accounts: readonly RoutingIdentifier[]): void;
  /** Writes down some of what was noted. */
  flush(): Promise<void>;
  start(): void;
  /** Writes down some of what is left. */
  stop(): Promise<void>;
}

/** Accounts of a webhook that are noted: Meta's body seldom names more than one. */
const ofWebhookMax = 10;
/** Accounts that wait to be written down, some hundred bytes each; the one heard of longest ago makes room. */
const notedMax = 1_000;
/** Whoever sends may name what they like: a process writes one statement with so many rows so often, forty rows a second. */
const flushEveryMs = 5_000;
const writtenAtOnceMax = 200;

/** Counts in memory which accounts webhooks name that nobody has connected, and writes it down now and then. What is not written yet is lost with the process. */
export function createUnknownAccounts({ store, log, now }: { readonly store: Pick<UnknownAccountStore, 'add'>; readonly log: Pick<Kit<unknown, unknown>['log'], 'warn'>; readonly now: () => Date }): UnknownAccounts {
  const noted = new Map<string, UnknownAccount>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;

  function put(heard: UnknownAccount): void {
    const key = `${heard.provider}|${heard.account}`;
    const before = noted.get(key);
    noted.delete(key);
    noted.set(key, before === undefined ? heard : { ...heard, count: before.count + heard.count, firstAt: before.firstAt < heard.firstAt ? before.firstAt : heard.firstAt, lastAt: before.lastAt > heard.lastAt ? before.lastAt : heard.lastAt });
    if (noted.size <= notedMax) return;
    const { value: oldest } = noted.keys().next() as IteratorYieldResult<string>; // there is one: the map is over its bound
    noted.delete(oldest);
  }

  async function write(): Promise<void> {
    const written = [...noted.entries()].slice(0, writtenAtOnceMax);
    if (written.length === 0) return;
    for (const [key] of written) noted.delete(key);
    try {
      await runAsSystem('counting accounts that no tenant has', () => store.add(written.map(([, account]) => account)));
    } catch (error) {
      log.warn({ err: error, accounts: written.length }, 'unknown accounts could not be written down');
      for (const [, account] of written) put(account);
    }
  }

  async function flush(): Promise<void> {
    writing ??= write().finally(() => (writing = undefined));
    await writing;
  }

  return {
    note(provider, accounts) {
      const at = now().toISOString();
      const names = new Set(accounts.map(({ name, value }) => `${name}:${value}`));
      for (const account of [...names].slice(0, ofWebhookMax)) put({ provider, account, count: 1, firstAt: at, lastAt: at });
    },
    flush,
    start() {
      timer ??= setInterval(() => void flush(), flushEveryMs).unref();
    },
    async stop() {
      clearInterval(timer);
      await flush();
    },
  };
}
