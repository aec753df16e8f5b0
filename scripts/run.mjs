// The one way into the repository for a person with Node ≥ 20 and npm: fetches Node 24 and pnpm 10 through npx, installs and generates
// when something changed since the last time, then hands over to scripts/<command>.ts under Node 24.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cacheDirectory = join(root, 'node_modules', '.cache', 'switchboard');
const commands = ['start', 'test', 'demo', 'services', 'bench', 'docs', 'migrate-single-tenant', 'secrets-rotate', 'audit-verify'];

function fail(sentence) {
  process.stderr.write(`switchboard: ${sentence}\n`);
  process.exit(1);
}

/** Paths of Node 24 and pnpm 10; asked of npx once, then remembered. */
function findToolchain() {
  const memo = join(cacheDirectory, 'toolchain.json');
  if (existsSync(memo)) {
    const known = JSON.parse(readFileSync(memo, 'utf8'));
    if (existsSync(known.node) && existsSync(known.pnpm)) return known;
  }
  process.stdout.write('Fetching Node 24 and pnpm 10 …\n');
  const script = "console.log(process.execPath); console.log(require('node:child_process').execSync('command -v pnpm',{encoding:'utf8'}).trim())";
  const asked = spawnSync('npx', ['-y', '-p', 'node@24', '-p', 'pnpm@10', '--', 'node', '-e', script], { encoding: 'utf8', cwd: root });
  const lines = (asked.stdout ?? '').trim().split('\n');
  if (asked.status !== 0 || lines.length < 2) fail(`Node 24 and pnpm 10 could not be fetched with npx: ${(asked.stderr ?? String(asked.error)).trim().split('\n').at(-1)}`);
  const toolchain = { node: lines.at(-2), pnpm: lines.at(-1) };
  mkdirSync(cacheDirectory, { recursive: true });
  writeFileSync(memo, JSON.stringify(toolchain));
  return toolchain;
}

function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

function filesNamed(name, folders) {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(root, folder, entry.name, name))
      .filter((file) => existsSync(file)),
  );
}

/** Runs a step when the files it depends on changed since it last succeeded, or when what it makes is missing. */
function runWhenChanged(step, files, args, outputs, env) {
  const stamp = join(cacheDirectory, `${step}.sha256`);
  const now = fingerprint(files);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now && outputs.every((output) => existsSync(output))) return;
  process.stdout.write(step === 'install' ? 'Installing packages …\n' : 'Generating database clients …\n');
  const ran = spawnSync(args[0], args.slice(1), { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (ran.status !== 0) fail(`the step "${step}" failed:\n${ran.stdout ?? ''}${ran.stderr ?? String(ran.error)}`);
  mkdirSync(cacheDirectory, { recursive: true });
  writeFileSync(stamp, now);
}

const [command = 'start', ...rest] = process.argv.slice(2);
if (!commands.includes(command)) fail(`unknown command "${command}"; there are: ${commands.join(', ')}.`);
if (Number(process.versions.node.split('.')[0]) < 20) fail(`Node ${process.versions.node} is too old; install Node 20 or newer.`);

const toolchain = findToolchain();
const env = { ...process.env, PATH: `${dirname(toolchain.node)}:${dirname(toolchain.pnpm)}:${process.env.PATH}`, TURBO_TELEMETRY_DISABLED: '1' };
const manifests = [join(root, 'package.json'), ...filesNamed('package.json', ['apps', 'packages'])];
runWhenChanged('install', [join(root, 'pnpm-lock.yaml'), ...manifests], [toolchain.pnpm, 'install', '--frozen-lockfile', '--prefer-offline'], [join(root, 'node_modules', '.modules.yaml')], env);
// A service that reaches its tables by SQL alone has a schema, but no client to generate.
const schemas = filesNamed('prisma/schema.prisma', ['apps']).filter((schema) => readFileSync(join(dirname(dirname(schema)), 'package.json'), 'utf8').includes('"generate"'));
runWhenChanged('generate', schemas, [toolchain.pnpm, 'exec', 'turbo', 'run', 'generate', '--output-logs=errors-only'], schemas.map((schema) => join(dirname(dirname(schema)), 'src', 'store', 'generated')), env);

const child = spawn(toolchain.node, ['--disable-warning=ExperimentalWarning', join(root, 'scripts', `${command}.ts`), ...rest], { stdio: 'inherit', cwd: root, env });
// Ctrl-C reaches the child by itself (same process group); what is sent to this process alone is passed on.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGHUP', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
child.on('error', (error) => fail(`Node 24 could not be started: ${error.message}`));
