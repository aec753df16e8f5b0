import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';

const folder = new URL('../results/', import.meta.url);

/** Keeps the figures of one benchmark as bench/results/<name>.json, with the machine, the commit and the time they were taken. */
export function storeResult(name: string, figures: object): void {
  mkdirSync(folder, { recursive: true });
  const [cpu] = cpus();
  const machine = { cpu: cpu?.model, cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version, loadAverageAfter: loadavg() };
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).trim();
  const commit = git('rev-parse', 'HEAD');
  // Figures of a tree that differs from the commit say so.
  const changed = git('status', '--porcelain', '--', '../../apps', '../../packages').length > 0;
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify({ measuredAt: new Date().toISOString(), commit, changed, machine, ...figures }, null, 2)}\n`);
}
