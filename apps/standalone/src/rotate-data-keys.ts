import type { Database } from '@switchboard/db';
import { createDataKeyStore, rewrapDataKeys, type KeyProvider } from '@switchboard/secrets';
import type { ServiceDefinition } from '@switchboard/service-kit';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { rotatePlatformKeys } from './rotate-platform-keys.ts';
import { openServiceDatabase } from './service-databases.ts';
import { tenantPages } from './tenant-pages.ts';

/** Tenants that are asked for at once, and after which progress is told. */
const batchDefault = 200;

/** Tenants wrapped at the same time: enough to hide a key server's round trip, few enough not to crowd it or the services' databases. */
const concurrency = 4;

export type RotateOptions = {
  readonly services: readonly ServiceDefinition[];
  /** Of a service's own role. */
  readonly databaseUrlOf: (service: ServiceDefinition) => string;
  /** Wraps with the new key, unwraps with the old ones too. */
  readonly keyProvider: KeyProvider;
  readonly batch?: number;
  /** One line for the person at the terminal; no secrets. */
  readonly report: (line: string) => void;
};

/** Of one schema: keys wrapped anew now, and those that could not be unwrapped, by tenant (of the platform: by table and id). */
export type Rotated = { readonly schema: string; readonly rewrapped: number; readonly failed: readonly { readonly of: string; readonly reason: string }[] };

/**
 * Wraps the data keys of every tenant, in every service that keeps some, with the key provider's current key. The services go on meanwhile, as
 * long as they can unwrap with both. Each key is a transaction of its own: broken off, it is started again and goes on where it was; run once
 * more, it changes nothing. Throws `secret.provider_unavailable` when the key provider goes away: what was done is kept.
 */
export async function rotateDataKeys({ services, databaseUrlOf, keyProvider, batch = batchDefault, report }: RotateOptions): Promise<Rotated[]> {
  const currentKeyId = await keyProvider.currentKeyId();
  report(`wrapping with ${currentKeyId}`);
  const tenantService = services.find(({ name }) => name === 'tenant-service');
  if (tenantService === undefined) throw new Error('tenant-service is not among the services: nobody else knows all tenants.');
  const tenants = openServiceDatabase(tenantService, databaseUrlOf);
  const rotated: Rotated[] = [];
  try {
    for (const service of services.filter(({ database }) => database !== undefined)) {
      const db = openServiceDatabase(service, databaseUrlOf);
      try {
        const kept = await tablesOfKeys(db);
        if (kept.dataKeys || kept.ofPlatform.length > 0) rotated.push(await rotateSchema(service.database?.schema ?? '', db, kept));
      } finally {
        await db.close();
      }
    }
    return rotated;
  } finally {
    await tenants.close();
  }

  async function rotateSchema(schema: string, db: Database<unknown>, kept: KeptKeys): Promise<Rotated> {
    const dataKeys = createDataKeyStore(db);
    const failed: { of: string; reason: string }[] = [];
    const onFailed = (of: string, error: unknown) => {
      const { code, detail } = error as { code?: string; detail?: { reason?: unknown } };
      // Anything else is no fault of this key: the rest would fail as well.
      if (code !== 'secret.unreadable') throw error;
      failed.push({ of, reason: String(detail?.reason) });
      report(`${schema}: the key of ${of} cannot be unwrapped: ${String(detail?.reason)}`);
    };
    let seen = 0;
    let rewrapped = await rotatePlatformKeys(db, kept.ofPlatform, keyProvider, currentKeyId, onFailed);
    for await (const page of kept.dataKeys ? tenantPages(tenants, batch) : []) {
      await inParallel(page, async (tenantId) => {
        try {
          const count = await runAsTenant(tenantId, () => rewrapDataKeys(dataKeys, keyProvider, currentKeyId));
          // Not `+= await`: that reads the sum before the others have added theirs.
          rewrapped += count;
        } catch (error) {
          onFailed(tenantId, error);
        }
      });
      seen += page.length;
      report(`${schema}: ${seen} tenants, ${rewrapped} keys wrapped anew`);
    }
    return { schema, rewrapped, failed };
  }
}

type KeptKeys = { readonly dataKeys: boolean; /** Tables with secrets of the platform. */ readonly ofPlatform: readonly string[] };

async function tablesOfKeys(db: Database<unknown>): Promise<KeptKeys> {
  const [row] = await runAsSystem('asks which tables of keys the service has', () =>
    db.transaction(() =>
      db.sql.query<KeptKeys>(
        `select to_regclass('tenant_keys') is not null as "dataKeys",
                array(select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relnamespace = to_regnamespace(current_schema()) and c.relkind = 'r' and a.attname = 'wrapped_by' order by 1) as "ofPlatform"`,
      ),
    ),
  );
  return row ?? { dataKeys: false, ofPlatform: [] };
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    }),
  );
}
