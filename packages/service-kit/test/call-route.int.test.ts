import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isHubError, type HubError } from '@switchboard/contracts';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { createCallRoute } from '../src/call-route.ts';
import { startService, type CallRoute, type RunningService } from '../src/index.ts';
import { signInternalToken } from '../src/internal-token.ts';
import { testEnvironment, testSecrets } from '../src/testing/index.ts';
import { sampleService, whoCalls } from './sample-service.ts';

const [acme] = testTenants;
let service: RunningService;
let calls: { callRoute: CallRoute; close: () => Promise<void> };

function callsTo(url: string, audience?: string) {
  return createCallRoute({ urlsOf: () => [url], signToken: (service, claims) => signInternalToken(testSecrets.internalTokenSecret, 'state-manager', audience ?? service, claims) });
}

beforeAll(async () => {
  service = await startService(
    sampleService({ rawRoutes: [{ method: 'POST', pattern: /^\/internal\/who\/page$/, handle: (_, response) => void response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>') }] }),
    testEnvironment(),
  );
  calls = callsTo(service.url);
});
afterAll(async () => {
  await calls.close();
  await service.stop();
});

async function failureOf(promise: Promise<unknown>): Promise<HubError> {
  try {
    await promise;
  } catch (error) {
    if (isHubError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
const asSystem = <T>(fn: () => T) => runAsSystem('a test', fn);

describe('a call to another service', () => {
  it('carries the tenant of the work, or none', async () => {
    const call = () => calls.callRoute('auth-service', whoCalls, { params: { name: 'a/b c' }, query: { n: 3 }, body: {} });
    expect(await runAsTenant(acme, call)).toEqual({ scope: acme, service: 'state-manager', name: 'a/b c', n: 3 });
    expect(await asSystem(call)).toMatchObject({ scope: 'system' });
  });

  it('is not made outside of any scope', async () => {
    expect(await failureOf(calls.callRoute('auth-service', whoCalls, { params: { name: 'x' }, body: {} }))).toMatchObject({ code: 'tenant.context_missing' });
  });

  it("throws the other's error by its code, with its words", async () => {
    expect(await failureOf(asSystem(() => calls.callRoute('auth-service', whoCalls, { params: { name: 'fails' }, body: {} })))).toMatchObject({
      code: 'connection.not_found',
      publicMessage: 'No such connection here.',
      retry: 'never',
    });
  });

  it('is service.timeout when late, service.unavailable when nobody is there or a proxy answers', async () => {
    expect(await failureOf(asSystem(() => calls.callRoute('auth-service', whoCalls, { params: { name: 'x' }, body: { wait: 500 }, timeoutMs: 100 })))).toMatchObject({ code: 'service.timeout', retry: 'later' });
    expect(await failureOf(asSystem(() => calls.callRoute('auth-service', whoCalls, { params: { name: 'page' }, body: {} })))).toMatchObject({ code: 'service.unavailable', retry: 'later' });
    const nobody = callsTo('http://127.0.0.1:1');
    expect(await failureOf(asSystem(() => nobody.callRoute('auth-service', whoCalls, { params: { name: 'x' }, body: {} })))).toMatchObject({ code: 'service.unavailable', retry: 'later' });
    await nobody.close();
  });

  it('is refused with a token for another service', async () => {
    const wrong = callsTo(service.url, 'tenant-service');
    expect(await failureOf(asSystem(() => wrong.callRoute('auth-service', whoCalls, { params: { name: 'x' }, body: {} })))).toMatchObject({ code: 'auth.missing' });
    await wrong.close();
  });
});
