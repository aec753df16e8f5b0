import { statSync } from 'node:fs';

/** Files of a minute and more, the longest first: begun last, one of them would keep one core busy while the other has nothing left to do. */
const longest = [
  'packages/event-bus/src/kafka/create-kafka-driver.int.test.ts',
  'scripts/single-tenant/migrate-single-tenant.int.test.ts',
  'apps/chatwoot-connector/test/moves.int.test.ts',
  'packages/event-bus/src/embedded/embedded.int.test.ts',
  'apps/standalone/src/service-databases.int.test.ts',
  'tests/e2e/embedded.e2e.test.ts',
  'tests/e2e/distributed.e2e.test.ts',
];

type TestFile = { readonly path: string };

/** In which order test files run: the same on every machine, whatever it remembers of earlier runs. Jest makes it by its default export. */
export default class LongestFirst {
  sort<T extends TestFile>(files: readonly T[]): T[] {
    const weighed = files.map((file) => ({ file, place: placeOf(file), size: statSync(file.path).size }));
    return weighed.toSorted((a, b) => a.place - b.place || b.size - a.size).map(({ file }) => file);
  }

  /** Of `--shard`: every n-th file. */
  shard<T extends TestFile>(files: readonly T[], { shardIndex, shardCount }: { readonly shardIndex: number; readonly shardCount: number }): T[] {
    return files.toSorted((a, b) => (a.path < b.path ? -1 : 1)).filter((_, index) => index % shardCount === shardIndex - 1);
  }

  /** Of `--onlyFailures`, which wants a memory of earlier runs. */
  allFailedTests(): never {
    throw new Error('Which files failed is not remembered: name them.');
  }

  cacheResults(): void {
    // Nothing is remembered.
  }
}

function placeOf({ path }: TestFile): number {
  const place = longest.findIndex((name) => path.endsWith(name));
  return place === -1 ? longest.length : place;
}
