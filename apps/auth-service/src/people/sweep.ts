import { runAsSystem } from '@switchboard/tenant-context';
import { endedSessionKeptMs, sessionLifetimes } from '../domain/lifetimes.ts';
import type { GuessLimits } from '../guessing/create-guess-limits.ts';
import type { OneTimeTokenStore } from '../store/one-time-tokens.ts';
import type { SessionStore } from '../store/sessions.ts';
import type { SsoStore } from '../store/sso.ts';

type Deps = { readonly sessionStore: SessionStore; readonly oneTimeTokens: OneTimeTokenStore; readonly guesses: GuessLimits; readonly ssoStore: SsoStore; readonly now: () => Date };

/** Deletes what can open nothing any more: sessions that ended a while ago, links and log-ins at identity providers that nobody used in time, guesses that are forgotten. */
export async function sweep({ sessionStore, oneTimeTokens, guesses, ssoStore, now }: Deps): Promise<void> {
  const endedBefore = new Date(now().getTime() - endedSessionKeptMs);
  const idleSince = (idleMs: number) => new Date(endedBefore.getTime() - idleMs);
  await runAsSystem('what has ended is swept over all tenants', async () => {
    await sessionStore.sweep('sessions', idleSince(sessionLifetimes.member.idleMs), endedBefore);
    await sessionStore.sweep('staff_sessions', idleSince(sessionLifetimes.staff.idleMs), endedBefore);
    await oneTimeTokens.sweep('one_time_tokens', now());
    await oneTimeTokens.sweep('staff_one_time_tokens', now());
    await ssoStore.sweep(now());
  });
  await guesses.sweep();
}
