import { findProvider } from '@switchboard/providers';
import { withoutSecrets } from '@switchboard/secrets';
import type { Kit } from '@switchboard/service-kit';
import { findStrategy } from '../providers/find-strategy.ts';
import type { PlatformConnection } from '../store/platform-connections.ts';
import { inSystem, type PlatformDependencies } from './dependencies.ts';
import { platformContext } from './verify-account.ts';

/** Asks the providers whether the platform's accounts work, by the clock, and notes what they say. One account's trouble stops no other's. */
export async function checkPlatformConnections(deps: PlatformDependencies, log: Kit<unknown, unknown>['log']): Promise<void> {
  await inSystem(async () => {
    const all = await deps.platformConnections.list();
    const checks = await Promise.allSettled(all.map((connection) => check(deps, connection)));
    for (const [index, outcome] of checks.entries()) {
      if (outcome.status === 'rejected') log.warn({ platformConnectionId: all[index]?.platformConnectionId, err: outcome.reason as unknown }, 'an account of the platform could not be checked');
    }
  });
}

async function check(deps: PlatformDependencies, { platformConnectionId, provider }: PlatformConnection): Promise<void> {
  const entry = findProvider(provider);
  const strategy = findStrategy(provider)?.platform;
  const account = await deps.platformConnections.openAccount(platformConnectionId);
  if (entry === undefined || strategy === undefined || account === undefined) return;
  const outcome = await strategy.ask(account, platformContext(deps, entry, account));
  const reason = outcome.kind === 'verified' ? null : withoutSecrets(outcome.reason, account.credentials).replace(/ It is tried again\.$/, '');
  await deps.platformConnections.noteCheck(platformConnectionId, reason, deps.now());
}
