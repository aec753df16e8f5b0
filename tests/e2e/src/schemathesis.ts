import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** https://schemathesis.readthedocs.io; pinned, so that a newer one's new checks fail a change of ours and not a quiet day. */
const version = '4.32.5';

/** The generator's command, installed from PyPI into a folder of its own; undefined where there is no Python. */
export function installSchemathesis(): string | undefined {
  if (spawnSync('python3', ['-c', 'import ensurepip, venv']).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-schemathesis-'));
  for (const [command, ...parts] of [
    ['python3', '-m', 'venv', folder],
    [join(folder, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${version}`],
  ] as const) {
    const ran = spawnSync(command, parts, { encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(`${command} ${parts.join(' ')}: ${ran.stderr}`);
  }
  return join(folder, 'bin/schemathesis');
}

export function runSchemathesis(command: string, parts: readonly string[]): Promise<{ readonly status: number | null; readonly output: string }> {
  return new Promise((done) => {
    const child = spawn(command, parts, { cwd: dirname(command), env: { ...process.env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('close', (status) => done({ status, output }));
  });
}
