import { describe, expect, it } from '@jest/globals';
import { memberRoles, problemSchema, type MemberRole, type RouteContract, type TenantId } from '@switchboard/contracts';
import { z } from 'zod';
import request, { type Response } from 'supertest';
import { replyCheck } from '../http/parse-input.ts';
import { internalTokenHeader } from '../internal-token.ts';
import { serviceNames, type CallInput, type ServiceName } from '../port.ts';
import { adminHeaders, internalToken, internalTokenHeaders, keyHeaders, memberHeaders } from './test-credentials.ts';

export type RouteSuite<C extends RouteContract> = {
  readonly service: ServiceName;
  /** Base URL of the running service; asked in each test. */
  readonly url: () => string;
  /** Whose thing it is, and who else there is. */
  readonly tenants: readonly [TenantId, TenantId];
  /** An input that succeeds for the first tenant; makes what must exist. Called anew by each test. */
  readonly input: (tenantId: TenantId) => Promise<CallInput<C>> | CallInput<C>;
  /** The same input naming a thing that does not exist. With it: another tenant's thing is answered exactly like a missing one. */
  readonly missing?: (input: CallInput<C>) => CallInput<C>;
  /** Under `member`, where the handler looks the person up: a member of the tenant, and its headers. */
  readonly memberId?: (tenantId: TenantId) => Promise<string> | string;
  readonly memberHeaders?: (tenantId: TenantId) => Record<string, string>;
  /** Sent with the credentials: a browser's cookie. Asked after the input was made. */
  readonly headers?: (tenantId: TenantId) => Record<string, string>;
  /** Inputs that are refused, by what is wrong with them. */
  readonly badInputs?: Readonly<Record<string, (input: CallInput<C>) => unknown>>;
};

type Input = { readonly params?: Readonly<Record<string, unknown>>; readonly query?: Readonly<Record<string, unknown>>; readonly body?: unknown };
type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly json: unknown };

/** What every route promises, whatever it does: credentials, input, isolation, reply. The test file adds the meaning. */
export function describeRoute<C extends RouteContract>(contract: C, suite: RouteSuite<C>): void {
  const [owner, other] = suite.tenants;
  const call = (input: Input, headers: Record<string, string>) => send(suite.url(), contract, input, headers);
  const credentialsOf = (tenantId: TenantId) => (contract.auth === 'member' ? suite.memberHeaders?.(tenantId) : undefined) ?? headersFor(contract, suite.service, tenantId);
  const as = (tenantId: TenantId) => ({ ...suite.headers?.(tenantId), ...credentialsOf(tenantId) });
  const inputFor = async (tenantId: TenantId): Promise<Input> => (await suite.input(tenantId)) as Input;

  describe(`${contract.method} ${contract.path}`, () => {
    if (contract.auth !== 'public') {
      it('answers 401 without credentials, before it looks at the input', async () => {
        expect(problemOf(await call({ ...(await inputFor(owner)), body: { notEven: 'valid' } }, {}), 401)).toMatchObject({ code: 'auth.missing' });
      });

      it.each(wrongCredentials(contract, suite.service, owner))('answers 401 to %s', async (_, headers) => {
        expect(problemOf(await call(await inputFor(owner), headers), 401)).toMatchObject({ code: 'auth.missing' });
      });
    }

    if (contract.scopes !== undefined && contract.scopes.length > 0) {
      it('answers 403 to a key without its scope', async () => {
        expect(problemOf(await call(await inputFor(owner), keyHeaders(suite.service, owner, [])), 403)).toMatchObject({ code: 'auth.scope_missing' });
      });
    }

    if (contract.self !== undefined) {
      it('is open to the tenant itself with the scopes it names, and to no other', async () => {
        const missing = { ...(await inputFor(owner)) };
        expect((await call(await inputFor(owner), keyHeaders(suite.service, owner, contract.self?.scopes))).status).toBe(contract.reply.status);
        expect(problemOf(await call(missing, keyHeaders(suite.service, owner, [])), 403)).toMatchObject({ code: 'auth.scope_missing' });
        const foreign = problemOf(await call(missing, keyHeaders(suite.service, other)), 404);
        expect(foreign).toMatchObject({ code: 'tenant.not_found' });
      });
    }

    if (contract.auth === 'member') {
      it.each(memberRoles)('lets %s in where its contract says so', async (role) => {
        const answer = await call(await inputFor(owner), memberHeaders(suite.service, owner, role, await suite.memberId?.(owner)));
        const isRefused = answer.status === 401 || (answer.status === 403 && (answer.json as { code?: unknown }).code === 'auth.scope_missing'); // a problem has a code
        expect(isRefused).toBe(contract.roles?.includes(role) === false);
      });
    }

    for (const part of ['query', 'body'] as const) {
      const schema = contract[part];
      // One that says for itself what else it takes.
      if (schema === undefined || (schema instanceof z.ZodObject && schema.def.catchall !== undefined)) continue;
      it(`answers 400 to an unknown field of the ${part}, and names it`, async () => {
        const input = await inputFor(owner);
        const answer = await call({ ...input, [part]: { ...(input[part] as object | undefined), noSuchField: 'x' } }, as(owner));
        expect(problemOf(answer, 400).issues).toContainEqual({ path: `${part}.noSuchField`, message: 'is not a known field' });
      });
    }

    for (const [what, spoil] of Object.entries(suite.badInputs ?? {})) {
      it(`answers 400 to ${what}, and says where`, async () => {
        const input = spoil((await suite.input(owner)) as CallInput<C>) as Input;
        expect(problemOf(await call(input, as(owner)), 400).issues?.length).toBeGreaterThan(0);
      });
    }

    const { missing } = suite;
    if (missing !== undefined) {
      it("answers another tenant's thing as if it did not exist", async () => {
        const theirs = ofTenant(await inputFor(owner), other);
        const none = ofTenant(missing((await suite.input(owner)) as CallInput<C>) as Input, other);
        const seen = problemOf(await call(theirs, as(other)), 404);
        expect({ ...seen, requestId: '' }).toEqual({ ...problemOf(await call(none, as(other)), 404), requestId: '' });
      });
    }

    it('answers what its contract promises', async () => {
      const answer = await call(await inputFor(owner), as(owner));
      expect({ status: answer.status, issues: contract.reply.status === 204 || contract.reply.status === 302 ? undefined : replyCheck(contract)(answer.json) }).toEqual({ status: contract.reply.status, issues: undefined });
      expect(answer.headers['x-request-id']).toMatch(/^req_/);
    });
  });
}

