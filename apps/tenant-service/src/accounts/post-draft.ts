import { hubError, newId, type ConnectionId, type Role } from '@switchboard/contracts';
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
 * working with what it has. Throws `connection.identifier_taken`, `tenant.not_found`.
 */
export async function postDraft(deps: AccountDependencies, posted: PostedAccount): Promise<ConnectionId> {
  const { db, tenants, connections, audit, bus, now } = deps;
  await assertNotTaken(deps, posted);
  return await db.transaction(async () => {
    await tenants.lock();
    const existing = await findExisting(deps, posted);
    const connectionId = existing?.connection.connectionId ?? newId('con');
    const account = posted.strategy.complete(posted.account, existing?.account, generateSecret);
    const at = now();

    if (existing === undefined) await connections.insertPending({ connectionId, provider: posted.entry.id, role: posted.role, account, at });
    else await keepDraftSecret(deps, existing.connection, posted.entry);
    await connections.putDraft(connectionId, {
      draftId: newId('drf'),
      account,
      handshakeTokenHash: handshakeTokenHash(deps, posted.entry, account),
      reason: 'The provider has not been asked yet.',
      attempts: 1,
      nextCheckAt: new Date(at.getTime() + checkLeaseMs),
    });
    const isPending = existing?.connection.status !== 'active';
    const version = existing === undefined ? 1 : await connections.touch(connectionId, at, isPending ? account : undefined);
    await audit.append({ actor: 'admin', action: 'credentials.posted', subject: connectionId, facts: { provider: posted.entry.id, fields: Object.keys(posted.account.credentials) } });
    // Already now: the provider may sign with the new secret from the moment it is told.
    await bus.publish('connection.changed', { connectionId, provider: posted.entry.id, role: posted.role, status: isPending ? 'pending' : 'active', version }, { orderingKey: connectionId });
    return connectionId;
  });
}

/**
 * Before storing anything: an account that works for one tenant is no other's, unless the provider may say more for the other one. (The unique
 * key decides again at activation.)
 */
async function assertNotTaken({ identifiers, egress }: AccountDependencies, { entry, account }: PostedAccount): Promise<void> {
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
function generateSecret(): string {
  return randomBytes(32).toString('base64url');
}
