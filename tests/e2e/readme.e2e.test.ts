import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { sleep } from './src/eventually.ts';
import { HubProcess } from './src/hub-process.ts';

const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8');

/** A command of the README and the answer it shows beneath it; `…` stands for anything. */
type Step = { readonly command: string; readonly expected: string | undefined };

function stepsOf(section: string): Step[] {
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  const lines = blocks.join('\n').split('\n').filter((line) => line !== '');
  return lines.flatMap((line, index) => (line.startsWith('#') ? [] : [{ command: line, expected: lines[index + 1]?.startsWith('# ') ? lines[index + 1]?.slice(2) : undefined }]));
}

function patternOf(expected: string): RegExp {
  const literal = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${expected.split('…').map(literal).join('[\\s\\S]*')}$`);
}

describe('the README', () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-readme-'));
  const home = join(folder, '.switchboard');
  let hub: HubProcess;

  beforeAll(async () => {
    hub = await HubProcess.create('start', home);
    await hub.start();
  }, 180_000);
  afterAll(async () => {
    await hub.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it('shows by hand what a newcomer then sees, line by line', async () => {
    const section = readme.slice(readme.indexOf('## Ten minutes, by hand'), readme.indexOf('With real accounts'));
    const steps = stepsOf(section);
    expect(steps.filter((step) => step.expected !== undefined).length).toBeGreaterThanOrEqual(11);
    const ports: Record<string, number> = { 3000: hub.ports.API_GATEWAY, 3007: hub.ports.TENANT_SERVICE, 3020: hub.ports.PROVIDER_SANDBOX, 3003: hub.ports.WEBHOOK_INGEST };
    const here = (text: string) => text.replaceAll(/(localhost|127\.0\.0\.1):(30\d\d)/g, (_, host: string, port: string) => `${host}:${ports[port]}`);
    // Each line runs in a shell of its own, as a person would type it; variables are carried on in a file.
    const variables = join(folder, 'variables.sh');
    writeFileSync(variables, '');
    const run = (command: string) =>
      spawnSync('bash', ['-c', `set -a; . "${variables}"; ${here(command)}${/^[A-Z]+=/.test(command) ? `; declare -p ADMIN JSON KEY INTEGRATION CONVERSATION 2>/dev/null > "${variables}"; true` : ''}`], { cwd: folder, encoding: 'utf8' });
    for (const { command, expected } of steps) {
      const pattern = expected === undefined ? /^/ : patternOf(here(expected));
      let ran = run(command);
      // The hub works asynchronously: a look that comes too early is repeated, as a person would. What changes something runs once.
      const mayRepeat = expected !== undefined && !command.includes('-X POST');
      for (let tries = 0; mayRepeat && !pattern.test(ran.stdout) && tries < 40; tries++) {
        await sleep(250);
        ran = run(command);
      }
      expect(ran.status).toBe(0);
      expect(ran.stdout).toMatch(pattern);
    }
  }, 120_000);
});
