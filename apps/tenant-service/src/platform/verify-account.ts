import { hubError } from '@switchboard/contracts';
import type { ProviderEntry } from '@switchboard/providers';
import { withoutSecrets } from '@switchboard/secrets';
import { assertAddressesAllowed, readAccount } from '../accounts/read-account.ts';
import { sharedWebhookUrlOf } from '../domain/connection-record.ts';
import { hostsOf, isAddressField } from '../domain/hosts-of.ts';
import type { Account, PlatformContext, PlatformStrategy } from '../providers/connect-strategy.ts';
import { findStrategy } from '../providers/find-strategy.ts';
import { withLearned } from '../providers/merge-learned.ts';
import { withinTime } from '../providers/within-time.ts';
import type { PlatformDependencies } from './dependencies.ts';

/** Milliseconds for all calls of one check; somebody waits. */
const checkMaxMs = 30_000;

/** Fields of the form that are a tenant's part of it, and that no tenant must inherit. */
const tenantFields = ['mode', 'platformConnectionId', 'inboxId', 'inboxType', 'inboxName', 'websiteUrl'] as const;

/** The credentials form of an account of the platform → the account. Throws `request.invalid`, `egress.refused`. */
export async function readPlatformAccount(deps: PlatformDependencies, entry: ProviderEntry, form: Readonly<Record<string, unknown>>): Promise<Account> {
  const issues = Object.keys(form).flatMap((name) => (form[name] === undefined || form[name] === 'dedicated' || isPlatforms(entry, name) ? [] : [{ path: `body.credentials.${name}`, message: 'is what a tenant chooses in the account, and no part of it' }]));
  if (issues.length > 0) throw hubError('request.invalid', { issues });
  const account = readAccount(deps, { ...entry, faultsOf: entry.faultsOfPlatform ?? entry.faultsOf }, form, 'body.credentials');
  await assertAddressesAllowed(deps, account);
  return { ...account, settings: withoutTenantFields(entry, account.settings) };
}

export function withoutTenantFields(entry: ProviderEntry, settings: Account['settings']): Account['settings'] {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => isPlatforms(entry, name)));
}

/** What is no field of the form was learned. */
function isPlatforms(entry: ProviderEntry, name: string): boolean {
  const own = findStrategy(entry.id)?.platform?.ownFields;
  if (own === undefined || !Object.hasOwn(entry.credentials.shape, name)) return !tenantFields.some((field) => field === name);
  return own.includes(name) || isAddressField(name) || name === 'sandbox';
}

export function platformContext(deps: PlatformDependencies, entry: ProviderEntry, account: Account): PlatformContext {
  return { egress: withinTime(deps.egress, checkMaxMs), hosts: hostsOf(entry, account), webhookUrl: sharedWebhookUrlOf(entry.id, deps.config.publicWebhookUrl) };
}

/** The account with what the provider told of it, set up there for all tenants. Throws `platform_connection.not_verified`. */
export async function verifyPlatformAccount(deps: PlatformDependencies, entry: ProviderEntry, strategy: PlatformStrategy, account: Account): Promise<Account> {
  const outcome = await strategy.verify(account, platformContext(deps, entry, account));
  if (outcome.kind === 'unverified') throw hubError('platform_connection.not_verified', { publicMessage: withoutSecrets(outcome.reason, account.credentials).replace(/ It is tried again\.$/, '') });
  return withLearned(account, outcome.learned);
}
