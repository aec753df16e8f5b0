import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** One part of the proof. A check counts as one; a Jest run counts its tests. */
type Step = { readonly name: string; /** Of a name's second part. */ readonly part?: string; readonly command: readonly string[]; readonly jest?: true };

// --forceExit: a test that failed may leave a server or a consumer behind, and the run must end all the same.
const jest = (project: string, ...options: string[]) => ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js', '--selectProjects', project, '--forceExit', ...options];

/** A limit to the hundredth is measured here: nothing else may want the processor meanwhile. */
const measured = String.raw`gateways\.`;
/** What runs on servers of its own beside the other end-to-end files: of two hubs on one Postgres the second would change the passwords of the first one's roles. */
const distributed = String.raw`(?:distributed|generated-requests)\.`;

/**
 * The stages follow each other: a typing error must not wait for a broker. The rows of a stage run side by side and share nothing, the steps of a row one
 * after another.
 */
const stages: readonly (readonly (readonly Step[])[])[] = [
  [
    [
      { name: 'types', command: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'] },
      { name: 'lint', command: ['node_modules/oxlint/bin/oxlint', '--deny-warnings'] },
      { name: 'boundaries', command: ['node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', '--config', '.dependency-cruiser.cjs', 'apps', 'packages', 'tests'] },
      { name: 'unused', command: ['node_modules/knip/bin/knip.js'] },
      { name: 'docs', command: ['scripts/docs.ts', '--check'] },
    ],
    [{ name: 'unit', command: jest('unit'), jest: true }],
  ],
  // Two files at a time for two cores: they work.
  [[{ name: 'integration', command: jest('int', '--maxWorkers=2'), jest: true }]],
  // Hubs mostly wait: two at a time.
  [
    [{ name: 'end-to-end', part: 'distributed', command: jest('e2e', '--runInBand', `--testPathPatterns=tests/e2e/${distributed}`), jest: true }],
    [{ name: 'end-to-end', command: jest('e2e', '--runInBand', `--testPathPatterns=tests/e2e/(?!${measured}|${distributed})`), jest: true }],
  ],
  [[{ name: 'end-to-end', part: 'by itself', command: jest('e2e', '--runInBand', `--testPathPatterns=tests/e2e/${measured}`), jest: true }]],
];

const names = [...new Set(stages.flat(2).map(({ name }) => name))];
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`switchboard: there is no test step "${unknown[0]}"; there are: ${names.join(', ')}.\n`);
  process.exit(2);
}

const results = mkdtempSync(join(tmpdir(), 'switchboard-test-'));
let passed = 0;
let failed = 0;
let skipped = 0;

for (const rows of stages) {
  const chosen = rows.map((row) => row.filter(({ name }) => wanted.length === 0 || wanted.includes(name))).filter((row) => row.length > 0);
  await Promise.all(chosen.map((row) => runRow(row, chosen.length > 1)));
}

rmSync(results, { recursive: true, force: true });
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exit(failed === 0 ? 0 : 1);

async function runRow(row: readonly Step[], isBesideOthers: boolean): Promise<void> {
  for (const step of row) await run(step, isBesideOthers);
}

async function run(step: Step, isBesideOthers: boolean): Promise<void> {
  const startedAt = Date.now();
  const title = step.part === undefined ? step.name : `${step.name}, ${step.part}`;
  process.stdout.write(`\n── ${title} ──\n`);
  const outputFile = join(results, `${title}.json`);
  const status = await runCommand(step, [...step.command, ...(step.jest ? ['--json', `--outputFile=${outputFile}`] : [])], isBesideOthers);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  if (step.jest === undefined) {
    if (status === 0) passed += 1;
    else failed += 1;
    process.stdout.write(`${title}: ${status === 0 ? 'passed' : 'FAILED'} (${seconds} s)\n`);
    return;
  }
  const report = existsSync(outputFile) ? parseReport(readFileSync(outputFile, 'utf8')) : undefined;
  passed += report?.numPassedTests ?? 0;
  skipped += (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  // A file that does not even load has no tests in the count; it fails all the same.
  const failures = (report?.numFailedTests ?? 0) + (report?.numRuntimeErrorTestSuites ?? 0);
  const counted = status !== 0 && failures === 0 ? 1 : failures;
  failed += counted;
  process.stdout.write(`${title}: ${report?.numPassedTests ?? 0} passed, ${counted} failed (${seconds} s)\n`);
}

/** Resolves with the exit code. Beside others each line says whose it is. */
function runCommand(step: Step, command: readonly string[], isBesideOthers: boolean): Promise<number | null> {
  const show = isBesideOthers ? 'pipe' : 'inherit';
  // Jest prints its report on stderr and, with --json, the result on stdout: the file is enough.
  const child = spawn(process.execPath, command, { stdio: ['ignore', step.jest ? 'ignore' : show, show] });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => process.stdout.write(`${step.name} │ ${line}\n`));
  }
  return new Promise((done) => {
    // What a test left behind may hold the pipe open after the end.
    child.once('exit', (code) => {
      child.once('close', () => done(code));
      setTimeout(() => done(code), 2_000);
    });
  });
}

type JestReport = { numPassedTests: number; numFailedTests: number; numPendingTests: number; numTodoTests: number; numRuntimeErrorTestSuites: number };

function parseReport(text: string): JestReport {
  // The cast names the five fields of Jest's --json result that are used here.
  return JSON.parse(text) as JestReport;
}
