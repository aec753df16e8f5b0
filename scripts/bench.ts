import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** In the order of running: what a message passes first, first. */
const benches = ['ingest', 'bus', 'gateway', 'e2e', 'chatbots'];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !benches.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`switchboard: there is no benchmark "${unknown[0]}"; there are: ${benches.join(', ')}.\n`);
  process.exit(2);
}

const failed: string[] = [];
for (const name of benches) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const file = join(import.meta.dirname, '..', 'bench', 'src', `${name}.ts`);
  process.stdout.write(`\n── ${name} ──\n`);
  // One after the other, each in a process of its own: they would measure each other.
  const { status } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', file], { stdio: 'inherit' });
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) process.stderr.write(`switchboard: failed: ${failed.join(', ')}\n`);
process.exit(failed.length === 0 ? 0 : 1);
