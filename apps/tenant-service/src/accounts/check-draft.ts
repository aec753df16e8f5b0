import type { ConnectionId } from '@switchboard/contracts';
import { findProvider, type ProviderEntry } from '@switchboard/providers';
import { withoutSecrets } from '@switchboard/secrets';
import { runAsSystem } from '@switchboard/tenant-context';
import { webhookUrlOf } from '../domain/connection-record.ts';
import { hostsOf } from '../domain/hosts-of.ts';
import { isShared, mainAccountOf, placeSettings, withPlatform } from '../platform/platform-account.ts';
import { takePlace } from '../platform/take-place.ts';
import { nextCheckAt } from '../domain/next-check.ts';
import { proofOf, type Proof } from '../domain/proof-of.ts';
import { unverified, type Account, type ConnectOutcome, type KeepOptions, type Learned, type Unverified } from '../providers/connect-strategy.ts';
import { withLearned } from '../providers/merge-learned.ts';
import { findStrategy } from '../providers/find-strategy.ts';
import type { Actor } from '../store/audit.ts';
import type { StoredConnection, StoredDraft } from '../store/connections.ts';
import { updateAutomaticRoutes } from '../routing/update-routes.ts';
import { followTenant } from '../tenants/follow-tenant.ts';
import type { AccountDependencies } from './dependencies.ts';
import { handshakeTokenHash, ownedIdentifiers, overlapEnd } from './post-draft.ts';
import { takeOver } from './take-over.ts';

export type Check = { readonly connectionId: ConnectionId; readonly actor: Actor; readonly waitMs: number };

/**
 * Asks the provider whether the draft of a connection works, outside any transaction, and settles what it says: the draft becomes the
 * account in use, or stays with the reason. Nothing happens when there is no draft. May run again at any time.
 */
export async function checkDraft(deps: AccountDependencies, check: Check): Promise<void> {
  const connection = await deps.connections.find(check.connectionId);
  const makesParts = connection !== undefined && findStrategy(connection.provider)?.makesParts === true;
  if (makesParts) await deps.takeTurn(check.connectionId, () => checkNow(deps, check));
  else await checkNow(deps, check);
}

async function checkNow(deps: AccountDependencies, check: Check): Promise<void> {
  const connection = await deps.connections.find(check.connectionId);
  const draft = connection?.draft;
  const entry = connection && findProvider(connection.provider);
  const strategy = connection && findStrategy(connection.provider);
  if (connection === undefined || connection.status === 'disabled' || draft === undefined || entry === undefined || strategy === undefined) return;

  let account = await deps.connections.openDraft(connection.connectionId, draft);
  const keep = async (learned: Learned, options: KeepOptions = {}) => {
    const before = account;
    account = withLearned(account, learned);
    return await keepLearned(deps, connection, draft, { account, replaces: options.isAnnounced === true ? before.credentials[entry.webhook.secretField] : undefined });
  };
  const isMade = strategy.isMadeInPlatform?.(account) === true;
  const isEarly = isMade && !(await isTenantActive(deps));
  const place = isEarly ? unverified('Accounts are made for active tenants only, and this one is suspended. It is tried again.', true) : isShared(account) || isMade ? await takePlace(deps, entry, connection.connectionId, account.settings['platformConnectionId']) : undefined;
  const main = isMade && place?.kind === 'place' ? mainAccountOf(entry, place.platform) : undefined;
  if (place?.kind === 'place') await keep({ settings: { platformConnectionId: place.platformConnectionId, ...(main && placeSettings(main.account)) } });
  const worksWith = place?.kind === 'place' && !isMade ? withPlatform(account, place.platform, entry.webhook.secretField) : account;
  const outcome = place?.kind === 'unverified' ? place : await strategy.verify(worksWith, {
    connectionId: connection.connectionId,
    role: connection.role,
    egress: deps.egress,
    hosts: hostsOf(entry, worksWith),
    webhookUrl: webhookUrlOf(connection, deps.config.publicWebhookUrl),
    // Posting again begins a new draft, but leaves what the one before it has made.
    main,
    isInUseElsewhere: async (name) => await isInUseElsewhere(deps, entry, connection.connectionId, { name, value: account.routingIdentifiers[name] }),
    mayHaveMade: draft.attempts > 1 || connection.version > 1,
    waitMs: check.waitMs,
    keep,
  });
  const proof = proofOf(entry, isShared(account) ? worksWith : account, (url) => deps.egress.isPlatformHost(url));
  if (outcome.kind === 'verified') await takeOver(deps, entry, ownedIdentifiers(entry, withLearned(account, outcome.learned)), proof);
  await settle(deps, check, { connectionId: connection.connectionId, draftId: draft.draftId, entry, account, secrets: secretsOf(worksWith, account, main?.account), proof, outcome });
  // Suspended while it was made: whoever followed that found nothing to suspend yet.
  if (main !== undefined && !(await isTenantActive(deps))) await followTenant(deps);
}

async function isTenantActive({ tenants }: AccountDependencies): Promise<boolean> {
  const { status } = await tenants.load();
  return status === 'active';
}

