import { explain } from '../apps/standalone/src/explain.ts';
import { rotateDataKeys } from '../apps/standalone/src/rotate-data-keys.ts';
import { openServiceDatabases } from '../apps/standalone/src/service-databases.ts';
import { services } from '../apps/standalone/src/services.ts';
import { keyProviderConfigSchema, loadConfig, openKeyProvider } from '../packages/service-kit/src/index.ts';

/**
 * Wraps every tenant's data keys with the current key-encryption key (docs/runbooks/rotate-keys.md). Works beside running services; safe to break
 * off and to repeat. Ends with 1 when a data key could not be unwrapped, or the key provider went away.
 */
async function rotate(): Promise<void> {
  let failed = 0;
  for (const place of await openServiceDatabases(process.env)) {
    try {
      console.log(`${place.name}`);
      const keyProvider = openKeyProvider('secrets:rotate', loadConfig(keyProviderConfigSchema, { ...process.env, ...place.variables }));
      const rotated = await rotateDataKeys({ services, databaseUrlOf: place.databaseUrlOf, keyProvider, report: (line) => console.log(`  ${line}`) });
      for (const { schema, rewrapped, failed: lost } of rotated) console.log(`${schema}: ${rewrapped} wrapped anew, ${lost.length} not readable`);
      failed += rotated.reduce((sum, each) => sum + each.failed.length, 0);
    } finally {
      await place.close();
    }
  }
  if (failed > 0) throw new Error(`${failed} data keys cannot be unwrapped: leave the previous key where it is, and see docs/runbooks/rotate-keys.md.`);
  console.log('done: every data key is wrapped with the current key; the previous one is needed no more.');
}

try {
  await rotate();
} catch (error) {
  const { code, detail } = error as { code?: string; detail?: { provider?: string; reason?: string } };
  const sentence = code === 'secret.provider_unavailable' ? `The key provider ${detail?.provider} does not answer as it should (${detail?.reason}). What was done is kept; start again.` : explain(error);
  process.stderr.write(`switchboard: ${sentence}\n`);
  process.exitCode = 1;
}
