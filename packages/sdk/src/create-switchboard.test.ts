import { describe, expect, it } from '@jest/globals';
import { gatewayRoutes } from '@switchboard/contracts';
import { operationNames } from './operations.ts';
import { createSwitchboard, type SwitchboardError, type SwitchboardOptions } from './index.ts';

type Seen = { readonly method: string; readonly url: string; readonly headers: Headers; readonly body: unknown };
type Answer = { readonly status?: number; readonly headers?: Record<string, string>; readonly json?: unknown } | 'no answer';

/** A client whose network is this list of answers, and what it asked. */
function hubOf(answers: readonly Answer[], options: Partial<SwitchboardOptions> = {}) {
  const seen: Seen[] = [];
  const network = async (url: string | URL | Request, init: RequestInit = {}) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)] ?? 'no answer';
    seen.push({ method: init.method ?? '', url: String(url), headers: new Headers(init.headers), body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined });
    if (answer === 'no answer') throw new TypeError('fetch failed');
    return new Response(answer.json === undefined ? null : JSON.stringify(answer.json), { status: answer.status ?? 200, headers: answer.headers ?? {} });
  };
  return { seen, hub: createSwitchboard({ baseUrl: 'https://hub.example.com/', apiKey: 'sk_test', fetch: network, ...options }) };
}

const problem = (status: number, code: string) => ({ type: `https://x/${code}`, title: 'Title', status, detail: 'What to do.', code, requestId: 'req_1', error: 'Title' });
const message = { params: { conversationId: 'cnv_00000000000000000000000001' }, body: { text: 'Hello' } };

describe('a call', () => {
  it('goes to the route of its contract with the key, and answers its body', async () => {
    const { hub, seen } = hubOf([{ json: { tenantId: 'acme' } }]);
    expect(await hub.getStats()).toEqual({ tenantId: 'acme' });
    expect(seen[0]).toMatchObject({ method: 'GET', url: 'https://hub.example.com/state/stats' });
    expect(seen[0]?.headers.get('x-api-key')).toBe('sk_test');
  });

  it("asks for the tenant's own things without naming the tenant", async () => {
    const { hub, seen } = hubOf([{ json: {} }]);
    await hub.getTenant();
    expect(seen[0]?.url).toBe('https://hub.example.com/tenant');
  });

  it('keeps a parameter one segment of the path, whatever it holds', async () => {
    const { hub, seen } = hubOf([{ json: {} }]);
    await hub.getMapping({ params: { waId: '../stats?x=1' } });
    expect(seen[0]?.url).toBe('https://hub.example.com/state/mapping/..%2Fstats%3Fx%3D1');
  });

  it('asks for a fresh token each time where it was given a function', async () => {
    let number = 0;
    const { hub, seen } = hubOf([{ json: {} }], { apiKey: undefined, accessToken: () => `token-${++number}` } as never);
    await hub.getStats();
    await hub.getStats();
    expect(seen.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it('is refused before it is made with two credentials', () => {
    expect(() => createSwitchboard({ baseUrl: 'https://hub.example.com', apiKey: 'a', accessToken: 'b' })).toThrow(TypeError);
  });
});

describe('the methods', () => {
  it('are all of the routes that a tenant has at the gateway, but for those that only browsers are led to', () => {
    const tenants = gatewayRoutes.filter(({ contract }) => contract.auth !== 'admin' || contract.self !== undefined).map(({ name }) => name.replace(/Own$/, ''));
    const led = ['startSso', 'finishSso'];
    expect([...operationNames, ...led].toSorted()).toEqual(tenants.toSorted());
  });

  it('reach the dead letters of the service that is named', async () => {
    const { hub, seen } = hubOf([{ json: { redriven: 2 } }]);
    expect(await hub.redriveDeadLetters({ params: { service: 'state-manager' }, body: {} })).toEqual({ redriven: 2 });
    expect(seen[0]).toMatchObject({ method: 'POST', url: 'https://hub.example.com/tenant/dead-letters/state-manager/redrive' });
  });
});

describe('an error', () => {
  it('carries status, code, request id, fields and the way out', async () => {
    const { hub } = hubOf([{ status: 400, json: { ...problem(400, 'request.invalid'), issues: [{ path: 'body.text', message: 'is missing' }] } }]);
    await expect(hub.sendMessage(message)).rejects.toMatchObject({ status: 400, code: 'request.invalid', requestId: 'req_1', message: 'Title: What to do.', issues: [{ path: 'body.text', message: 'is missing' }] } satisfies Partial<SwitchboardError>);
  });

  it('is one of this kind also when something else than the hub answered', async () => {
    const { hub } = hubOf([{ status: 400 }]);
    await expect(hub.getStats()).rejects.toMatchObject({ name: 'SwitchboardError', status: 400, code: 'unknown' });
  });
});

describe('a repetition', () => {
  it('of a message that got no answer goes out under the same Idempotency-Key', async () => {
    const { hub, seen } = hubOf(['no answer', { status: 503, headers: { 'retry-after': '0' }, json: problem(503, 'service.unavailable') }, { status: 202, json: { messageId: 'msg_1' } }]);
    expect(await hub.sendMessage(message)).toEqual({ messageId: 'msg_1' });
    const keys = seen.map(({ headers }) => headers.get('idempotency-key'));
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(keys).size).toBe(1);
    expect(seen).toHaveLength(3);
  });

  it('waits as long as the hub says, and does not when that is days', async () => {
    const limited = { status: 429, headers: { 'retry-after': '86400' }, json: problem(429, 'limit.monthly_exceeded') };
    const { hub, seen } = hubOf([limited]);
    await expect(hub.sendMessage(message)).rejects.toMatchObject({ code: 'limit.monthly_exceeded', retryAfterMs: 86_400_000 });
    expect(seen).toHaveLength(1);
  });

  it('ends after the number of tries that was asked for', async () => {
    const { hub, seen } = hubOf(['no answer'], { retriesMax: 1 });
    await expect(hub.getStats()).rejects.toMatchObject({ status: 0, code: 'network' });
    expect(seen).toHaveLength(2);
  });
});

describe('a list', () => {
  it('is walked page after page to its end', async () => {
    const { hub, seen } = hubOf([{ json: { data: [{ conversationId: 'cnv_1' }], nextCursor: 'next' } }, { json: { data: [{ conversationId: 'cnv_2' }], nextCursor: null } }]);
    const ids: string[] = [];
    for await (const { conversationId } of hub.each('listConversations', { query: { limit: 1 } })) ids.push(conversationId);
    expect(ids).toEqual(['cnv_1', 'cnv_2']);
    expect(seen.map(({ url }) => new URL(url).search)).toEqual(['?limit=1', '?limit=1&cursor=next']);
  });
});
