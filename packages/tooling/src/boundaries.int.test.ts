import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../../..');
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');

/** Rule, who imports, what. */
const forbidden: [rule: string, file: string, target: string][] = [
  ['no-app-imports-app', 'apps/a/src/app.ts', '../../b/src/y.ts'],
  ['no-package-imports-app', 'packages/db/src/app.ts', '../../../apps/b/src/y.ts'],
  ['layer-contracts', 'packages/contracts/src/layer.ts', '../../db/src/y.ts'],
  ['layer-db', 'packages/db/src/layer.ts', '../../event-bus/src/y.ts'],
  ['layer-event-bus', 'packages/event-bus/src/layer.ts', '../../service-kit/src/y.ts'],
  ['only-service-kit-express', 'apps/a/src/express.ts', 'express'],
  ['only-event-bus-kafkajs', 'packages/db/src/kafkajs.ts', 'kafkajs'],
  ['only-event-bus-graphile-worker', 'apps/a/src/worker.ts', 'graphile-worker'],
  ['only-db-prisma', 'apps/a/src/routes/prisma.ts', '@prisma/client'],
  ['only-db-pg', 'apps/a/src/store/pg.ts', 'pg'],
  ['domain-is-pure', 'apps/a/src/domain/fs.ts', 'node:fs'],
  ['domain-is-pure', 'apps/a/src/domain/store.ts', '../store/y.ts'],
  ['tests-stay-outside', 'apps/a/src/testing.ts', '../../../packages/testing/src/y.ts'],
  ['not-to-unresolvable', 'apps/a/src/unresolvable.ts', 'not-installed'],
  ['no-circular', 'apps/a/src/circle.ts', './circle.ts'],
];

const targets = [
  'apps/b/src/y.ts', 'apps/a/src/store/y.ts', 'packages/contracts/src/y.ts', 'packages/db/src/y.ts', 'packages/event-bus/src/y.ts', 'packages/service-kit/src/y.ts',
  'packages/testing/src/y.ts',
];
const npmPackages = ['express', 'kafkajs', 'graphile-worker', '@prisma/client', 'pg'];

let folder: string;
let report: string;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'boundaries-')));
  for (const file of targets) write(file, 'export const y = 1;\n');
  for (const name of npmPackages) {
    write(`node_modules/${name}/index.js`, 'export const y = 1;\n');
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
  }
  for (const [, file, target] of forbidden) write(file, `import { y } from '${target}';\nexport const x = (): unknown => y;\n`);
  write('packages/db/src/allowed.ts', `import { y } from '../../contracts/src/y.ts';\nimport { y as z } from 'pg';\nexport const x = [y, z];\n`);
  write('apps/a/src/allowed.ts', `import { x } from '../../../packages/db/src/allowed.ts';\nexport const a = x;\n`);
  write('apps/standalone/src/allowed.ts', `import { a } from '../../a/src/allowed.ts';\nexport const main = a;\n`);
  write('apps/a/src/allowed-type.ts', `import type { Deps } from './allowed-type-back.ts';\nexport const x = (deps: Deps): unknown => deps;\n`);
  write('apps/a/src/allowed-type-back.ts', `import { x } from './allowed-type.ts';\nexport type Deps = { readonly x: typeof x };\n`);
  report = await cruise();
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe('the boundaries', () => {
  it.each(forbidden)('refuse by %s what %s imports from %s', (rule, file) => {
    expect(report).toContain(`error ${rule}: ${file}`);
  });

  it('let pass what is allowed: lower rooms, pg in db, the standalone, a type from where a value goes', () => {
    expect(report).toContain('apps/a/src/app.ts');
    expect(report).not.toContain('allowed');
  });
});

function write(file: string, text: string): void {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

async function cruise(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [cruiser, '--config', join(root, '.dependency-cruiser.cjs'), 'apps', 'packages'], { cwd: folder, env: {} });
    return stdout;
  } catch (error) {
    // It ends with the number of errors as its code, and its report on stdout.
    return String((error as { stdout?: string }).stdout);
  }
}