/** Whether another confirmed connection has the identifier, where the account has it. */
export async function isInUseElsewhere({ connections }: Pick<AccountDependencies, 'connections'>, entry: ProviderEntry, connectionId: ConnectionId, { name, value }: { readonly name: string; readonly value: string | undefined }): Promise<boolean> {
  if (value === undefined) return false;
  return await runAsSystem('does another connection use the same account', () => connections.hasOther(entry.id, { name, value }, 'confirmed', [connectionId]));
}

function secretsOf(...accounts: readonly (Account | undefined)[]): Readonly<Record<string, string>> {
  return Object.fromEntries(accounts.flatMap((account) => Object.values(account?.credentials ?? {})).map((secret, index) => [String(index), secret]));
}

/** `replaces`: a webhook secret that the provider may still sign with; everybody hears that there is another one. */
async function keepLearned(deps: AccountDependencies, connection: StoredConnection, draft: StoredDraft, { account, replaces }: { readonly account: Account; readonly replaces: string | undefined }): Promise<boolean> {
  const { db, tenants, connections, previousSecrets, bus, now } = deps;
  return await db.transaction(async () => {
    await tenants.lock();
    const current = await connections.find(connection.connectionId);
    if (current?.draft?.draftId !== draft.draftId) return false;
    await connections.updateDraft(connection.connectionId, draft.draftId, { account });
    const facts = current.sealedCredentials === null ? account : undefined;
    if (facts === undefined && replaces === undefined) return true;
    const version = await connections.touch(connection.connectionId, now(), { facts });
    if (replaces === undefined) return true;
    const { connectionId, provider, role, status } = current;
    await previousSecrets.insert(connectionId, replaces, overlapEnd(deps));
    await bus.publish('connection.changed', { connectionId, provider, role, status, version }, { orderingKey: connectionId });
    return true;
  });
}

type Settlement = { readonly connectionId: ConnectionId; readonly draftId: string; readonly entry: ProviderEntry; readonly account: Account; /** What must not be in a reason. */ readonly secrets: Account['credentials']; readonly proof: Proof; readonly outcome: ConnectOutcome };

async function settle(deps: AccountDependencies, check: Check, { connectionId, draftId, entry, account, secrets, proof, outcome }: Settlement): Promise<void> {
  await deps.db.transaction(async () => {
    await deps.tenants.lock();
    const connection = await deps.connections.find(connectionId);
    // Posted again meanwhile: what the provider said is about credentials that nobody means any more.
    if (connection?.draft?.draftId !== draftId || connection.status === 'disabled') return;
    const refusal = outcome.kind === 'unverified' ? outcome : await activate(deps, check.actor, connection, entry, withLearned(account, outcome.learned), proof);
    if (refusal !== undefined) await refuse(deps, check.actor, connection, connection.draft, secrets, refusal);
  });
}

/** Makes the account the one in use, or says why it cannot be. */
async function activate(deps: AccountDependencies, actor: Actor, connection: StoredConnection, entry: ProviderEntry, account: Account, proof: Proof): Promise<Unverified | undefined> {
  const { connectionId, provider, role } = connection;
  const { connections, identifiers, previousSecrets, audit, bus, now } = deps;

  const taken = await identifiers.claim(provider, ownedIdentifiers(entry, account), proof);
  if (taken.length > 0) {
    await releaseUnused(deps, entry);
    return unverified('This account is already connected elsewhere in this installation. Disconnect it there first.', true, 'connection.identifier_taken');
  }
  const replaced = await connections.openAccount(connection);
  const { secretField } = entry.webhook;
  const replacedSecret = replaced?.credentials[secretField];
  if (replacedSecret !== undefined && replacedSecret !== account.credentials[secretField]) await previousSecrets.insert(connectionId, replacedSecret, overlapEnd(deps));

  const version = await connections.activate(connectionId, account, handshakeTokenHash(deps, entry, account), now());
  await releaseUnused(deps, entry);
  await audit.append({ actor, action: 'connection.activated', subject: connectionId, facts: { provider, version } });
  await bus.publish('connection.changed', { connectionId, provider, role, status: 'active', version }, { orderingKey: connectionId });
  await updateAutomaticRoutes(deps);
  return undefined;
}

/** Gives up identifiers that no confirmed connection of the tenant has any more; one that is switched off keeps its own. Inside a transaction. */
export async function releaseUnused({ connections, identifiers }: AccountDependencies, entry: ProviderEntry): Promise<void> {
  const confirmed = (await connections.list({ provider: entry.id })).filter((connection) => connection.sealedCredentials !== null);
  await identifiers.releaseExcept(entry.id, confirmed.flatMap((connection) => ownedIdentifiers(entry, connection)));
}

async function refuse({ connections, audit, now }: AccountDependencies, actor: Actor, connection: StoredConnection, draft: StoredDraft, secrets: Account['credentials'], refusal: Unverified): Promise<void> {
  const reason = withoutSecrets(refusal.reason, secrets);
  await connections.updateDraft(connection.connectionId, draft.draftId, { reason, nextCheckAt: nextCheckAt(now(), draft.attempts, refusal.retry) ?? null });
  // The hub asks again and again; only news is worth a line.
  if (reason !== draft.reason) await audit.append({ actor, action: 'connection.not_verified', subject: connection.connectionId, facts: { provider: connection.provider, reason } });
}
