import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { furnishTenant, type Furnished } from './src/furnish-tenant.ts';
import { HubProcess } from './src/hub-process.ts';
import { installSchemathesis, runSchemathesis } from './src/schemathesis.ts';

/** Seconds for all generated requests of one credential. */
const budgetSeconds = 40;

const command = installSchemathesis();
if (command === undefined && process.env['CI'] === 'true') throw new Error('CI wants python3 with venv: install python3-venv');
const describeIf = command === undefined ? describe.skip : describe;

/** Requests made from the description that the running gateway serves, good ones and bad ones. */
describeIf('the served description of the API', () => {
  const home = mkdtempSync(join(tmpdir(), 'switchboard-generated-'));
  let hub: HubProcess;
  let acme: Furnished;

  beforeAll(async () => {
    hub = await HubProcess.create('start', home);
    await hub.start();
    acme = await furnishTenant(hub, 'acme');
    await furnishTenant(hub, 'globex');
  }, 240_000);
  afterAll(async () => {
    await hub?.stop();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  const run = (...options: string[]) =>
    runSchemathesis(command ?? '', [
      'run',
      `${hub.url('API_GATEWAY')}/openapi.json`,
      '--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance',
      '--phases=examples,coverage,fuzzing',
      '--max-examples=20',
      `--max-time=${budgetSeconds}`,
      '--continue-on-failure',
      '--generation-database=none',
      '--request-timeout=20',
      '--workers=2',
      '--no-color',
      ...options,
    ]);

  it('is kept to the letter, and nothing a tenant sends makes the hub fail', async () => {
    const { status, output } = await run(`--header=X-API-Key: ${acme.apiKey}`, '--seed=1');
    expect({ status, output: status === 0 ? '' : output.slice(-6_000) }).toEqual({ status: 0, output: '' });
  }, 180_000);

  it('is kept to the letter, and nothing the platform sends makes the hub fail', async () => {
    // Deleting tenants and keys is what it may do: what it breaks here is its own.
    const { status, output } = await run(`--header=Authorization: Bearer ${hub.adminKey}`, '--seed=2', '--include-path-regex=^/(tenants|staff|quarantine|auth|usage)');
    expect({ status, output: status === 0 ? '' : output.slice(-6_000) }).toEqual({ status: 0, output: '' });
  }, 180_000);
});
