import { eventCatalogue, newId, type Envelope, type EventType, type ReplyOf, type RouteContract } from '@switchboard/contracts';
import type { Database } from '@switchboard/db';
import type { DeadLetters, EventBus } from '@switchboard/event-bus';
import { createEnvKeyProvider } from '@switchboard/secrets';
import { currentTenant } from '@switchboard/tenant-context';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createEgress } from '../egress/create-egress.ts';
import { adminKeyCheck } from '../http/authenticate.ts';
import { signInternalToken } from '../internal-token.ts';
import type { CallInput, CallRoute, Kit, ServiceName } from '../port.ts';
import { absentBus, absentDatabase } from '../service/absent-parts.ts';
import { testSecrets } from './test-credentials.ts';

/** One call that code under test made to another service. */
export type RecordedCall = { readonly service: ServiceName; readonly contract: RouteContract; readonly input: CallInput<RouteContract> };

export type TestKit<Config, Client> = Kit<Config, Client> & {
  /** What was published, in order. */
  readonly published: Envelope[];
  readonly calls: RecordedCall[];
};

export type TestKitOptions<Config, Client> = {
  readonly name: ServiceName;
  readonly config: Config;
  readonly db?: Database<Client>;
  readonly now?: () => Date;
  /** Answers calls to other services: `answer(contract, input)`; without it every call fails loudly. */
  readonly answer?: (call: RecordedCall) => unknown;
};

/** A kit for unit tests of routes, consumers and domain wiring: events are recorded, calls are answered by the test, the rest is real. */
export function testKit<Config, Client = unknown>(options: TestKitOptions<Config, Client>): TestKit<Config, Client> {
  const published: Envelope[] = [];
  const calls: RecordedCall[] = [];
  const now = options.now ?? (() => new Date());
  const callRoute: CallRoute = async (service, contract, input) => {
    const call = { service, contract, input };
    calls.push(call);
    if (options.answer === undefined) throw new Error(`the test gives no answer to ${contract.method} ${contract.path}`);
    // Parsed, so that a test cannot answer what the other service never would.
    return contract.reply.schema.parse(await options.answer(call)) as ReplyOf<typeof contract>;
  };
  return {
    name: options.name,
    config: options.config,
    log: pino({ level: 'silent' }),
    db: options.db ?? absentDatabase(options.name),
    bus: recordingBus(published, now),
    keyProvider: createEnvKeyProvider(testSecrets.keyEncryptionKey),
    registry: new Registry(),
    callRoute,
    isAdminKey: adminKeyCheck(testSecrets.adminKey),
    signToken: (audience, claims) => signInternalToken(testSecrets.internalTokenSecret, options.name, audience, claims),
    urlsOf: () => ['http://127.0.0.1:1'],
    egress: createEgress({ allow: ['127.0.0.0/8'] }),
    now,
    published,
    calls,
  };
}

function recordingBus(published: Envelope[], now: () => Date): EventBus {
  const deadLetters: DeadLetters = { list: async () => ({ data: [], nextCursor: null }), find: async () => undefined, redrive: async () => 0 };
  return {
    ...absentBus('a test'),
    deadLetters,
    erasedTenants: { admit: () => undefined, erase: async () => true, revive: async () => undefined },
    subscribe: () => undefined,
    schedule: () => undefined,
    async publish(type, payload, { orderingKey, eventId = newId('evt') }) {
      const { schema, version } = eventCatalogue[type];
      // The cast is safe: the payload was parsed with the schema of this type.
      published.push({ eventId, type, version, tenantId: currentTenant(), occurredAt: now().toISOString(), orderingKey, payload: schema.parse(payload) } as Envelope<EventType>);
      return eventId;
    },
    async publishMany(envelopes) {
      published.push(...envelopes);
    },
  };
}
