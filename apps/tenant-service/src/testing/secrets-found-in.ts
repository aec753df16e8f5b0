import { createDatabase } from '@switchboard/db';
import { runAsSystem } from '@switchboard/tenant-context';
import { PrismaClient } from '../store/generated/client.ts';

/** Looks at every row of every table of the database, as text and as bytes, for each of the secrets. With the superuser's eyes. */
export async function secretsFoundIn(adminUrl: string, secrets: readonly string[]): Promise<{ table: string; secret: string }[]> {
  const admin = createDatabase({ url: adminUrl, schema: 'public', systemRole: decodeURIComponent(new URL(adminUrl).username), connectionsMax: 1, createClient: (adapter) => new PrismaClient({ adapter }) });
  const look = () =>
    admin.transaction(async () => {
      const tables = await admin.sql.query<{ name: string }>(
        "select format('%I.%I', table_schema, table_name) as name from information_schema.tables where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')",
      );
      const found: { table: string; secret: string }[] = [];
      for (const { name } of tables) {
        for (const secret of secrets) {
          // A row as text shows bytea as hex: the second pattern finds a secret that lies there unsealed, the third one in base64.
          const rows = await admin.sql.query(`select 1 from ${name} as r where strpos(r::text, $1) > 0 or strpos(r::text, $2) > 0 or strpos(r::text, $3) > 0 limit 1`, [
            secret,
            Buffer.from(secret).toString('hex'),
            Buffer.from(secret).toString('base64').replace(/.{0,2}=*$/, ''),
          ]);
          if (rows.length > 0) found.push({ table: name, secret });
        }
      }
      return found;
    });
  try {
    return await runAsSystem('looking for secrets in the whole database', look);
  } finally {
    await admin.close();
  }
}
