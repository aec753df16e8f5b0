import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One part of the proof. A check counts as one; a Jest run counts its tests. */
type Step = { readonly name: string; readonly command: readonly string[]; readonly jest?: true };

// --forceExit: a test that failed may leave a server or a consumer behind, and the run must end all the same.
const jest = (project: string, ...options: string[]) => ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js', '--selectProjects', project, '--forceExit', ...options];

/** The cheap ones first: a typing error must not wait for a broker. */
const steps: readonly Step[] = [
  { name: 'types', command: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'] },
  { name: 'lint', command: ['node_modules/oxlint/bin/oxlint', '--deny-warnings'] },
  { name: 'boundaries', command: ['node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', '--config', '.dependency-cruiser.cjs', 'apps', 'packages', 'tests'] },
  { name: 'unused', command: ['node_modules/knip/bin/knip.js'] },
  { name: 'docs', command: ['scripts/docs.ts', '--check'] },
  { name: 'unit', command: jest('unit'), jest: true },
  // The servers are shared by all files; two files at a time fill two cores.
  { name: 'integration', command: jest('int', '--maxWorkers=2'), jest: true },
  { name: 'end-to-end', command: jest('e2e', '--runInBand'), jest: true },
];

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  process.stderr.write(`switchboard: there is no test step "${unknown[0]}"; there are: ${steps.map((step) => step.name).join(', ')}.\n`);
  process.exit(2);
}

const results = mkdtempSync(join(tmpdir(), 'switchboard-test-'));
let passed = 0;
let failed = 0;
let skipped = 0;

for (const step of steps) {
  if (wanted.length > 0 && !wanted.includes(step.name)) continue;
  const startedAt = Date.now();
  process.stdout.write(`\n── ${step.name} ──\n`);
  const outputFile = join(results, `${step.name}.json`);
  const { status } = spawnSync(process.execPath, [...step.command, ...(step.jest ? ['--json', `--outputFile=${outputFile}`] : [])], {
    // Jest prints its report on stderr and, with --json, the result on stdout: the file is enough.
    stdio: ['ignore', step.jest ? 'ignore' : 'inherit', 'inherit'],
  });
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  if (step.jest === undefined) {
    if (status === 0) passed += 1;
    else failed += 1;
    process.stdout.write(`${step.name}: ${status === 0 ? 'passed' : 'FAILED'} (${seconds} s)\n`);
    continue;
  }
  const report = existsSync(outputFile) ? parseReport(readFileSync(outputFile, 'utf8')) : undefined;
  passed += report?.numPassedTests ?? 0;
  skipped += (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  // A file that does not even load has no tests in the count; it fails all the same.
  const failures = (report?.numFailedTests ?? 0) + (report?.numRuntimeErrorTestSuites ?? 0);
  failed += status !== 0 && failures === 0 ? 1 : failures;
  process.stdout.write(`${step.name}: ${report?.numPassedTests ?? 0} passed, ${failures} failed (${seconds} s)\n`);
}

rmSync(results, { recursive: true, force: true });
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exit(failed === 0 ? 0 : 1);

type JestReport = { numPassedTests: number; numFailedTests: number; numPendingTests: number; numTodoTests: number; numRuntimeErrorTestSuites: number };

function parseReport(text: string): JestReport {
  // The cast names the five fields of Jest's --json result that are used here.
  return JSON.parse(text) as JestReport;
}
