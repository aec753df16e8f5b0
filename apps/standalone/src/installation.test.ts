import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StartRefusal } from '@switchboard/service-kit';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertPortsFree } from './assert-ports-free.ts';
import { openInstallation } from './installation.ts';
import { services } from './services.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchboard-installation-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the home folder', () => {
  it('gets its secrets once; a second start finds the same', () => {
    const home = join(folder, 'new', 'home');
    const first = openInstallation(home, undefined);
    expect(openInstallation(home, undefined).secrets).toEqual(first.secrets);
    expect(new Set(Object.values(first.secrets)).size).toBe(Object.keys(first.secrets).length);
    expect(Buffer.from(first.secrets.keyEncryptionKey, 'base64')).toHaveLength(32);
  });

  it('shows its secrets to its owner alone, also after somebody opened them', () => {
    const { adminKeyFile } = openInstallation(folder, undefined);
    expect(statSync(adminKeyFile).mode & 0o777).toBe(0o600);
    writeFileSync(adminKeyFile, readFileSync(adminKeyFile), { mode: 0o644 });
    openInstallation(folder, undefined);
    expect(statSync(adminKeyFile).mode & 0o777).toBe(0o600);
  });

  it('lets ADMIN_KEY win without writing it down', () => {
    const { secrets, adminKeyFile } = openInstallation(folder, 'a-key-from-outside');
    expect(secrets.adminKey).toBe('a-key-from-outside');
    expect(readFileSync(adminKeyFile, 'utf8')).not.toContain('a-key-from-outside');
  });

  it('is not opened with a key that is too short', () => {
    expect(() => openInstallation(folder, 'short')).toThrow('ADMIN_KEY is too short; give at least 16 characters.');
  });

  it('is refused in one sentence that names SWITCHBOARD_HOME when it cannot be made', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => openInstallation(join(file, 'home'), undefined)).toThrow(StartRefusal);
    expect(() => openInstallation(join(file, 'home'), undefined)).toThrow(/^The folder .* SWITCHBOARD_HOME to another one\.$/);
  });
});

describe('ports', () => {
  it('that are none are refused in one sentence', async () => {
    await expect(assertPortsFree(services, { API_GATEWAY_PORT: 'abc' })).rejects.toThrow('API_GATEWAY_PORT must be a TCP port between 0 and 65535, and is "abc".');
  });

  it('in use are named with their service and the variable that moves it', async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const free = Object.fromEntries(services.map((service) => [`${service.name.toUpperCase().replaceAll('-', '_')}_PORT`, '0']));
    await expect(assertPortsFree(services, { ...free, WEBHOOK_INGEST_PORT: String(port) })).rejects.toThrow(
      new RegExp(`^Port ${port} \\(webhook-ingest\\) is in use; .* WEBHOOK_INGEST_PORT to another port\\.$`),
    );
    await new Promise((done) => other.close(done));
    await expect(assertPortsFree(services, free)).resolves.toBeUndefined();
  });
});
