import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { kitConfigSchema, urlsOf } from './kit-config.ts';
import { loadConfig } from './load-config.ts';
import { StartRefusal } from '../service/start-refusal.ts';
import { variablesOf } from './variables-of.ts';

const schema = z.object({
  publicWebhookUrl: z.url().describe('the address that providers can reach'),
  workers: z.coerce.number().int().min(1).default(4).describe('how many work at once'),
  apiKeyPepper: z.string().min(8).describe('the pepper of API keys').meta({ secret: true }),
  mode: z.enum(['plain', 'fancy']).optional().describe('how it looks'),
});

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kit-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function complaintOf(environment: Record<string, string | undefined>): string[] {
  try {
    loadConfig(schema, environment);
  } catch (error) {
    if (error instanceof StartRefusal) return error.message.split('\n');
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('loadConfig', () => {
  it('reads camel-case fields from upper-case variables, with defaults', () => {
    expect(loadConfig(schema, { PUBLIC_WEBHOOK_URL: 'https://hub.example', API_KEY_PEPPER: 'long enough', MODE: '' })).toEqual({
      publicWebhookUrl: 'https://hub.example',
      workers: 4,
      apiKeyPepper: 'long enough',
    });
  });

  it('says everything that is missing or wrong at once, in sentences that name the variable', () => {
    expect(complaintOf({ WORKERS: 'many', MODE: 'loud' })).toEqual([
      'PUBLIC_WEBHOOK_URL is missing: the address that providers can reach.',
      'WORKERS is not valid: Invalid input: expected number, received NaN.',
      'API_KEY_PEPPER is missing: the pepper of API keys, or API_KEY_PEPPER_FILE with the path of a file that holds it.',
      'MODE is not valid: Invalid option: expected one of "plain"|"fancy".',
    ]);
  });

  it('never repeats a value', () => {
    const complaint = complaintOf({ PUBLIC_WEBHOOK_URL: 'hunter2', WORKERS: 'hunter2', API_KEY_PEPPER: 'hunter2', MODE: 'hunter2' }).join('\n');
    expect(complaint).not.toContain('hunter2');
  });

  it('takes secrets, and secrets alone, from the file that <NAME>_FILE names', () => {
    const file = join(folder, 'pepper');
    writeFileSync(file, 'pepper from a file\n');
    expect(loadConfig(schema, { PUBLIC_WEBHOOK_URL: 'https://hub.example', API_KEY_PEPPER_FILE: file, MODE_FILE: file }).apiKeyPepper).toBe('pepper from a file');
    expect(complaintOf({ PUBLIC_WEBHOOK_URL: 'https://hub.example', API_KEY_PEPPER_FILE: join(folder, 'none') })).toEqual(['API_KEY_PEPPER_FILE names a file that cannot be read.']);
  });
});

describe('variablesOf', () => {
  it('knows name, default and what is secret, for the documentation', () => {
    expect(variablesOf(schema)).toMatchObject([
      { name: 'PUBLIC_WEBHOOK_URL', required: true, secret: false },
      { name: 'WORKERS', required: false, defaultValue: '4' },
      { name: 'API_KEY_PEPPER', required: true, secret: true },
      { name: 'MODE', required: false },
    ]);
  });

  it('refuses a variable that nobody described', () => {
    expect(() => variablesOf(z.object({ x: z.string() }))).toThrow('config field x');
  });
});

describe("the kit's own variables", () => {
  it('give each service an address and keep their secrets marked', () => {
    const config = loadConfig(kitConfigSchema, { INTERNAL_TOKEN_SECRET: 'x'.repeat(32), TENANT_SERVICE_URL: 'http://tenants:3007/', EGRESS_ALLOW: '10.0.0.0/8, minio' });
    expect(urlsOf(config, 'tenant-service')).toEqual(['http://tenants:3007']);
    expect(urlsOf(config, 'state-manager')).toEqual(['http://127.0.0.1:3002']);
    expect(urlsOf(loadConfig(kitConfigSchema, { INTERNAL_TOKEN_SECRET: 'x'.repeat(32), STATE_MANAGER_URL: 'http://a:1/, http://b:2' }), 'state-manager')).toEqual(['http://a:1', 'http://b:2']);
    expect(() => loadConfig(kitConfigSchema, { INTERNAL_TOKEN_SECRET: 'x'.repeat(32), STATE_MANAGER_URL: 'http://a:1,nowhere' })).toThrow('STATE_MANAGER_URL is not valid');
    expect(config.egressAllow).toEqual(['10.0.0.0/8', 'minio']);
    const secrets = variablesOf(kitConfigSchema).filter(({ secret }) => secret).map(({ name }) => name);
    expect(secrets).toEqual(['DATABASE_URL', 'BUS_DATABASE_URL', 'INTERNAL_TOKEN_SECRET', 'ADMIN_KEY', 'KEY_ENCRYPTION_KEY', 'VAULT_TOKEN', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']);
  });
});
