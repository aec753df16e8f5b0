import { hubError, type ConnectionId, type ReplyOf, type testConnection } from '@switchboard/contracts';
import { findProvider } from '@switchboard/providers';
import { withoutSecrets } from '@switchboard/secrets';
import { webhookUrlOf } from '../domain/connection-record.ts';
import { hostsOf } from '../domain/hosts-of.ts';
import { effectiveAccount } from '../platform/platform-account.ts';
import { findStrategy } from '../providers/find-strategy.ts';
import { withinTime } from '../providers/within-time.ts';
import type { ConnectionHealthStore } from '../store/connection-health.ts';
import type { AccountDependencies } from './dependencies.ts';
import { loadConnection, openLatest } from './load-connection.ts';

/** Milliseconds between two tests of a connection: a test button that is held down is no attack on the provider. */
const testEveryMs = 10_000;
/** Milliseconds for all questions of one test: somebody watches. */
const testMaxMs = 10_000;

/** Asks the provider now whether a connection of the current tenant works, changes nothing there, and notes the answer as its health. Throws `limit.rate_exceeded`. */
export async function askAboutConnection(deps: AccountDependencies & { readonly health: ConnectionHealthStore }, connectionId: ConnectionId): Promise<ReplyOf<typeof testConnection>> {
  const { connections, health, config, now } = deps;
  const connection = await loadConnection(deps, connectionId);
  if (!(await health.beginTest(connectionId, now(), testEveryMs))) {
    throw hubError('limit.rate_exceeded', { publicMessage: `A connection is tested once in ${testEveryMs / 1000} seconds at most.`, retry: { afterMs: testEveryMs } });
  }
  const entry = findProvider(connection.provider);
  const strategy = findStrategy(connection.provider);
  // What is in use counts; before there is such a thing, what was posted.
  const own = connection.status === 'active' ? await connections.openAccount(connection) : await openLatest(deps, connection);
  const account = own && (await effectiveAccount(deps, own, entry?.webhook.secretField ?? ''));
  if (entry === undefined || strategy === undefined || account === undefined) return { ok: false, checkedAt: now().toISOString(), reason: 'The hub has no credentials for this connection: post them.' };

  const outcome = await strategy.ask(account, { connectionId, role: connection.role, egress: withinTime(deps.egress, testMaxMs), hosts: hostsOf(entry, account), webhookUrl: webhookUrlOf(connection, config.publicWebhookUrl) });
  const checkedAt = now().toISOString();
  if (outcome.kind === 'verified') {
    await health.note(connectionId, { lastSuccessAt: checkedAt }, checkedAt);
    return { ok: true, checkedAt };
  }
  // A draft is asked about again by itself, a test is not.
  const reason = withoutSecrets(outcome.reason, account.credentials).replace(/ It is tried again\.$/, '');
  await health.note(connectionId, { lastError: { code: outcome.code, message: reason, at: checkedAt } }, checkedAt);
  return { ok: false, checkedAt, reason };
}
