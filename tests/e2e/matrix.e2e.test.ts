import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gatewayRoutes, memberRoles, newId, scopes, type GatewayRoute, type Scope } from '@switchboard/contracts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callAs, type CallAnswer } from './src/call-as.ts';
import { expectedEntry, type Credential } from './src/expected-entry.ts';
import { HubProcess } from './src/hub-process.ts';
import { furnishTenant, joinMember, joinStaff, type Furnished } from './src/furnish-tenant.ts';

const baseDomain = 'switchboard.test';

/** Well-formed names of things that nobody has. A new parameter of a path wants a line here. */
const nobodys: Readonly<Record<string, () => string>> = {
  tenantId: () => 'nobody',
  conversationId: () => newId('cnv'),
  connectionId: () => newId('con'),
  keyId: () => newId('key'),
  memberId: () => newId('mbr'),
  deadLetterId: () => newId('dlq'),
  issuerId: () => newId('iss'),
  leadId: () => newId('led'),
  platformConnectionId: () => newId('pcn'),
  version: () => '1',
  waId: () => '19995550000',
  service: () => 'state-manager',
};

/** Bodies with which a writing route gets as far as looking for its thing. A new route that names a thing and takes a body wants a line here. */
const bodies: Readonly<Record<string, unknown>> = {
  sendMessage: { text: 'Hello' },
  updateLead: { status: 'contacted' },
  updateMemberOwn: { name: 'Another name' },
  updateConnectionOwn: { status: 'disabled' },
  rotateCredentialsOwn: { credentials: { accessToken: 'another-token' } },
  rotateApiKeyOwn: { overlapHours: 1 },
  updateIssuerOwn: { isEnabled: false },
};

const credentialsOf = ({ apiKey, ownerToken }: Furnished): Readonly<Record<string, string>>[] => [{ 'x-api-key': apiKey }, { authorization: `Bearer ${ownerToken}` }];

type Named = { readonly name: string; readonly credential: Credential; readonly headers: Readonly<Record<string, string>> };

/**
 * Every route of the gateway's table × every way of knocking. What is sent names things that nobody has, so that whoever is let in changes
 * nothing; what a route then answers is its own suite's matter. The second half asks for another tenant's real things.
 */
