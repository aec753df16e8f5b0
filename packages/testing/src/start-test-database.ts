import { randomBytes } from 'node:crypto';
import { runtimeUrl } from '@switchboard/db';
import { Client } from 'pg';
import { testServerUrl } from './servers/postgres-for-tests.ts';

export type TestDatabase = {
  /** Superuser's URL of the fresh database: for `provision`, `migrate`, `installBus`, and for looking behind the curtain. */
  readonly adminUrl: string;
  /** URL of a role that `provision` made with `testRolePassword`. */
  url(role: string): string;
  /** Ends every connection to it and drops it. */
  drop(): Promise<void>;
};

/** A fresh, empty database in the run's one Postgres. */
export async function startTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(`create database ${name} template template0`);
  const url = new URL(testServerUrl());
  url.pathname = `/${name}`;
  const adminUrl = url.href;
  return {
    adminUrl,
    url: (role) => runtimeUrl(adminUrl, role, testRolePassword(role)),
    drop: () => asAdmin(`drop database if exists ${name} with (force)`),
  };
}

/** What every test gives `provision` as `rolePassword`: roles belong to the server that all test files share, so there is one password each. */
export function testRolePassword(role: string): string {
  return `password-of-${role}`;
}

async function asAdmin(statement: string): Promise<void> {
  const client = new Client({ connectionString: testServerUrl() });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
