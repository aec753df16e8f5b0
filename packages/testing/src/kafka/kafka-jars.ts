import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withFileLock } from './with-file-lock.ts';

const run = promisify(execFile);
const infra = fileURLToPath(new URL('../../../../infra/kafka/', import.meta.url));

/** Folder of the broker's settings template and pom. */
export const kafkaInfraDirectory = infra;

/**
 * Folder with the broker's jars: fetched once by Maven from infra/kafka/pom.xml (about 55 MB) into infra/kafka/target, which git ignores.
 * Throws when `java` or `mvn` is not there.
 */
export async function kafkaJars(): Promise<string> {
  const jars = `${infra}target/jars`;
  // Renamed into place when complete: a folder that exists is whole.
  if (existsSync(jars)) return jars;
  return withFileLock(`${infra}target.lock`, async () => {
    if (existsSync(jars)) return jars;
    const partial = `${infra}target/partial-${process.pid}`;
    await run('mvn', ['--quiet', '--batch-mode', '--file', `${infra}pom.xml`, 'dependency:copy-dependencies', `-DoutputDirectory=${partial}`]);
    if ((await readdir(partial)).length === 0) throw new Error('Maven fetched no Kafka jars');
    await rename(partial, jars).catch(async (error: unknown) => {
      await rm(partial, { recursive: true, force: true });
      if (!existsSync(jars)) throw error;
    });
    return jars;
  });
}

/** What is missing to run a broker here, or undefined when all is there. */
export async function kafkaMissing(): Promise<string | undefined> {
  for (const [command, argument] of [['java', '-version'], ['mvn', '--version']] as const) {
    try {
      await run(command, [argument]);
    } catch {
      return command;
    }
  }
  return undefined;
}
