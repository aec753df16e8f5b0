import { Client } from 'pg';

/** Any number, the same in every version: names the lock "an installation runs on this server". */
const installationLock = 7_305_811;

/**
 * Claims the server for this process until it ends, however it ends: the lock goes with the connection. False: another process holds it, and
 * the server is that one's to stop. Resolves with the release otherwise.
 */
export async function holdExclusively(adminUrl: string): Promise<(() => Promise<void>) | false> {
  const client = new Client({ connectionString: adminUrl, application_name: 'switchboard installation' });
  // The server ends before its last client when the whole machine goes down; that is no error of ours.
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [installationLock]);
  if (rows[0]?.held === true) return () => client.end();
  await client.end();
  return false;
}
