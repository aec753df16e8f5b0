import { Client } from 'pg';
import { startPostgres } from '@switchboard/db/embedded';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHub, type Hub } from '../e2e/hubs.ts';
import { memoryMiBOf, startProcess, type Measured } from '../start-process.ts';
import { connectPlatform, onboardTenant, type ChatbotTenant, type Place } from './onboard.ts';
import { seedTenants } from './seed.ts';

/** A hub as `npm start` runs it, with its tenants and its own stand-ins. */
export type HubWithTenants = {
  readonly name: string;
  readonly hub: Hub;
  readonly place: Place;
  readonly admin: Client;
  readonly tenants: readonly ChatbotTenant[];
  /** MiB resident: when nobody was there yet, and when all were. */
  readonly memoryMiB: { readonly empty: number; readonly seeded: number };
  readonly seconds: { readonly byApi: number; readonly bySql: number };
  stop(): Promise<void>;
};

/** Tenants that the API makes; the others are written as it wrote these. */
const byApiMax = 10;

export async function startHubWithTenants(name: string, home: string, count: number, filesMs: number): Promise<HubWithTenants> {
  const standIn = await startProcess(`stand-ins of ${name}`, 'Chatwoot and Botpress', './chatbots/stand-in-server.ts', [String(filesMs)]);
  const standInUrl = `http://127.0.0.1:${standIn.port}`;
  const nodeOptions = process.env['BENCH_HUB_NODE_OPTIONS'];
  const hub = await (await createHub('embedded', home, { SANDBOX_URL: standInUrl, ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions }) })).start();
  const place: Place = { ...hub, standInUrl };
  const empty = memoryMiBOfHub(hub);
  await connectPlatform(place);
  const startedAt = performance.now();
  const tenants: ChatbotTenant[] = [];
  for (let index = 0; index < Math.min(count, byApiMax); index++) tenants.push(await onboardTenant(place, index));
  const byApi = (performance.now() - startedAt) / 1000;
  // The hub's own: it runs already, and stays its to stop.
  const { adminUrl } = await startPostgres({ directory: join(home, 'postgres') });
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  const keyEncryptionKey = (await readFile(join(home, 'key-encryption-key'), 'utf8')).trim();
  if (count > byApiMax) tenants.push(...(await seedTenants(admin, keyEncryptionKey, byApiMax, count)));
  const bySql = (performance.now() - startedAt) / 1000 - byApi;
  return { name, hub, place, admin, tenants, memoryMiB: { empty, seeded: memoryMiBOfHub(hub) }, seconds: { byApi, bySql }, stop: () => stop(hub, admin, standIn) };
}

export function memoryMiBOfHub({ pids }: Hub): number {
  return memoryMiBOf({ child: { pid: pids.hub } });
}

async function stop(hub: Hub, admin: Client, standIn: Measured): Promise<void> {
  await admin.end();
  await hub.stop();
  standIn.child.kill('SIGKILL');
}
