import { hubError, type BodyOf, type PlatformConnectionId, type PlatformConnectionRecord, type updatePlatformConnection } from '@switchboard/contracts';
import { findProvider } from '@switchboard/providers';
import { generateSecret, overlapEnd, ownedIdentifiers } from '../accounts/post-draft.ts';
import { changeForm } from '../domain/change-form.ts';
import type { Account } from '../providers/connect-strategy.ts';
import { findStrategy } from '../providers/find-strategy.ts';
import { inSystem, loadPlatformConnection, type PlatformDependencies } from './dependencies.ts';
import { platformRecord } from './platform-record.ts';
import { tellTenants } from './tell-tenants.ts';
import { readPlatformAccount, verifyPlatformAccount, withoutTenantFields } from './verify-account.ts';

/** Batches of tenants' connections that a request waits for; the rest is told by the clock. */
const batchesPerRequest = 5;

/**
 * Renames, opens or closes an account of the platform, or gives it new credentials, which are in use as soon as the provider has confirmed them.
 * Throws `platform_connection.not_found`, `platform_connection.not_verified`, `request.invalid`, `egress.refused`.
 */
export async function changePlatformConnection(deps: PlatformDependencies, platformConnectionId: PlatformConnectionId, { credentials, ...change }: BodyOf<typeof updatePlatformConnection>): Promise<PlatformConnectionRecord> {
  const { db, platformConnections, platformAudit, config, now } = deps;
  return await inSystem(async () => {
    if (credentials !== undefined) await rotate(deps, platformConnectionId, credentials);
    return await db.transaction(async () => {
      await platformConnections.lock(platformConnectionId);
      const before = await loadPlatformConnection(deps, platformConnectionId);
      const changes = Object.entries(change).filter(([field, value]) => value !== undefined && value !== before[field as keyof typeof change]); // its own fields
      if (changes.length > 0) {
        await platformConnections.update(platformConnectionId, change, now());
        await platformAudit.append(now(), { action: 'platform_connection.changed', subject: platformConnectionId, facts: { before: Object.fromEntries(changes.map(([field]) => [field, before[field as keyof typeof change]])), after: Object.fromEntries(changes) } }); // the same
      }
      return platformRecord(await loadPlatformConnection(deps, platformConnectionId), config.publicWebhookUrl);
    });
  });
}

async function rotate(deps: PlatformDependencies, platformConnectionId: PlatformConnectionId, changes: Readonly<Record<string, unknown>>): Promise<void> {
  const { db, platformConnections, platformAudit, now } = deps;
  const { provider, version } = await loadPlatformConnection(deps, platformConnectionId);
  const entry = findProvider(provider);
  const strategy = findStrategy(provider);
  const base = await platformConnections.openAccount(platformConnectionId);
  if (entry === undefined || strategy?.platform === undefined || base === undefined) throw hubError('platform_connection.not_found');

  const changed = changeForm(entry, base, { generated: strategy.generatedFields(base), fixed: strategy.fixedFields ?? [] }, 'credentials', changes);
  if (changed.kind === 'refused') throw hubError('request.invalid', { issues: changed.issues });
  const posted = await readPlatformAccount(deps, entry, changed.form);
  const names = (account: Account) => JSON.stringify(ownedIdentifiers(entry, account));
  if (names(posted) !== names(base)) throw hubError('request.invalid', { issues: Object.keys(changes).map((name) => ({ path: `body.credentials.${name}`, message: 'names another account; connect that one by itself' })) });
  const completed = strategy.complete(posted, base, generateSecret);
  const wanted = { ...completed, settings: withoutTenantFields(entry, completed.settings) };

  // Already now: the provider may use the new secret from the moment it is told.
  const { secretField } = entry.webhook;
  const [old, next] = [base.credentials[secretField], wanted.credentials[secretField]];
  if (next !== undefined && next !== old) {
    await db.transaction(async () => {
      await platformConnections.keepSecret(platformConnectionId, next, overlapEnd(deps));
      await platformConnections.touch(platformConnectionId, now());
    });
    await tellTenants(deps, platformConnectionId, batchesPerRequest);
  }
  const account = await verifyPlatformAccount(deps, entry, strategy.platform, wanted);
  await db.transaction(async () => {
    await platformConnections.lock(platformConnectionId);
    const current = await loadPlatformConnection(deps, platformConnectionId);
    if (current.version > version + 1) throw hubError('service.unavailable', { publicMessage: 'The account was changed by somebody else at the same moment. Send the request again.' });
    if (old !== undefined && old !== account.credentials[secretField]) await platformConnections.keepSecret(platformConnectionId, old, overlapEnd(deps));
    await platformConnections.replaceAccount(platformConnectionId, account, now());
    await platformAudit.append(now(), { action: 'platform_connection.rotated', subject: platformConnectionId, facts: { provider, fields: Object.keys(changes) } });
  });
  await tellTenants(deps, platformConnectionId, batchesPerRequest);
}
