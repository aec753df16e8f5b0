import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HubProcess } from '../../../tests/e2e/src/hub-process.ts';

export type Mode = 'embedded' | 'distributed';

/** A hub as a child process, as `npm start` or `npm run services` start it, on a durable Postgres of its own. */
export type Hub = {
  readonly ingestUrl: string;
  readonly tenantServiceUrl: string;
  readonly botpressConnectorUrl: string;
  readonly adminKey: string;
  /** Of its Node processes' root, and of Postgres. */
  readonly pids: { readonly hub: number; readonly postgres: number };
  stop(): Promise<void>;
};

/** A hub that has its ports and does not run yet: the sandbox is told its address first. */
export async function createHub(mode: Mode, home: string, environment: Record<string, string>): Promise<{ readonly ingestUrl: string; start(): Promise<Hub> }> {
  await mkdir(home, { recursive: true });
  const hub = await HubProcess.create(mode === 'embedded' ? 'start' : 'services', home, { LOG_LEVEL: 'warn', ...environment });
  const ingestUrl = hub.url('WEBHOOK_INGEST');
  return {
    ingestUrl,
    async start() {
      await hub.start();
      return {
        ingestUrl,
        tenantServiceUrl: hub.url('TENANT_SERVICE'),
        botpressConnectorUrl: hub.url('BOTPRESS_CONNECTOR'),
        adminKey: hub.adminKey,
        pids: { hub: hub.pid, postgres: postmasterOf(home) },
        stop: async () => {
          await hub.stop();
          // What the hub warned of belongs to the result.
          const said = hub.output.split('\n').filter((line) => /"level":"?(warn|error|fatal|[456]0)/.test(line));
          if (said.length > 0) process.stderr.write(`${mode}: ${said.length} warnings, the first: ${said[0]?.slice(0, 500)}\n`);
        },
      };
    },
  };
}

function postmasterOf(home: string): number {
  const file = [join(home, 'postgres'), join(home, 'services', 'postgres')].map((directory) => join(directory, 'data', 'postmaster.pid')).find((path) => existsSync(path));
  if (file === undefined) throw new Error(`no Postgres runs under ${home}`);
  return Number(readFileSync(file, 'utf8').split('\n')[0]);
}
