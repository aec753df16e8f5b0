import { hubError, newId, type BodyOf, type createPlatformConnection, type PlatformConnectionRecord } from '@switchboard/contracts';
import { providerOfCredentialType, providers } from '@switchboard/providers';
import { generateSecret, ownedIdentifiers } from '../accounts/post-draft.ts';
import { findStrategy } from '../providers/find-strategy.ts';
import { inSystem, loadPlatformConnection, type PlatformDependencies } from './dependencies.ts';
import { platformRecord } from './platform-record.ts';
import { readPlatformAccount, verifyPlatformAccount, withoutTenantFields } from './verify-account.ts';

/**
 * Connects an account of the platform, after the provider has confirmed it. Repeated after it broke off, it finds what it made at the provider.
 * Throws `connection.type_unknown`, `connection.identifier_taken`, `platform_connection.not_verified`, `egress.refused`.
 */
export async function connectPlatformAccount(deps: PlatformDependencies, { type, name, credentials, isOpen, inboxesMax }: BodyOf<typeof createPlatformConnection>): Promise<PlatformConnectionRecord> {
  const { db, identifiers, platformConnections, platformAudit, config, now } = deps;
  const entry = providerOfCredentialType(type);
  const strategy = entry && findStrategy(entry.id);
  if (entry === undefined || strategy?.platform === undefined) {
    const types = Object.values(providers).filter((provider) => findStrategy(provider.id)?.platform !== undefined).map((provider) => provider.credentialType);
    throw hubError('connection.type_unknown', { publicMessage: `Use one of these types: ${types.join(', ')}.` });
  }
  const { platform } = strategy;
  const posted = await readPlatformAccount(deps, entry, credentials);
  return await inSystem(async () => {
    // Before anything is made there: a tenant's account is the tenant's. The unique key decides again below.
    const named = ownedIdentifiers(entry, posted);
    if (named.length > 0 && (await identifiers.findClaims(entry.id, named)).length > 0) throw hubError('connection.identifier_taken');
    const completed = strategy.complete(posted, undefined, generateSecret);
    const account = await verifyPlatformAccount(deps, entry, platform, { ...completed, settings: withoutTenantFields(entry, completed.settings) });
    const platformConnectionId = newId('pcn');
    return await db.transaction(async () => {
      await platformConnections.insert({ platformConnectionId, provider: entry.id, name, isOpen, inboxesMax, account, at: now() });
      if (!(await platformConnections.claim(entry.id, ownedIdentifiers(entry, account)))) throw hubError('connection.identifier_taken');
      await platformAudit.append(now(), { action: 'platform_connection.created', subject: platformConnectionId, facts: { provider: entry.id, name, isOpen, inboxesMax, routingIdentifiers: account.routingIdentifiers, fields: Object.keys(credentials) } });
      return platformRecord(await loadPlatformConnection(deps, platformConnectionId), config.publicWebhookUrl);
    });
  });
}
