// Generates the Prisma client of the service in the current folder. `prisma generate` wants to download a schema
// engine that it does not use for this generator; naming an existing executable keeps it off the network.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const rootRequire = createRequire(new URL('../../../package.json', import.meta.url));
const prismaManifest = rootRequire.resolve('prisma/package.json');
const cli = join(dirname(prismaManifest), rootRequire('prisma/package.json').bin.prisma);
const { status } = spawnSync(process.execPath, [cli, 'generate', '--schema', 'prisma/schema.prisma'], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' },
});
process.exit(status ?? 1);
