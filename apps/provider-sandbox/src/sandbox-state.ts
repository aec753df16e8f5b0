import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { BotpressTables } from './botpress/rows.ts';
import type { ChatwootTables } from './chatwoot/rows.ts';
import type { TwilioTables } from './twilio/rows.ts';

/** Entries kept per list before the oldest is forgotten: a stand-in must not eat the machine in a load test. */
const listLengthMax = 50_000;

export type MetaAccount = {
  readonly phoneNumberId: string;
  readonly displayPhoneNumber: string;
  readonly wabaId: string;
  readonly appSecret: string;
  readonly accessToken: string;
  readonly verifyToken: string;
  /** Where webhooks of this number go. */
  readonly webhookUrl: string;
  /** Statuses that follow a message by themselves: none, up to delivered, up to read. */
  readonly receipts: 'none' | 'delivered' | 'read';
};

export type GenesysAccount = { readonly clientId: string; readonly clientSecret: string; readonly region: string };

export type GenesysIntegration = {
  readonly id: string;
  readonly clientId: string;
  readonly name: string;
  readonly outboundNotificationWebhookUrl: string;
  readonly outboundNotificationWebhookSignatureSecretToken: string;
  readonly createStatus: 'Initiated' | 'Completed';
  readonly dateCreated: string;
};

/** A call that the hub made, as the sandbox took it. */
export type Received = { readonly at: string; readonly path: string; readonly token: string; readonly body: Record<string, unknown>; readonly id: string };

export type StoredMedia = { readonly id: string; readonly mimeType: string; readonly base64: string; readonly owner: string };

type Tables = ChatwootTables & BotpressTables & TwilioTables & {
  metaAccount: MetaAccount;
  genesysAccount: GenesysAccount;
  genesysIntegration: GenesysIntegration;
  genesysToken: { token: string; clientId: string; expiresAt: string };
  /** By phone number id. */
  metaReceived: Received;
  /** By integration id. */
  genesysReceived: Received;
  /** When a contact last wrote, by `<phone number id>:<contact>`. */
  metaWindow: { at: string };
  /** By `<integration id>:<contact id>`. */
  genesysConversation: { conversationId: string; connected: boolean };
  media: StoredMedia;
};

type Line = { table: keyof Tables; key: string; value: unknown };
type ListTable = 'metaReceived' | 'genesysReceived' | 'chatwootReceived' | 'chatwootDelivery' | 'botpressTurn' | 'botpressSignal' | 'twilioReceived' | 'twilioDelivery';
const lists: ReadonlySet<keyof Tables> = new Set<ListTable>(['metaReceived', 'genesysReceived', 'chatwootReceived', 'chatwootDelivery', 'botpressTurn', 'botpressSignal', 'twilioReceived', 'twilioDelivery']);

/** What the sandbox knows. With a journal file every change is appended to it and read again at the next start. */
export class SandboxState {
  /** By table, group and id. */
  private readonly rows = new Map<string, Map<string, Map<string, unknown>>>();
  private readonly rowLists = new Map<string, unknown[]>();
  private readonly counters = new Map<string, { minute: number; count: number }>();
  private readonly journal: string | undefined;

  constructor(journal: string | undefined) {
    this.journal = journal;
    if (journal === undefined || !existsSync(journal)) return;
    for (const text of readFileSync(journal, 'utf8').split('\n')) {
      if (text === '') continue;
      try {
        // The cast is safe: the file is written by `put`, `remove` and `push` alone; a line cut short by a crash does not parse.
        this.apply(JSON.parse(text) as Line);
      } catch {
        continue;
      }
    }
  }

  get<T extends keyof Tables>(table: T, key: string): Tables[T] | undefined {
    const { group, id } = placeOf(key);
    return this.rows.get(table)?.get(group)?.get(id) as Tables[T] | undefined;
  }

  all<T extends keyof Tables>(table: T): Tables[T][] {
    return [...(this.rows.get(table)?.values() ?? [])].flatMap((group) => [...group.values()]) as Tables[T][];
  }

  /** Rows whose key is `<group>|<id>`, in the order in which they were first put. */
  inGroup<T extends keyof Tables>(table: T, group: string): Tables[T][] {
    return [...(this.rows.get(table)?.get(group)?.values() ?? [])] as Tables[T][];
  }

  put<T extends keyof Tables>(table: T, key: string, value: Tables[T]): void {
    this.write({ table, key, value });
  }

  remove(table: keyof Tables, key: string): void {
    this.write({ table, key, value: null });
  }

  list<T extends ListTable>(table: T, key: string): Tables[T][] {
    return (this.rowLists.get(`${table}/${key}`) ?? []) as Tables[T][];
  }

  push<T extends ListTable>(table: T, key: string, value: Tables[T]): void {
    this.write({ table, key, value });
  }

  /** Counts one in this minute; false when the limit is reached. Never in the journal. */
  countWithin(key: string, limit: number, now: Date): boolean {
    const minute = Math.floor(now.getTime() / 60_000);
    const known = this.counters.get(key);
    const count = known?.minute === minute ? known.count : 0;
    if (count < limit) this.counters.set(key, { minute, count: count + 1 });
    return count < limit;
  }

  private write(line: Line): void {
    this.apply(line);
    if (this.journal !== undefined) appendFileSync(this.journal, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  }

  private apply({ table, key, value }: Line): void {
    if (!lists.has(table)) {
      const { group, id } = placeOf(key);
      const groups = this.rows.get(table) ?? new Map<string, Map<string, unknown>>();
      const rows = groups.get(group) ?? new Map<string, unknown>();
      if (value === null) rows.delete(id);
      else rows.set(id, value);
      this.rows.set(table, groups.set(group, rows));
      return;
    }
    const place = `${table}/${key}`;
    const list = this.rowLists.get(place) ?? [];
    list.push(value);
    if (list.length > listLengthMax) list.splice(0, list.length - listLengthMax);
    this.rowLists.set(place, list);
  }
}

/** A key with a bar lies in the group before its last bar; all others lie in one group. */
function placeOf(key: string): { group: string; id: string } {
  const bar = key.lastIndexOf('|');
  return { group: key.slice(0, Math.max(bar, 0)), id: key.slice(bar + 1) };
}
