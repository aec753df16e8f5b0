import { hubError, type BodyOf, type ConnectionRecord, type postCredentials } from '@switchboard/contracts';
import { providerOfCredentialType, providers } from '@switchboard/providers';
import { connectionRecord } from '../domain/connection-record.ts';
import { findStrategy } from '../providers/find-strategy.ts';
import { checkDraft } from './check-draft.ts';
import type { AccountDependencies } from './dependencies.ts';
import { postDraft } from './post-draft.ts';
import { assertAddressesAllowed, readAccount } from './read-account.ts';

/** Connects an account at a provider for the current tenant, or replaces its credentials. The answer shows what the provider said. */
export async function connectAccount(deps: AccountDependencies, body: BodyOf<typeof postCredentials>): Promise<ConnectionRecord> {
  const entry = providerOfCredentialType(body.type);
  const strategy = entry && findStrategy(entry.id);
  if (entry === undefined || strategy === undefined) {
    throw hubError('connection.type_unknown', { publicMessage: `Use one of these types: ${Object.values(providers).map((provider) => provider.credentialType).join(', ')}.` });
  }
  const role = body.role ?? entry.roles[0];
  if (!entry.roles.includes(role)) throw hubError('request.invalid', { issues: [{ path: 'body.role', message: `use one of ${entry.roles.join(', ')}` }] });
  await deps.tenants.load();

  const account = readAccount(deps, entry, body.credentials, 'body.credentials');
  await assertAddressesAllowed(deps, account);
  const connectionId = await postDraft(deps, { entry, strategy, role, account });
  await checkDraft(deps, { connectionId, actor: 'admin', waitMs: deps.config.connectWaitMs });

  const connection = await deps.connections.find(connectionId);
  if (connection === undefined) throw hubError('connection.not_found');
  return connectionRecord(connection, deps.config.publicWebhookUrl);
}