function headersFor(contract: RouteContract, service: ServiceName, tenantId: TenantId): Record<string, string> {
  switch (contract.auth) {
    case 'admin':
      return adminHeaders();
    case 'internal':
      return internalTokenHeaders(service, tenantId, contract.callers?.[0]);
    case 'key':
      return keyHeaders(service, tenantId);
    case 'member': {
      const [role = 'owner'] = (contract.roles ?? []).filter((name): name is MemberRole => name !== 'platform');
      return memberHeaders(service, tenantId, role);
    }
    case 'public':
      return {};
  }
}

function wrongCredentials(contract: RouteContract, service: ServiceName, tenantId: TenantId): [string, Record<string, string>][] {
  if (contract.auth === 'admin') {
    return [
      ['a wrong admin key', { authorization: 'Bearer wrong-admin-key-0123456789' }],
      ["another service's token", internalTokenHeaders(service, tenantId)],
      ...(contract.self === undefined ? [["a tenant's token", keyHeaders(service, tenantId)] satisfies [string, Record<string, string>]] : []),
    ];
  }
  const elsewhere: ServiceName = service === 'auth-service' ? 'state-manager' : 'auth-service';
  const wrong: [string, Record<string, string>][] = [
    ['a token for another service', { [internalTokenHeader]: internalToken(elsewhere, { tenantId, scopes: ['state:read', 'state:write'] }) }],
    ['a token that was changed', { [internalTokenHeader]: `${internalToken(service, { tenantId }).slice(0, -4)}AAAA` }],
    ['an admin key', adminHeaders()],
  ];
  if (contract.auth === 'internal') {
    const stranger = serviceNames.find((name) => contract.callers?.includes(name) !== true);
    wrong.push(['a token of a service that its contract does not list', internalTokenHeaders(service, tenantId, stranger)]);
  }
  if (contract.auth === 'member') wrong.push(["a key's token", keyHeaders(service, tenantId)]);
  if (contract.auth === 'key') {
    wrong.push(
      ['a token of a service that speaks for no key', internalTokenHeaders(service, tenantId)],
      ['a token without a tenant', { [internalTokenHeader]: internalToken(service, { scopes: ['state:read', 'state:write'] }) }],
      ['a tenant named in a header', { 'x-tenant-id': tenantId }],
    );
  }
  return wrong;
}

function ofTenant(input: Input, tenantId: TenantId): Input {
  return input.params?.['tenantId'] === undefined ? input : { ...input, params: { ...input.params, tenantId } };
}

function problemOf(answer: Answer, status: number) {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  const problem = problemSchema.strict().parse(answer.json);
  expect(problem.error).toBe(problem.title);
  return problem;
}

async function send(base: string, contract: RouteContract, input: Input, headers: Record<string, string>): Promise<Answer> {
  const path = contract.path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(input.params?.[name])));
  const query = new URLSearchParams(Object.entries(input.query ?? {}).map(([name, value]): [string, string] => [name, String(value)]));
  // By the contract's own method: `request(base).get(path)`.
  const call = request(base)[methodOf(contract)](`${path}${query.size === 0 ? '' : `?${query.toString()}`}`).redirects(0).ok(() => true).buffer(true).parse(asText).set(headers);
  const { status, headers: answered, body } = await (contract.body === undefined ? call : call.set('content-type', 'application/json').send(JSON.stringify(input.body ?? {})));
  const text = String(body);
  // Not JSON lines.
  const isJson = /[/+]json\b/.test(answered['content-type'] ?? '');
  return { status, headers: answered, json: text === '' ? undefined : isJson ? JSON.parse(text) : text };
}

function methodOf({ method }: RouteContract): 'get' | 'post' | 'put' | 'patch' | 'delete' {
  // The contract's methods in lower case are exactly these.
  return method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete';
}

/** The body as it came, whatever it says it is. */
function asText(response: Response, done: (error: Error | null, body: unknown) => void): void {
  let text = '';
  // What supertest calls a response here is node's own.
  const stream = response as unknown as NodeJS.ReadableStream;
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => (text += chunk));
  stream.on('end', () => done(null, text));
}
