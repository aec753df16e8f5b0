import { hubError, type ConnectionId } from '@switchboard/contracts';
import { findProvider, type ProviderEntry } from '@switchboard/providers';
import { changeForm, type ChangedPart } from '../domain/change-form.ts';
import { hostsOf } from '../domain/hosts-of.ts';
import type { Account } from '../providers/connect-strategy.ts';
import { findStrategy } from '../providers/find-strategy.ts';
import type { AccountDependencies } from './dependencies.ts';
import { loadConnection, lockConnection, openLatest } from './load-connection.ts';
import { assertNotTaken, generateSecret, replaceDraft } from './post-draft.ts';
import { assertAddressesAllowed, readAccount } from './read-account.ts';

export type AccountChange = { readonly connectionId: ConnectionId; readonly part: ChangedPart; readonly changes: Readonly<Record<string, unknown>>; /** Whether it also switches on again. */ readonly enables: boolean };

/**
 * Puts a draft beside what a connection of the current tenant works with: the same account with some fields changed; the check follows and is
 * the caller's. Stored secrets never go to another host than the one they were given for: who changes where they are sent gives them all anew.
 * Throws `request.invalid`, `connection.not_active`, `connection.identifier_taken`, `egress.refused`.
 */
export async function changeAccount(deps: AccountDependencies, { connectionId, part, changes, enables }: AccountChange): Promise<void> {
  const found = await loadConnection(deps, connectionId);
  const entry = findProvider(found.provider);
  const strategy = findStrategy(found.provider);
  const base = await openLatest(deps, found);
  if (entry === undefined || strategy === undefined || base === undefined) throw hubError('connection.not_active', { publicMessage: 'The hub has no credentials for this connection: post them.' });
  if (found.status === 'disabled' && !enables) throw hubError('connection.not_active', { publicMessage: 'The connection is switched off. Switch it on first: PATCH with {"status": "active"}.' });

  const generated = strategy.generatedFields(base);
  const changed = changeForm(entry, base, { generated, fixed: strategy.fixedFields ?? [] }, part, changes);
  if (changed.kind === 'refused') throw hubError('request.invalid', { issues: changed.issues });
  const posted = readAccount(deps, entry, changed.form, `body.${part}`);
  // New settings alone leave the secret that the hub made; new credentials are also the time for a new one of its own.
  const known = base.credentials[entry.webhook.secretField];
  const account = strategy.complete(posted, base, () => (part === 'settings' && known !== undefined ? known : generateSecret()));
  assertSameHosts(entry, base, account, generated, part, changes);
  await assertAddressesAllowed(deps, account);
  await assertNotTaken(deps, { entry, account });

  await deps.db.transaction(async () => {
    const current = await lockConnection(deps, connectionId);
    if (current.version !== found.version) throw hubError('service.unavailable', { publicMessage: 'The connection was changed by somebody else at the same moment. Send the request again.' });
    await replaceDraft(deps, entry, current, { account, fields: [] });
    await deps.audit.append({
      action: part === 'settings' ? 'connection.settings_changed' : 'credentials.rotated',
      subject: connectionId,
      before: openPart(entry, base, changes),
      after: openPart(entry, account, changes),
      facts: { provider: entry.id, fields: Object.keys(changes) },
    });
  });
}

function assertSameHosts(entry: ProviderEntry, base: Account, account: Account, generated: readonly string[], part: ChangedPart, changes: AccountChange['changes']): void {
  const [before, after] = [hostsOf(entry, base), hostsOf(entry, account)];
  if (Object.keys({ ...before, ...after }).every((name) => before[name] === after[name])) return;
  const kept = Object.keys(base.credentials).filter((name) => !generated.includes(name) && changes[name] === undefined);
  const issues =
    part === 'settings'
      ? Object.keys(changes).map((name) => ({ path: `body.settings.${name}`, message: 'changes where the credentials are sent; give it to POST …/rotate together with all of them' }))
      : kept.map((name) => ({ path: `body.credentials.${name}`, message: 'is needed anew: a stored secret is not sent to another address' }));
  if (issues.length > 0) throw hubError('request.invalid', { issues });
}

/** The fields of an account that were to change, without secrets. */
function openPart(entry: ProviderEntry, account: Account, changes: AccountChange['changes']): Record<string, string | null> {
  return Object.fromEntries(Object.keys(changes).filter((name) => !entry.secretFields.includes(name)).map((name) => [name, account.settings[name] ?? account.routingIdentifiers[name] ?? null]));
}
