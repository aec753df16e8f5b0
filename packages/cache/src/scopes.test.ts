import { describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';

const root = new URL('../../../', import.meta.url).pathname;
const sources = globSync('{apps,packages}/*/src/**/*.ts', { cwd: root, exclude: (path) => path.includes('node_modules') || path.includes('generated') }).filter((path) => !path.endsWith('.test.ts') && !path.startsWith('packages/cache/'));

/** Files of the hub that say one of these words. */
const filesWith = (pattern: RegExp) => sources.filter((path) => pattern.test(readFileSync(`${root}${path}`, 'utf8'))).toSorted();

describe('scopes of caches', () => {
  it('are chosen by the work that is done, except where a tenant is still to be found', () => {
    expect(sources.length).toBeGreaterThan(100);
    // The gateway is the door: it finds the tenant of a credential, and keeps that before any work of the tenant begins.
    expect(filesWith(/\b(?:systemScope|tenantScope|createSystemCache)\b/)).toEqual(['apps/api-gateway/src/cors.ts', 'apps/api-gateway/src/credential-cache.ts', 'apps/api-gateway/src/identify.ts', 'apps/api-gateway/src/tenant-lookup.ts']);
  });

  it('are kept by nobody who reaches for Redis past them: it is reached here, and where requests and calls are counted', () => {
    expect(filesWith(/from 'redis'/).filter((path) => !path.startsWith('packages/testing/'))).toEqual(['apps/api-gateway/src/connect-redis.ts']);
    expect(filesWith(/\/connect-redis\.ts'/)).toEqual(['apps/api-gateway/src/call-journal.ts', 'apps/api-gateway/src/redis-limit.ts']);
  });
});
