import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { furnishTenant, type Furnished } from './src/furnish-tenant.ts';
import { HubProcess } from './src/hub-process.ts';
import { hasPython, installSchemathesis, runSchemathesis } from './src/schemathesis.ts';

/** Seconds for all generated requests of one credential. */
const budgetSeconds = 25;

if (!hasPython() && process.env['CI'] === 'true') throw new Error('CI wants python3 with venv: install python3-venv');
const describeIf = hasPython() ? describe : describe.skip;

/** Requests made from the description that the running gateway serves, good ones and bad ones. */
describeIf('the served description of the API', () => {
  const home = mkdtempSync(join(tmpdir(), 'switchboard-generated-'));
  let hub: HubProcess;
  let acme: Furnished;
  let command: string | undefined;

  beforeAll(async () => {
    hub = await HubProcess.create('start', home);
    [command] = await Promise.all([installSchemathesis(), hub.start()]);
    acme = await furnishTenant(hub, 'acme');
    await furnishTenant(hub, 'globex');
  }, 240_000);
  afterAll(async () => {
    await hub?.stop();
    rmSync(home, { recursive: true, force: true });
    if (command !== undefined) rmSync(dirname(dirname(command)), { recursive: true, force: true });
  }, 60_000);

  /** Real ids, so that what is generated gets past "not found" to what the route does. */
  const configFor = ({ things }: Furnished): string => {
    const file = join(home, 'schemathesis.toml');
    writeFileSync(file, ['[parameters]', ...Object.entries(things).map(([name, value]) => `"path.${name}" = "${value}"`), ''].join('\n'));
    return file;
  };

  /** What the generator found against the hub; its own difficulties with a schema are not the hub's. */
  async function faultsFound(...options: string[]): Promise<string> {
    const { output } = await runSchemathesis(command ?? '', [
      `--config-file=${configFor(acme)}`,
      'run',
      `${hub.url('API_GATEWAY')}/openapi.json`,
      '--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance',
      '--phases=coverage,fuzzing',
      '--max-examples=20',
      `--max-time=${budgetSeconds}`,
      '--continue-on-failure',
      '--generation-database=none',
      '--request-timeout=20',
      '--no-color',
      // Browsers are led here by an identity provider; what is added to its query without end is refused by the HTTP server itself (431).
      '--exclude-path-regex=^/auth/sso/callback',
      ...options,
    ]);
    // A run that asked next to nothing found nothing either.
    const asked = Number(/Test cases:\s+(\d+) generated/.exec(output)?.[1] ?? 0);
    if (asked < 200) throw new Error(`only ${asked} requests were generated:\n${output.slice(-4_000)}`);
    const [, failures = ''] = /=+ FAILURES =+\n([\s\S]*?)\n=+ (?:WARNINGS|ERRORS|SUMMARY) =+/.exec(output) ?? [];
    return failures.split(/\n(?=_{5,} )/).filter((failure) => failure !== '' && !isOfTheNetwork(failure)).join('\n').slice(0, 8_000);
  }

  /** A made-up host that no name server answered for: declared, and a 502 by right where there is no network. */
  function isOfTheNetwork(failure: string): boolean {
    const cases = failure.match(/Test Case ID/g)?.length ?? 0;
    return cases > 0 && failure.match(/Server error/g)?.length === cases && failure.match(/\[502\] Bad Gateway:\s+`\{\\?"type\\?":\\?"urn:switchboard:error:egress\.failed/g)?.length === cases;
  }

  it('is kept to the letter, and nothing a tenant sends makes the hub fail', async () => {
    expect(await faultsFound(`--header=X-API-Key: ${acme.apiKey}`, '--seed=1', '--include-path-regex=^/(tenant|state|auth|api|[.])(/|$|w|s[.])')).toBe('');
  }, 180_000);

  it('is kept to the letter, and nothing the platform sends makes the hub fail', async () => {
    // Deleting tenants and keys is what it may do: what it breaks here is its own.
    expect(await faultsFound(`--header=Authorization: Bearer ${hub.adminKey}`, '--seed=2', '--include-path-regex=^/(tenants|staff|quarantine|auth|usage|plan|platform|api)')).toBe('');
  }, 180_000);
});
