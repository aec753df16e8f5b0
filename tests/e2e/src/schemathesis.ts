import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** https://schemathesis.readthedocs.io; pinned, so that a newer one's new checks fail a change of ours and not a quiet day. */
const version = '4.32.5';

/** Whether there is a Python to install the generator with. */
export function hasPython(): boolean {
  return spawnSync('python3', ['-c', 'import ensurepip, venv']).status === 0;
}

/** Installs the generator from PyPI into a folder of its own; answers its command. */
export async function installSchemathesis(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-schemathesis-'));
  await runToEnd('python3', ['-m', 'venv', folder]);
  await runToEnd(join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', `schemathesis==${version}`]);
  return join(folder, 'bin/schemathesis');
}

async function runToEnd(command: string, parts: readonly string[]): Promise<void> {
  const { status, output } = await run(command, parts, tmpdir());
  if (status !== 0) throw new Error(`${command} ${parts.join(' ')}: ${output}`);
}

export function runSchemathesis(command: string, parts: readonly string[]): Promise<Ended> {
  return run(command, parts, dirname(command));
}

type Ended = { readonly status: number | null; readonly output: string };

function run(command: string, parts: readonly string[], cwd: string): Promise<Ended> {
  return new Promise((done, reject) => {
    const child = spawn(command, parts, { cwd, env: { ...process.env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', (status) => done({ status, output }));
  });
}
