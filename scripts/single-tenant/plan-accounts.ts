import { findStrategy } from '../../apps/tenant-service/src/providers/find-strategy.ts';
import type { Account } from '../../apps/tenant-service/src/providers/connect-strategy.ts';
import type { StoredConnection } from '../../apps/tenant-service/src/store/connections.ts';
import type { ConnectionId, ProviderId, TenantId } from '../../packages/contracts/src/index.ts';
import { findProvider, type ProviderEntry } from '../../packages/providers/src/index.ts';
import { StartRefusal } from '../../packages/service-kit/src/index.ts';
import { randomBytes } from 'node:crypto';
import type { OldAccount } from './accounts-of.ts';
import { deriveId } from './derive-id.ts';
import type { Options } from './parse-options.ts';
import type { OldAccounts } from './read-old-accounts.ts';
import type { Report } from './report.ts';

export type PlannedAccount = {
  readonly connectionId: ConnectionId;
  readonly entry: ProviderEntry;
  readonly account: Account;
  /** What is missing or wrong, in words; with any, the account waits for its credentials to be posted. */
  readonly faults: readonly string[];
  /** Whether it can be in use as it is, with nobody asked. */
  readonly isComplete: boolean;
  readonly existing: StoredConnection | undefined;
};

/** Where the conversations of a tenant belong. */
export type Places = {
  /** The connection of a number; of conversations that name none: the one that `null` finds. */
  channelOf(phoneNumberId: string | null): ConnectionId | undefined;
  /** Undefined only where there are no conversations. */
  readonly desk: ConnectionId | undefined;
};

/** When every connection that an import makes was made, as far as its id says; they are few, and need no order. */
const epoch = new Date(0);

export function planAccounts(tenantId: TenantId, { accounts }: OldAccounts, connections: readonly StoredConnection[], report: Report): PlannedAccount[] {
  return accounts.flatMap((old): PlannedAccount[] => {
    const entry = findProvider(old.provider);
    const identity = identityOf(old);
    if (entry === undefined || identity === undefined) {
      report.skip('credentials', { table: `${old.provider} account`, row: tenantId, reason: old.provider === 'whatsapp' ? 'names no phone number id: give it with --phone-number-id' : 'names neither an integration nor a client id' });
      return [];
    }
    const { account, faults } = accountOf(entry, old.fields);
    const completed = findStrategy(entry.id)?.complete(account, undefined, () => randomBytes(32).toString('base64url')) ?? account;
    // A secret that was generated is not known to the provider yet, and an integration that is to be created does not exist.
    const isComplete = faults.length === 0 && account.credentials[entry.webhook.secretField] !== undefined && entry.routingFields.every((name) => account.routingIdentifiers[name] !== undefined);
    return [{ connectionId: deriveId('con', epoch, tenantId, old.provider, identity), entry, account: completed, faults, isComplete, existing: connections.find((connection) => isSame(connection, old, account)) }];
  });
}

function identityOf({ provider, fields }: OldAccount): string | undefined {
  return provider === 'whatsapp' ? fields['phoneNumberId'] : (fields['integrationId'] ?? fields['clientId']);
}

function isSame({ provider, routingIdentifiers, settings, draft }: StoredConnection, old: OldAccount, account: Account): boolean {
  if (provider !== old.provider) return false;
  const known = [{ routingIdentifiers, settings }, ...(draft === undefined ? [] : [draft])];
  const [name, wanted] = provider === 'whatsapp' ? ['phoneNumberId', old.fields['phoneNumberId']] : ['integrationId', old.fields['integrationId']];
  if (wanted !== undefined) return known.some((facts) => facts.routingIdentifiers[name ?? ''] === wanted);
  return known.some((facts) => facts.settings['clientId'] === old.fields['clientId'] && facts.settings['region'] === account.settings['region']);
}

/** The account in its parts. Fields that the form refuses are left out and named; their values never are. */
function accountOf(entry: ProviderEntry, given: Readonly<Record<string, string>>): { account: Account; faults: string[] } {
  const faults = new Map<string, string>();
  const parse = (form: Readonly<Record<string, string>>) => entry.credentials.safeParse(form);
  let fields: Record<string, unknown> = { ...given };
  const parsed = parse(given);
  if (parsed.success) fields = parsed.data;
  else {
    for (const { path, message } of parsed.error.issues) {
      const name = String(path[0]);
      faults.set(name, name in given ? `${name}: ${message}` : `${name} is missing`);
      delete fields[name];
    }
    // What is left is read field by field, so that it has the form's own spelling (a region becomes its domain).
    fields = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, entry.credentials.shape[name]?.safeParse(value).data ?? value]));
  }
  const texts = Object.entries(fields).filter(([name, value]) => value !== undefined && name !== 'sandbox').map(([name, value]): [string, string] => [name, String(value)]);
  const isRouting = (name: string) => entry.routingFields.includes(name) || entry.sharedRoutingFields.includes(name);
  const isSecret = (name: string) => entry.secretFields.includes(name);
  return {
    faults: [...faults.values()],
    account: {
      routingIdentifiers: Object.fromEntries(texts.filter(([name]) => isRouting(name))),
      settings: Object.fromEntries(texts.filter(([name]) => !isRouting(name) && !isSecret(name))),
      credentials: Object.fromEntries(texts.filter(([name]) => isSecret(name))),
    },
  };
}

/** Throws StartRefusal where it is not plain to which connection conversations belong. */
export function findPlaces(tenantId: TenantId, old: OldAccounts, planned: readonly PlannedAccount[], connections: readonly StoredConnection[], options: Options): Places {
  const channels = numbersOf('whatsapp', 'phoneNumberId', planned, connections);
  const desks = numbersOf('genesys', 'integrationId', planned, connections);
  const channel = options.phoneNumberId === undefined ? onlyOne(channels) : channels.find(({ value }) => value === options.phoneNumberId)?.connectionId;
  const desk = options.integrationId === undefined ? onlyOne(desks) : desks.find(({ value }) => value === options.integrationId)?.connectionId;
  if (old.hasUnnumbered && channel === undefined) {
    throw new StartRefusal(`${tenantId}: some conversations do not say on which number they were, and ${channels.length === 0 ? 'no WhatsApp account is known' : 'there are several'}: name it with --phone-number-id, or give the old .env with --old-env.`);
  }
  if (old.hasMappings && desk === undefined) {
    throw new StartRefusal(`${tenantId}: ${desks.length === 0 ? 'no Genesys account is known' : 'there are several Genesys accounts'} for the conversations: name the Open Messaging integration with --integration-id, give the old .env with --old-env, or post the tenant's Genesys credentials first.`);
  }
  return { desk, channelOf: (number) => (number === null ? channel : channels.find(({ value }) => value === number)?.connectionId) };
}

type Place = { readonly connectionId: ConnectionId; readonly value: string | undefined };

function numbersOf(provider: ProviderId, name: string, planned: readonly PlannedAccount[], connections: readonly StoredConnection[]): Place[] {
  const known = connections
    .filter((connection) => connection.provider === provider && connection.status !== 'disabled')
    .map(({ connectionId, routingIdentifiers, draft }): Place => ({ connectionId, value: routingIdentifiers[name] ?? draft?.routingIdentifiers[name] }));
  const made = planned.filter(({ entry, existing }) => entry.id === provider && existing === undefined).map(({ connectionId, account }): Place => ({ connectionId, value: account.routingIdentifiers[name] }));
  return [...known, ...made];
}

function onlyOne(places: readonly Place[]): ConnectionId | undefined {
  return places.length === 1 ? places[0]?.connectionId : undefined;
}
