import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../../..');
const sources = globSync(['apps/*/src/**/*.ts', 'packages/*/src/**/*.ts'], { cwd: root }).filter((file) => !file.includes('/generated/'));
const production = sources.filter((file) => !/\.test\.ts$|\/testing\/|^packages\/(testing|tooling)\//.test(file));

const saying = (pattern: RegExp, files = production): string[] => files.filter((file) => pattern.test(readFileSync(join(root, file), 'utf8')));

/** Rules of docs and CONTRIBUTING.md that neither the linter nor the boundaries can see. */
describe('the sources', () => {
  it('are there to be looked at', () => {
    expect(production.length).toBeGreaterThan(50);
  });

  it('compute an HMAC only where webhooks are verified, secrets and keys are kept, and a provider is played', () => {
    const allowed = /^packages\/(providers\/src\/webhook-auth|secrets)\/|^apps\/provider-sandbox\//;
    expect(saying(/\bcreateHmac\b/).filter((file) => !allowed.test(file))).toEqual([]);
  });

  it('bear no name that says nothing', () => {
    const empty = /(^|-)(utils?|helpers?|common|misc|shared|manager|data|info|process|handle)(\.|$)/;
    // A contract is named after its service.
    expect(sources.filter((file) => empty.test(basename(file)) && !file.endsWith('/http/state-manager.ts'))).toEqual([]);
  });

  it('turn no lint rule or type check off without a reason beside it', () => {
    expect(saying(/@ts-(ignore|nocheck|expect-error)\s*$|(oxlint|eslint)-disable(?!.*--)/m, sources.filter((file) => !file.endsWith('source-rules.test.ts')))).toEqual([]);
  });
});
