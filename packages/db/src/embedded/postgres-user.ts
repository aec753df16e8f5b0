import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, statSync } from 'node:fs';

/** Who runs Postgres: it refuses to run as root, so root starts it as another user. */
export type PostgresUser = {
  /** Undefined: the current user. */
  readonly ids: { readonly uid: number; readonly gid: number } | undefined;
  /** What to start instead of `command`, so that it runs as that user and reaches its files. */
  wrap(command: string, args: readonly string[]): { command: string; args: string[] };
  /** Makes a file or folder that user's. */
  own(path: string): void;
};

/** `reaches` are paths that Postgres must get to; a data directory that exists is run by its owner. Throws a sentence when it cannot be arranged. */
export function postgresUser(reaches: readonly string[], dataDirectory: string): PostgresUser {
  if (process.getuid?.() !== 0) return { ids: undefined, wrap: (command, args) => ({ command, args: [...args] }), own: () => undefined };
  const ids = ownerOf(dataDirectory) ?? lookUp('postgres') ?? lookUp('nobody');
  if (ids === undefined) throw new Error('Postgres does not run as root, and there is neither a user "postgres" nor "nobody" on this machine. Create one, or start as another user.');
  const own = (path: string): void => chownSync(path, ids.uid, ids.gid);
  if (reaches.every((path) => isReachable(path, ids))) return { ids, wrap: (command, args) => ({ command, args: [...args] }), own };

  // Typically a clone under /root, mode 700. One capability lets the other user walk through folders without changing their modes.
  for (const capability of ['dac_read_search', 'dac_override']) {
    const wrap = (command: string, args: readonly string[]): { command: string; args: string[] } => ({
      command: 'setpriv',
      args: [`--reuid=${ids.uid}`, `--regid=${ids.gid}`, '--clear-groups', `--inh-caps=+${capability}`, `--ambient-caps=+${capability}`, '--', command, ...args],
    });
    const probe = wrap('sh', ['-c', 'for path in "$@"; do test -e "$path" || exit 1; done', 'sh', ...reaches]);
    if (spawnSync(probe.command, probe.args, { stdio: 'ignore' }).status === 0) return { ids: undefined, wrap, own };
  }
  throw new Error(`Postgres does not run as root, and the user it would run as cannot reach ${reaches.join(' and ')}. Move the folder out of a private one (such as /root), or start as another user.`);
}

function ownerOf(path: string): { uid: number; gid: number } | undefined {
  const { uid, gid } = statSync(path, { throwIfNoEntry: false }) ?? { uid: 0, gid: 0 };
  return uid === 0 ? undefined : { uid, gid };
}

function lookUp(name: string): { uid: number; gid: number } | undefined {
  try {
    const id = (flag: string): number => Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

function isReachable(path: string, ids: { uid: number; gid: number }): boolean {
  return spawnSync('test', ['-e', path], { ...ids, stdio: 'ignore', cwd: '/' }).status === 0;
}
