import { hubError, newId, type ConnectionId, type PayloadInputOf, type Role } from '@switchboard/contracts';
import type { ProviderEntry } from '@switchboard/providers';
import { hashApiKey } from '@switchboard/secrets';
import { currentTenant, runAsSystem } from '@switchboard/tenant-context';
import { randomBytes } from 'node:crypto';
import { isWeaker, proofOf } from '../domain/proof-of.ts';
import type { Account, ConnectStrategy } from '../providers/connect-strategy.ts';
import type { StoredConnection } from '../store/connections.ts';
import type { AccountDependencies } from './dependencies.ts';

/** Milliseconds until the periodic check takes up a draft whose first check never came back: longer than that check can take. */
export const checkLeaseMs = 120_000;

export type PostedAccount = { readonly entry: ProviderEntry; readonly strategy: ConnectStrategy; readonly role: Role; readonly account: Account };

/**
 * Stores posted credentials as a draft before anybody is asked: whatever happens next, they are not lost. A connection that works keeps
 * working with what it has. Throws `connection.identifier_taken`, `tenant.not_found`, `tenant.deleted`.
 */
export async function postDraft(deps: AccountDependencies, posted: PostedAccount): Promise<ConnectionId> {
  const { db, tenants, connections, now } = deps;
  await assertNotTaken(deps, posted);
  return await db.transaction(async () => {
    const { isEraseBegun } = await tenants.lockAndLoad();
    // What is connected now would be nobody's to remove at the provider.
    if (isEraseBegun) throw hubError('tenant.deleted');
    const existing = await findExisting(deps, posted);
    const account = posted.strategy.complete(posted.account, existing?.account, generateSecret);
    const fields = Object.keys(posted.account.credentials);
    if (existing !== undefined) {
      await replaceDraft(deps, posted.entry, existing.connection, { account, fields });
      return existing.connection.connectionId;
    }
    const connectionId = newId('con');
    await connections.insertPending({ connectionId, provider: posted.entry.id, role: posted.role, account, at: now() });
    await putFreshDraft(deps, posted.entry, connectionId, account);
    await announce(deps, { connectionId, provider: posted.entry.id, role: posted.role, status: 'pending', version: 1 }, fields);
    return connectionId;
  });
}

/**
 * Puts an account, complete, in the place of the draft of a connection that is there, to be checked next; a connection that was switched off
 * is on its way back. Inside a transaction that has locked the tenant. `fields`: what was given, for the audit.
 */
export async function replaceDraft(deps: AccountDependencies, entry: ProviderEntry, connection: StoredConnection, { account, fields }: { readonly account: Account; readonly fields: readonly string[] }): Promise<void> {
  const { connectionId, provider, role } = connection;
  await keepDraftSecret(deps, connection, entry);
  await putFreshDraft(deps, entry, connectionId, account);
  const status = connection.status === 'active' ? 'active' : 'pending';
  const version = await deps.connections.touch(connectionId, deps.now(), { status, facts: connection.sealedCredentials === null ? account : undefined });
  await announce(deps, { connectionId, provider, role, status, version }, fields);
}

async function putFreshDraft(deps: AccountDependencies, entry: ProviderEntry, connectionId: ConnectionId, account: Account): Promise<void> {
  await deps.connections.putDraft(connectionId, {
    draftId: newId('drf'),
    account,
    handshakeTokenHash: handshakeTokenHash(deps, entry, account),
    reason: 'The provider has not been asked yet.',
    attempts: 1,
    nextCheckAt: new Date(deps.now().getTime() + checkLeaseMs),
  });
}

async function announce({ audit, bus }: AccountDependencies, change: PayloadInputOf<'connection.changed'>, fields: readonly string[]): Promise<void> {
  if (fields.length > 0) await audit.append({ actor: 'admin', action: 'credentials.posted', subject: change.connectionId, facts: { provider: change.provider, fields } });
  // Already now: the provider may sign with the new secret from the moment it is told.
  await bus.publish('connection.changed', change, { orderingKey: change.connectionId });
}

