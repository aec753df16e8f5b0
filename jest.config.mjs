import { preset } from './packages/tooling/jest-preset.mjs';

const shared = { ...preset, rootDir: import.meta.dirname };
const servers = {
  globalSetup: '<rootDir>/packages/testing/src/jest/global-setup.ts',
  globalTeardown: '<rootDir>/packages/testing/src/jest/global-teardown.ts',
};

/** unit: no I/O. int: real Postgres, Kafka, Redis, one of each for all files. e2e: the running system. */
export default {
  // A busy machine must not fail a test that says how long it waits in its own words; what hangs ends all the same.
  testTimeout: 30_000,
  testSequencer: '<rootDir>/packages/testing/src/jest/longest-first.ts',
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['**/*.test.ts'], testPathIgnorePatterns: ['/node_modules/', '\\.int\\.test\\.ts$', '\\.e2e\\.test\\.ts$'] },
    { ...shared, displayName: 'int', testMatch: ['**/*.int.test.ts'], ...servers },
    { ...shared, displayName: 'e2e', testMatch: ['**/*.e2e.test.ts'], ...servers },
  ],
};
