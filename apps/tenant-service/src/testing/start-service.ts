import { prepareServices, startService, type RunningService, type ServiceDefinition } from '@switchboard/service-kit';
import { adminHeaders, testEnvironment } from '@switchboard/service-kit/testing';
import { startTestDatabase, testRolePassword, type TestDatabase } from '@switchboard/testing';
import { service } from '../service.ts';

const definition: ServiceDefinition = service;

export type Answer = { readonly status: number; readonly json: unknown };

export type ServiceUnderTest = {
  readonly database: TestDatabase;
  readonly url: string;
  /** As the platform, unless other headers are given. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  stop(): Promise<void>;
};

/** tenant-service over a database of its own, for tests of its routes. */
export async function startTenantService(environment: Record<string, string> = {}): Promise<ServiceUnderTest> {
  const database = await startTestDatabase();
  await prepareServices([definition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  const running: RunningService = await startService(
    definition,
    testEnvironment({
      DATABASE_URL: database.url('switchboard_tenant'),
      BUS_DATABASE_URL: database.url('switchboard_bus'),
      API_KEY_PEPPER: 'pepper of the tests, 32 characters and more',
      PUBLIC_WEBHOOK_URL: 'https://hub.example.net/',
      ...environment,
    }),
  );
  return {
    database,
    url: running.url,
    async call(method, path, body, headers = adminHeaders()) {
      const response = await fetch(`${running.url}${path}`, {
        method,
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
    },
    async stop() {
      await running.stop();
      await database.drop();
    },
  };
}
