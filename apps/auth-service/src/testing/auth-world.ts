import { hubError, resolveTenant, tenantIdSchema, type Envelope, type MemberId, type MemberRole, type OpenSession, type Plan, type TenantId } from '@switchboard/contracts';
import { createDatabase } from '@switchboard/db';
import { prepareServices, type Principal, type ServiceDefinition } from '@switchboard/service-kit';
import { testKit } from '@switchboard/service-kit/testing';
import { runAsSystem, runAsTenant, runWithActor } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword } from '@switchboard/testing';
import { createDependencies, type Additions, type Dependencies } from '../dependencies.ts';
import { service } from '../service.ts';
import { PrismaClient } from '../store/generated/client.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { Person } from '../store/people.ts';
import { factsOf } from './fake-tenant-service.ts';

export const goodPassword = 'correct horse battery staple';
export const platform: Principal = { kind: 'admin', subject: 'admin-key' };

/** The service's own parts over a real database, with a clock that is moved by hand, events that are recorded, and several processes if need be. */
export type AuthWorld = {
  readonly db: AuthDatabase;
  readonly adminUrl: string;
  readonly plans: Map<string, Plan>;
  /** Tenants that the service has erased. */
  readonly erased: Set<TenantId>;
  readonly published: Envelope[];
  /** Another process of the service on the same database, with memory of its own, and a clock that may be behind. */
  readonly process: (additions?: Partial<Additions>, behindMs?: number) => Dependencies;
  readonly wait: (ms: number) => void;
  readonly now: () => Date;
  /** As somebody at this address who has not logged in. */
  readonly from: <T>(address: string, fn: () => Promise<T>) => Promise<T>;
  /** A member who has accepted, with `goodPassword`. */
  readonly join: (deps: Dependencies, tenantId: TenantId, role: MemberRole, email: string) => Promise<OpenSession & { readonly memberId: MemberId }>;
  readonly close: () => Promise<void>;
};

export async function startAuthWorld(): Promise<AuthWorld> {
  const definition: ServiceDefinition = service;
  const database = await startTestDatabase();
  await prepareServices([definition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  const erased = new Set<TenantId>();
  const admit = (tenantId: TenantId) => {
    if (erased.has(tenantId)) throw hubError('tenant.not_found');
  };
  const db = createDatabase({ url: database.url('switchboard_auth'), schema: 'auth', connectionsMax: 10, admit, createClient: (adapter) => new PrismaClient({ adapter }) });
  let nowMs = Date.parse('2026-11-21T12:00:00Z');
  const now = () => new Date(nowMs);
  const plans = new Map<string, Plan>();
  const published: Envelope[] = [];
  const from = <T>(address: string, fn: () => Promise<T>) => runWithActor({ kind: 'public', subject: 'anonymous', from: address }, fn);

  return {
    db,
    adminUrl: database.adminUrl,
    plans,
    erased,
    published,
    now,
    from,
    wait: (ms) => {
      nowMs += ms;
    },
    process: (additions, behindMs = 0) => {
      const kit = testKit({
        name: 'auth-service',
        config: { tokenIssuer: 'switchboard', publicGatewayUrl: 'https://api.hub.test' },
        db,
        now: () => new Date(nowMs - behindMs),
        answer: ({ contract, input }) => {
          if (contract !== resolveTenant) throw new Error(`nobody answers ${contract.path}`);
          const { tenantId } = input.body as { tenantId: string }; // the body of this contract
          return { tenant: factsOf(tenantIdSchema.parse(tenantId), plans.get(tenantId)) };
        },
      });
      const { publish } = kit.bus;
      // One list for all processes.
      const bus: typeof kit.bus = {
        ...kit.bus,
        erasedTenants: { ...kit.bus.erasedTenants, admit },
        publish: async (...args) => {
          const eventId = await publish(...args);
          published.push(...kit.published.splice(0));
          return eventId;
        },
      };
      return createDependencies({ ...kit, bus }, additions);
    },
    join: (deps, tenantId, role, email) =>
      from('192.0.2.1', async () => {
        const { link } = await runAsTenant(tenantId, () => deps.members.invite(platform, 'enterprise', { email, role, name: null }));
        const session = await deps.credentials.acceptInvitation(link.token, { name: email, password: goodPassword });
        return { ...session, memberId: session.member.memberId };
      }),
    close: async () => {
      await db.close();
      await database.drop();
    },
  };
}

/** A member as the gateway names them to a route. */
export function memberPrincipal(tenantId: TenantId, { memberId }: { readonly memberId: MemberId }, role: MemberRole): Principal {
  return { kind: 'tenant', tenantId, subject: memberId, via: 'member', role, scopes: [] };
}

export function findPerson(deps: Dependencies, tenantId: TenantId | undefined, memberId: MemberId): Promise<Person | undefined> {
  const find = () => deps.people.find(memberId);
  return tenantId === undefined ? runAsSystem('a test looks', find) : runAsTenant(tenantId, find);
}
