import { spawn } from 'node:child_process';
import type { BenchTenant } from './onboard.ts';
import type { Providers } from './providers.ts';

/** The reference: naive-relay.ts as a process, between the same broker and the same sandbox. */
export async function startRelay(kafkaBrokers: string, providers: Providers, tenants: readonly BenchTenant[]): Promise<{ readonly url: string; readonly pid: number; stop(): void }> {
  const targets = Object.fromEntries(
    tenants.map(({ phoneNumberId, integrationId, genesysToken }) => [
      phoneNumberId,
      { url: `${providers.url}/genesys/api/v2/conversations/messages/${integrationId}/inbound/open/message?prefetchConversationId=true`, token: genesysToken },
    ]),
  );
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', new URL('naive-relay.ts', import.meta.url).pathname, kafkaBrokers, JSON.stringify(targets)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      const found = /listening (\d+)/.exec(chunk.toString());
      if (found?.[1] !== undefined) resolve(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`the relay ended with ${code}`)));
  });
  return { url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, stop: () => void child.kill('SIGKILL') };
}
