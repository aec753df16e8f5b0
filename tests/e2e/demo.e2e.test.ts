import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { HubProcess } from './src/hub-process.ts';

const root = resolve(import.meta.dirname, '../..');

/** Runs a script of the repository to its end. */
function run(script: string, environment: Record<string, string>): Promise<{ code: number | null; output: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'scripts', script)], { cwd: root, env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment } });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('exit', (code) => done({ code, output }));
  });
}

describe('npm run demo', () => {
  const home = mkdtempSync(join(tmpdir(), 'switchboard-demo-'));
  let hub: HubProcess;
  let environment: Record<string, string>;

  beforeAll(async () => {
    hub = await HubProcess.create('start', home);
    environment = { SWITCHBOARD_HOME: home, ...Object.fromEntries(Object.entries(hub.ports).map(([name, port]) => [`${name}_PORT`, String(port)])) };
  });
  afterAll(async () => {
    await hub.stop();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  it('starts a hub when there is none, ends well and stops it', async () => {
    const { code, output } = await run('demo.ts', environment);
    expect(output).toContain('The demo ended well.');
    expect(code).toBe(0);
    await expect(fetch(`${hub.url('API_GATEWAY')}/health/live`)).rejects.toThrow('fetch failed');
  }, 180_000);

  it('runs again against a hub that is there, and leaves it running', async () => {
    await hub.start();
    const { code, output } = await run('demo.ts', environment);
    expect(output).toContain('The demo ended well.');
    expect(output).toContain('Globex 404 "Mapping not found"');
    expect(code).toBe(0);
    expect((await fetch(`${hub.url('API_GATEWAY')}/health/ready`)).status).toBe(200);
  }, 180_000);

  it('refuses a second start on the same ports in one sentence', async () => {
    const { code, output } = await run('start.ts', { ...environment, SWITCHBOARD_HOME: join(home, 'other') });
    expect(code).toBe(1);
    expect(output).toMatch(/^switchboard: Port \d+ \([a-z-]+\) is in use; .*\.\n$/);
  }, 60_000);

  it('refuses a second start on the same folder in one sentence, and does the first one no harm', async () => {
    const other = await HubProcess.create('start', home);
    const { code, output } = await run('start.ts', { SWITCHBOARD_HOME: home, ...Object.fromEntries(Object.entries(other.ports).map(([name, port]) => [`${name}_PORT`, String(port)])) });
    expect(code).toBe(1);
    expect(output).toBe(`switchboard: Another Switchboard runs on the folder ${home}; stop it, or set SWITCHBOARD_HOME to another folder.\n`);
    expect((await fetch(`${hub.url('API_GATEWAY')}/health/ready`)).status).toBe(200);
  }, 60_000);
});