/**
 * Before storing anything: an account that works for one tenant is no other's, unless the provider may say more for the other one. (The unique
 * key decides again at activation.)
 */
export async function assertNotTaken({ identifiers, egress }: AccountDependencies, { entry, account }: Pick<PostedAccount, 'entry' | 'account'>): Promise<void> {
  const tenantId = currentTenant();
  const posted = ownedIdentifiers(entry, account);
  if (posted.length === 0) return;
  const claims = await runAsSystem('does another tenant own this account', () => identifiers.findClaims(entry.id, posted));
  const proof = proofOf(entry, account, (url) => egress.isPlatformHost(url));
  if (claims.some((claim) => claim.tenantId !== tenantId && !isWeaker(claim.proof, proof))) throw hubError('connection.identifier_taken');
}

/** Identifiers of the account that only one tenant can have. */
export function ownedIdentifiers(entry: ProviderEntry, account: Pick<Account, 'routingIdentifiers'>): { name: string; value: string }[] {
  return entry.routingFields.flatMap((name) => {
    const value = account.routingIdentifiers[name];
    return value === undefined ? [] : [{ name, value }];
  });
}

type Existing = { readonly connection: StoredConnection; readonly account: Account };

/** The tenant's connection that the posted credentials are for: by the first routing field, or, where it was left out, as the provider's strategy sees it. */
async function findExisting({ connections }: AccountDependencies, { entry, strategy, role, account }: PostedAccount): Promise<Existing | undefined> {
  const [identifying] = entry.routingFields;
  const wanted = identifying === undefined ? undefined : account.routingIdentifiers[identifying];
  for (const connection of await connections.list({ provider: entry.id })) {
    if (connection.role !== role) continue;
    const known = connection.draft === undefined ? await connections.openAccount(connection) : await connections.openDraft(connection.connectionId, connection.draft);
    if (known === undefined) continue;
    // Credentials of an account that the tenant says is its own take no place of one that the hub made: nobody would suspend or close that one any more.
    if (strategy.isMadeInPlatform?.(known) !== strategy.isMadeInPlatform?.(account)) continue;
    const isThis = wanted === undefined ? strategy.isSameAccount(account, known) : identifying !== undefined && [known, connection].some(({ routingIdentifiers }) => routingIdentifiers[identifying] === wanted);
    if (isThis) return { connection, account: known };
  }
  return undefined;
}

/** A draft that is replaced may have reached the provider: what it may sign with stays valid for the overlap. */
async function keepDraftSecret(deps: AccountDependencies, { connectionId, draft }: StoredConnection, entry: ProviderEntry): Promise<void> {
  if (draft === undefined) return;
  const secret = (await deps.connections.openDraft(connectionId, draft)).credentials[entry.webhook.secretField];
  if (secret !== undefined) await deps.previousSecrets.insert(connectionId, secret, overlapEnd(deps));
}

/** Until when a webhook secret that is replaced now stays valid. */
export function overlapEnd({ config, now }: AccountDependencies): Date {
  return new Date(now().getTime() + config.webhookSecretOverlapHours * 3_600_000);
}

/** Finds connections by the token of a handshake. An HMAC, because people choose these tokens and a plain hash of a short one can be guessed. */
export function handshakeTokenHash(deps: AccountDependencies, entry: ProviderEntry, account: Account): string | null {
  const token = entry.webhook.handshake === undefined ? undefined : account.credentials[entry.webhook.handshake.tokenField];
  return token === undefined ? null : hashHandshakeToken(deps.config.apiKeyPepper, token);
}

export function hashHandshakeToken(pepper: string, token: string): string {
  return hashApiKey(pepper, `handshake:${token}`);
}

/** 256 bits in 43 URL-safe characters. */
export function generateSecret(): string {
  return randomBytes(32).toString('base64url');
}
