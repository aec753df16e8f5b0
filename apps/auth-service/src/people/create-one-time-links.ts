import { hubError, newId } from '@switchboard/contracts';
import { oneTimeTokenMs, type OneTimePurpose } from '../domain/lifetimes.ts';
import { formToken, hashSecret, parseToken, secretBytes, type RandomText } from '../domain/opaque-token.ts';
import { currentRealm, runInRealm } from '../domain/realm.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { OneTimeTokenStore } from '../store/one-time-tokens.ts';
import type { PeopleStore, Person } from '../store/people.ts';
import type { IsErased } from './create-erased-check.ts';

export type OneTimeLink = { readonly token: string; readonly expiresAt: string };

export interface OneTimeLinks {
  /** A token for this person; the one before for the same purpose is void. Inside a transaction of the person's realm. */
  issue(person: Person, purpose: OneTimePurpose): Promise<OneTimeLink>;
  /** Whether the token would be taken now. Throws `auth.link_invalid`: what costs something is done only for those who have one. */
  assertValid(token: string, purpose: OneTimePurpose): Promise<void>;
  /** Uses the token up and does what it is for, in one transaction of the person's realm. Throws `auth.link_invalid`, and then it is not used up. */
  redeem<T>(token: string, purpose: OneTimePurpose, use: (person: Person) => Promise<T>): Promise<T>;
}

type Deps = { readonly db: AuthDatabase; readonly tokens: OneTimeTokenStore; readonly people: PeopleStore; readonly isErased: IsErased; readonly randomText: RandomText; readonly now: () => Date };

export function createOneTimeLinks({ db, tokens, people, isErased, randomText, now }: Deps): OneTimeLinks {
  const read = async (text: string) => {
    const token = parseToken('swo', text);
    if (token === undefined || (await isErased(token.realm))) throw hubError('auth.link_invalid');
    return token;
  };

  return {
    async issue(person, purpose) {
      const at = now();
      const expiresAt = new Date(at.getTime() + oneTimeTokenMs[purpose]);
      const id = newId('inv');
      const secret = randomText(secretBytes);
      await tokens.removeAllOf(person.memberId, purpose);
      await tokens.insert({ tokenId: id, purpose, memberId: person.memberId, hash: hashSecret(secret), createdAt: at, expiresAt });
      return { token: formToken('swo', { realm: currentRealm(), id, secret }), expiresAt: expiresAt.toISOString() };
    },

    async assertValid(text, purpose) {
      const { realm, id, secret } = await read(text);
      const row = await runInRealm(realm, () => tokens.find(id));
      if (row?.purpose !== purpose || row.hash !== hashSecret(secret) || row.expiresAt <= now()) throw hubError('auth.link_invalid');
    },

    async redeem(text, purpose, use) {
      const { realm, id, secret } = await read(text);
      return await runInRealm(realm, () =>
        db.transaction(async () => {
          // The person first, then what is theirs: as everybody does who changes both.
          const named = await tokens.find(id);
          const person = named && (await people.findForUpdate(named.memberId));
          const row = await tokens.findForUpdate(id);
          if (person === undefined || row?.purpose !== purpose || row.hash !== hashSecret(secret) || row.expiresAt <= now()) throw hubError('auth.link_invalid');
          await tokens.remove(id);
          return await use(person);
        }),
      );
    },
  };
}
