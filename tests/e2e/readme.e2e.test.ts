import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@switchboard/contracts';
import { createSwitchboard } from '@switchboard/sdk';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium as launcher } from 'playwright-core';
import { sleep } from './src/eventually.ts';
import { HubProcess } from './src/hub-process.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const tenantGuide = read('docs/guides/tenant.md');

/** What a newcomer types, document by document, and how many answers it shows at least. */
const documents: readonly [name: string, text: string, answersMin: number][] = [
  ['README', partOf(read('README.md'), '## Ten minutes, by hand', 'With real accounts'), 11],
  ['README on Chatwoot, chatbots and Twilio', partOf(read('README.md'), '## Chatwoot in ten minutes', '## Moving in'), 15],
  ["tenant's guide", tenantGuide, 38],
  ["platform's guide", read('docs/guides/platform.md'), 11],
];

function partOf(text: string, from: string, to: string): string {
  return text.slice(text.indexOf(from), text.indexOf(to));
}

/** A command and the answer it shows beneath it; `…` stands for anything. */
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

describe('the documents', () => {
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

  const here = (text: string) => {
    const ports: Record<string, number> = { 3000: hub.ports.API_GATEWAY, 3007: hub.ports.TENANT_SERVICE, 3020: hub.ports.PROVIDER_SANDBOX, 3003: hub.ports.WEBHOOK_INGEST };
    return text.replaceAll(/(localhost|127\.0\.0\.1):(30\d\d)/g, (_, host: string, port: string) => `${host}:${ports[port]}`);
  };

  it.each(documents)('show in the %s what a newcomer then sees, line by line', async (name, text, answersMin) => {
    const steps = stepsOf(text);
    expect(steps.filter((step) => step.expected !== undefined).length).toBeGreaterThanOrEqual(answersMin);
    // Each line runs in a shell of its own, as a person would type it; variables are carried on in a file.
    const variables = join(folder, `${name.replaceAll(/\W/g, '-')}.sh`);
    writeFileSync(variables, '');
    const names = [...text.matchAll(/^([A-Z]+)=/gm)].map(([, variable]) => variable).join(' ');
    const run = (command: string) =>
      spawnSync('bash', ['-c', `set -a; . "${variables}"; ${here(command)}${/^[A-Z]+=/.test(command) ? `; declare -p ${names} 2>/dev/null > "${variables}"; true` : ''}`], { cwd: folder, encoding: 'utf8' });
    for (const { command, expected } of steps) {
      const pattern = expected === undefined ? /^/ : patternOf(here(expected));
      let ran = run(command);
      // The hub works asynchronously: a look that comes too early is repeated, as a person would. What changes something runs once.
      const mayRepeat = expected !== undefined && !/-X (?!GET)/.test(command);
      for (let tries = 0; mayRepeat && !pattern.test(ran.stdout) && tries < 40; tries++) {
        await sleep(250);
        ran = run(command);
      }
      expect([command, ran.status]).toEqual([command, 0]);
      expect(ran.stdout).toMatch(pattern);
    }
  }, 120_000);

  it("run the program of the tenant's guide as it stands there", async () => {
    const [, program] = /```ts\n([\s\S]*?)```/.exec(tenantGuide) ?? [];
    // Beside the tests, where the client can be found as in a program that depends on it.
    const file = join(import.meta.dirname, `guide-${process.pid}.ts`);
    writeFileSync(file, program ?? '');
    try {
      const created = await fetch(`${hub.url('API_GATEWAY')}/tenants`, { method: 'POST', headers: { authorization: `Bearer ${hub.adminKey}`, 'content-type': 'application/json' }, body: JSON.stringify({ tenantId: 'sdk', name: 'SDK' }) });
      const { apiKey } = (await created.json()) as { apiKey: string }; // the published form
      const account = await fetch(`${hub.url('PROVIDER_SANDBOX')}/sandbox/whatsapp/accounts`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"phoneNumberId":"700100200300777"}' });
      const client = createSwitchboard({ baseUrl: hub.url('API_GATEWAY'), apiKey });
      // The sandbox answers just the body that connects its account.
      const connection = await client.postCredentials({ body: (await account.json()) as { type: string; credentials: Record<string, unknown> } });
      expect(connection.status).toBe('active');
      await expect(client.getConnection({ params: { connectionId: newId('con') } })).rejects.toMatchObject({ status: 404, code: 'connection.not_found' });
      await fetch(`${hub.url('PROVIDER_SANDBOX')}/sandbox/whatsapp/700100200300777/receive`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"from":"15005550177","name":"Ada","text":"Tomorrow?"}' });
      const run = () => spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', file], { encoding: 'utf8', env: { PATH: process.env['PATH'], HUB_URL: hub.url('API_GATEWAY'), HUB_KEY: apiKey } });
      let ran = run();
      for (let tries = 0; ran.status === 0 && ran.stdout === '' && tries < 20; tries++) {
        await sleep(250);
        ran = run();
      }
      expect([ran.stderr, ran.stdout]).toEqual(['', 'Ada open\n']);
      const sent = () => fetch(`${hub.url('PROVIDER_SANDBOX')}/sandbox/whatsapp/700100200300777/sent`).then((reply) => reply.text());
      for (let tries = 0; !(await sent()).includes('See you then.') && tries < 40; tries++) await sleep(250);
      expect(await sent()).toContain('See you then.');
    } finally {
      rmSync(file, { force: true });
    }
  }, 60_000);

  // Without Chromium the run counts this as skipped; in CI it fails instead.
  const chromium = findChromium();
  if (chromium === undefined && process.env['CI'] === 'true') throw new Error('CI wants Chromium: install chromium');

  const describeInBrowser = chromium === undefined ? describe.skip : describe;
  describeInBrowser('in a browser', () => {
    it('let one enter a key on the page /docs, and call a route', async () => {
      const created = await fetch(`${hub.url('API_GATEWAY')}/tenants`, { method: 'POST', headers: { authorization: `Bearer ${hub.adminKey}`, 'content-type': 'application/json' }, body: JSON.stringify({ tenantId: 'browser', name: 'Seen in a browser' }) });
      const { apiKey } = (await created.json()) as { apiKey: string }; // the published form
      const browser = await launcher.launch({ executablePath: chromium ?? '', args: ['--no-sandbox'] });
      try {
        const page = await browser.newPage();
        const complaints: string[] = [];
        page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
        page.on('requestfailed', (request) => complaints.push(request.url()));
        page.on('request', (request) => new URL(request.url()).origin !== hub.url('API_GATEWAY') && request.url().startsWith('http') && complaints.push(`asks elsewhere: ${request.url()}`));
        await page.goto(`${hub.url('API_GATEWAY')}/docs`);
        await page.click('.btn.authorize');
        await page.fill('.auth-container input >> nth=0', apiKey);
        await page.click('.auth-btn-wrapper .authorize >> nth=0');
        await page.click('.btn-done');
        await page.click('#operations-tag-Tenants');
        await page.click('#operations-Tenants-getTenantOwn');
        await page.click('#operations-Tenants-getTenantOwn .execute');
        const answer = page.locator('#operations-Tenants-getTenantOwn .live-responses-table tbody .response');
        await answer.waitFor();
        expect(await answer.textContent()).toMatch(/^200[\s\S]*"name": "Seen in a browser"/);
        expect(complaints).toEqual([]);
      } finally {
        await browser.close();
      }
    }, 120_000);
  });
});

function findChromium(): string | undefined {
  return ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
}
