export const testDirectoryVariable = 'SWITCHBOARD_TEST_DIRECTORY';
/** Node's: where a process finds the code that another has compiled, and leaves what it has compiled itself. */
export const compileCacheVariable = 'NODE_COMPILE_CACHE';

/** Folder of this test run: servers keep their files and addresses in it. Throws outside the int and e2e projects. */
export function testDirectory(): string {
  const directory = process.env[testDirectoryVariable];
  if (directory === undefined) throw new Error('No test servers run. Name the file x.int.test.ts or x.e2e.test.ts, so that Jest starts them.');
  return directory;
}

/** In CI every server is mandatory; elsewhere what is not installed is skipped, and said. */
export function isMandatory(): boolean {
  return process.env['CI'] === 'true';
}