describe('the gateway', () => {
  const home = mkdtempSync(join(tmpdir(), 'switchboard-matrix-'));
  let hub: HubProcess;
  let acme: Furnished;
  let globex: Furnished;
  let knocks: Named[] = [];

  beforeAll(async () => {
    hub = await HubProcess.create('start', home, { BASE_DOMAIN: baseDomain });
    await hub.start();
    acme = await furnishTenant(hub, 'acme');
    globex = await furnishTenant(hub, 'globex');
    knocks = await everyKnock();
  }, 240_000);
  afterAll(async () => {
    await hub?.stop();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  async function everyKnock(): Promise<Named[]> {
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    const host = (tenant: string) => ({ host: `${tenant}.${baseDomain}` });
    const narrow = await Promise.all(scopes.map(async (scope): Promise<[Scope, string]> => [scope, await acme.makeKey([scope])]));
    const members = await Promise.all(memberRoles.map(async (role) => ({ role, token: await joinMember(hub, 'acme', role) })));
    const staff = await joinStaff(hub);
    return [
      { name: 'nothing', credential: { kind: 'none' }, headers: {} },
      { name: 'garbage for a key', credential: { kind: 'wrong' }, headers: { 'x-api-key': 'sk_garbage' } },
      { name: 'garbage for a token', credential: { kind: 'wrong' }, headers: bearer('garbage') },
      { name: 'a key as a token', credential: { kind: 'wrong' }, headers: bearer(acme.apiKey) },
      { name: 'a token as a key', credential: { kind: 'wrong' }, headers: { 'x-api-key': members[0]?.token ?? '' } },
      { name: 'a tenant named by a header', credential: { kind: 'none' }, headers: { 'x-tenant-id': 'acme', 'x-switchboard-internal': 'eyJhbGciOiJub25lIn0.e30.' } },
      { name: 'a key with every scope', credential: { kind: 'key', scopes }, headers: { 'x-api-key': acme.apiKey } },
      ...narrow.map(([scope, key]): Named => ({ name: `a key with ${scope} alone`, credential: { kind: 'key', scopes: [scope] }, headers: { 'x-api-key': key } })),
      ...members.map(({ role, token }): Named => ({ name: `a member as ${role}`, credential: { kind: 'member', role }, headers: bearer(token) })),
      { name: 'a member at the door of their tenant', credential: { kind: 'member', role: 'owner' }, headers: { ...bearer(members[0]?.token ?? ''), ...host('acme') } },
      { name: 'a person of the platform', credential: { kind: 'platform' }, headers: bearer(staff) },
      { name: 'the admin key', credential: { kind: 'platform' }, headers: bearer(hub.adminKey) },
      { name: 'a subdomain', credential: { kind: 'subdomain', trusted: false }, headers: host('acme') },
    ];
  }

  const call = (route: GatewayRoute, headers: Readonly<Record<string, string>>, things: Readonly<Record<string, string>> = {}): Promise<CallAnswer> => {
    const path = route.contract.path.replaceAll(/:(\w+)/g, (_, name: string) => {
      const thing = things[name] ?? nobodys[name]?.();
      if (thing === undefined) throw new Error(`say in this file what ":${name}" of ${route.contract.path} is`);
      return encodeURIComponent(thing);
    });
    const body = route.contract.body === undefined ? undefined : (bodies[route.name] ?? { noSuchField: true });
    return callAs(route.contract.method, `${hub.url('API_GATEWAY')}${path}`, headers, body);
  };

  const nameOf = (route: GatewayRoute) => `${route.contract.method} ${route.contract.path}`;
  /** Ends the sessions of whoever asks: told apart below, with a session of its own. */
  const endsSessions = new Set(['DELETE /auth/sessions']);

  it.each(gatewayRoutes.map((route): [string, GatewayRoute] => [nameOf(route), route]))('lets into %s whom its contract names, and nobody else', async (name, route) => {
    const seen: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const knock of knocks) {
      const entry = expectedEntry(route.contract, knock.credential);
      if (entry === 'in' && endsSessions.has(name)) continue;
      const { status, json } = await call(route, knock.headers);
      const isRefused = status === 401 || (status === 403 && (json['code'] === 'auth.scope_missing' || json['code'] === 'tenant.mismatch'));
      expected[knock.name] = entry;
      // A log-in that fails is a 401 of the route's own.
      seen[knock.name] = isRefused && !(route.contract.auth === 'public' && json['code'] !== 'auth.missing') ? status : status < 500 ? 'in' : `${status} ${JSON.stringify(json)}`;
    }
    expect(seen).toEqual(expected);
  });

  it.each(gatewayRoutes.map((route): [string, GatewayRoute] => [nameOf(route), route]))('refuses %s with credentials and a host that name different tenants', async (_, route) => {
    const answers = [
      await call(route, { 'x-api-key': acme.apiKey, host: `globex.${baseDomain}` }),
      await call(route, { 'x-api-key': acme.apiKey, authorization: `Bearer ${globex.ownerToken}` }),
    ];
    for (const { status, json } of answers) expect([status, json['code']]).toEqual([403, 'tenant.mismatch']);
  });

  const withThings = gatewayRoutes.filter(({ contract }) => (contract.auth === 'key' || contract.self?.at === 'same-path') && [...contract.path.matchAll(/:(\w+)/g)].some(([, name = '']) => name !== 'service'));

  it.each(withThings.map((route): [string, GatewayRoute] => [nameOf(route), route]))("answers %s for another tenant's thing exactly as for one that does not exist", async (_, route) => {
    for (const headers of credentialsOf(globex)) {
      const theirs = await call(route, headers, acme.things);
      const nobodysOwn = await call(route, headers);
      expect(theirs.status).toBe(404);
      const { requestId: _a, ...first } = theirs.json;
      const { requestId: _b, ...second } = nobodysOwn.json;
      expect(first).toEqual(second);
    }
  });

  it("keeps a tenant out of the platform's form of its own routes, and out of another's", async () => {
    for (const route of gatewayRoutes.filter(({ contract }) => contract.path.startsWith('/tenants/:tenantId'))) {
      for (const tenantId of ['acme', 'globex']) expect((await call(route, { 'x-api-key': acme.apiKey }, { tenantId })).status).toBe(401);
    }
  });

  it('is the only way in: the services behind it refuse the same credentials', async () => {
    const ports = { 'state-manager': 'STATE_MANAGER', 'tenant-service': 'TENANT_SERVICE', 'auth-service': 'AUTH_SERVICE', 'webhook-ingest': 'WEBHOOK_INGEST', 'chatwoot-connector': 'CHATWOOT_CONNECTOR', 'botpress-connector': 'BOTPRESS_CONNECTOR', 'twilio-connector': 'TWILIO_CONNECTOR' } as const;
    for (const { source, services } of gatewayRoutes.filter(({ contract }) => contract.auth !== 'public')) {
      const [service] = services;
      if (service === undefined || !(service in ports)) throw new Error(`say in this file where ${service} is`);
      // The key is one of `ports`, as was just asked.
      const base = hub.url(ports[service as keyof typeof ports]);
      const path = source.path.replaceAll(/:(\w+)/g, (_, name: string) => nobodys[name]?.() ?? 'x');
      for (const headers of credentialsOf(acme)) {
        const { status } = await callAs(source.method, `${base}${path}`, headers, source.body === undefined ? undefined : {});
        expect([`${source.method} ${path}`, status]).toEqual([`${source.method} ${path}`, 401]);
      }
    }
  });
});

describe('the gateway that trusts subdomains', () => {
  const home = mkdtempSync(join(tmpdir(), 'switchboard-trusting-'));
  let hub: HubProcess;

  beforeAll(async () => {
    hub = await HubProcess.create('start', home, { BASE_DOMAIN: baseDomain, TRUSTED_SUBDOMAINS: 'true' });
    await hub.start();
    await furnishTenant(hub, 'acme');
  }, 240_000);
  afterAll(async () => {
    await hub?.stop();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  it('lets a subdomain alone read conversations, and nothing else', async () => {
    const seen: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const { contract } of gatewayRoutes) {
      const path = contract.path.replaceAll(/:(\w+)/g, (_, name: string) => nobodys[name]?.() ?? 'x');
      const { status } = await callAs(contract.method, `${hub.url('API_GATEWAY')}${path}`, { host: `acme.${baseDomain}` }, contract.body === undefined ? undefined : { noSuchField: true });
      const entry = expectedEntry(contract, { kind: 'subdomain', trusted: true });
      expected[`${contract.method} ${contract.path}`] = entry === 'in' ? 'in' : 'refused';
      seen[`${contract.method} ${contract.path}`] = contract.auth !== 'public' && (status === 401 || status === 403) ? 'refused' : status < 500 ? 'in' : status;
    }
    expect(seen).toEqual(expected);
  });
});
