import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../../..');
const textOf = (pattern: string): string =>
  globSync(pattern, { cwd: root, exclude: (path) => /node_modules|generated/.test(String(path)) })
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');

const contracts = [...textOf('packages/contracts/src/http/*.ts').matchAll(/export const (\w+) = defineRouteContract\(/g)].map(([, name = '']) => name);
const described = new Set([...textOf('{apps,packages}/*/{src,test}/**/*.test.ts').matchAll(/\bdescribeRoute\(\s*(?:contracts\.)?(\w+)/g)].map(([, name]) => name));

describe('the contracts of routes', () => {
  it('are there to be looked at', () => {
    expect(contracts.length).toBeGreaterThan(20);
  });

  it.each(contracts)('are kept by a server under test: %s', (name) => {
    expect(described).toContain(name);
  });
});
