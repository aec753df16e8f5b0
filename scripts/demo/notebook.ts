import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ask, call, type Addresses } from './hub.ts';

/** What a person would write down between two runs of the demo: keys and credentials that are shown once. */
export class Notebook {
  private readonly file: string;
  private readonly pages: Record<string, unknown>;

  constructor(file: string) {
    this.file = file;
    // Written by this class alone.
    this.pages = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>) : {};
  }

  /** What stands there, or what `make` makes, which stands there from then on. */
  async keep<T>(name: string, make: () => Promise<T>): Promise<T> {
    // The cast is safe as long as a name is always used for one form.
    return (this.pages[name] as T | undefined) ?? this.note(name, await make());
  }

  /** A tenant with its key; made anew where the hub does not know it (any more). */
  async tenant(name: string, addresses: Addresses, adminKey: string): Promise<{ readonly tenantId: string; readonly apiKey: string }> {
    const headers = { authorization: `Bearer ${adminKey}` };
    const kept = this.pages[`tenant-${name}`] as { tenantId: string; apiKey: string } | undefined; // as below
    if (kept !== undefined && (await call('GET', `${addresses.gateway}/tenants/${kept.tenantId}`, { headers })).status === 200) return kept;
    const tenantId = `demo-${name.toLowerCase()}-${randomBytes(3).toString('hex')}`;
    const { apiKey } = await ask<{ apiKey: string }>('POST', `${addresses.gateway}/tenants`, { headers, body: { tenantId, name, plan: 'professional', rateLimit: 6000 } });
    return this.note(`tenant-${name}`, { tenantId, apiKey });
  }

  private note<T>(name: string, value: T): T {
    this.pages[name] = value;
    writeFileSync(this.file, JSON.stringify(this.pages, null, 2), { mode: 0o600 });
    return value;
  }
}
