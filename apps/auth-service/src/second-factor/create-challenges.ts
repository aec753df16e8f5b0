import type { OneTimeLinks } from '../people/create-one-time-links.ts';
import type { SecondFactor } from '../sessions/create-logins.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { FactorStore } from '../store/second-factors.ts';

type Deps = { readonly db: AuthDatabase; readonly factors: Pick<FactorStore, 'find'>; readonly links: Pick<OneTimeLinks, 'issue'> };

/** Asks for the second factor of whoever has taken one into use. */
export function createChallenges({ db, factors, links }: Deps): SecondFactor {
  return {
    async challenge(person) {
      if ((await factors.find(person.memberId))?.status !== 'active') return undefined;
      const { token, expiresAt } = await db.transaction(() => links.issue(person, 'challenge'));
      return { token, methods: ['totp', 'recovery_code'], expiresAt };
    },
  };
}
