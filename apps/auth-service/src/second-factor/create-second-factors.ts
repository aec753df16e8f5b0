import { hubError, type MemberId, type MemberRole, type OpenSession } from '@switchboard/contracts';
import type { Principal } from '@switchboard/service-kit';
import { currentActor, runWithActor } from '@switchboard/tenant-context';
import { refusalOf, type Standing } from '../domain/decide-member-change.ts';
import { parseToken } from '../domain/opaque-token.ts';
import { currentRealm, runInRealm } from '../domain/realm.ts';
import type { GuessLimits } from '../guessing/create-guess-limits.ts';
import type { Announcer } from '../people/create-announcer.ts';
import type { OneTimeLinks } from '../people/create-one-time-links.ts';
import { doerOf } from '../people/doer-of.ts';
import type { RealmBox } from '../sealing/create-realm-box.ts';
import type { Logins } from '../sessions/create-logins.ts';
import type { Sessions } from '../sessions/create-sessions.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { OneTimeTokenStore } from '../store/one-time-tokens.ts';
import type { PeopleStore, Person } from '../store/people.ts';
import type { FactorPatch, FactorRow, FactorStore } from '../store/second-factors.ts';
import { authenticatorOf, factorSecretBytes, stepOfCode, toBase32 } from './one-time-code.ts';
import { hashRecoveryCode, newRecoveryCodes } from './recovery-codes.ts';

/** A code of the authenticator, or a recovery code. */
export type Proof = { readonly code?: string | undefined; readonly recoveryCode?: string | undefined };

/** Second factors of people, in the person's realm. Whatever takes a code counts as a guess and throws `auth.factor_failed`, `limit.rate_exceeded`. */
export interface SecondFactors {
  stateOf(person: Person): Promise<{ readonly status: 'none' | FactorRow['status']; readonly recoveryCodesLeft: number }>;
  /** Throws `second_factor.active`, `auth.login_failed`. */
  enrol(person: Person, password: string | undefined): Promise<{ readonly secret: string; readonly otpauthUri: string }>;
  /** The recovery codes. Throws `second_factor.not_found`, `second_factor.active`. */
  confirm(person: Person, code: string): Promise<string[]>;
  /** Throws `second_factor.not_found`. */
  renewCodes(person: Person, code: string): Promise<string[]>;
  /** Throws `second_factor.not_found`, `auth.login_failed`. */
  disable(person: Person, password: string | undefined, proof: Proof): Promise<void>;
  /** The session of a log-in that was asked for the second factor. In any realm. Throws `auth.link_invalid`. */
  answer(challengeToken: string, proof: Proof): Promise<OpenSession>;
  /** Somebody else's, who has lost it. Throws `member.not_found` or `staff.not_found`, `second_factor.not_found` and the codes of `refusalOf`. */
  reset(by: Principal, memberId: MemberId): Promise<void>;
}

type Deps = {
  readonly db: AuthDatabase;
  readonly people: PeopleStore;
  readonly factors: FactorStore;
  readonly box: RealmBox;
  readonly links: OneTimeLinks;
  readonly oneTimeTokens: OneTimeTokenStore;
  readonly guesses: GuessLimits;
  readonly logins: Pick<Logins, 'assertPassword'>;
  readonly sessions: Pick<Sessions, 'issue'>;
  readonly announcer: Announcer;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly now: () => Date;
};

export function createSecondFactors(deps: Deps): SecondFactors {
  const { db, people, factors, box, links, oneTimeTokens, guesses, logins, sessions, announcer, randomBytes, now } = deps;

  /** What changes when the proof is taken: it is used up. Undefined when it is wrong. Inside a transaction that holds the row. */
  const judge = async (row: FactorRow, { code, recoveryCode }: Proof): Promise<FactorPatch | undefined> => {
    if (code !== undefined) {
      const lastStep = stepOfCode(await box.open(row, placeOf(row.memberId)), code, row.lastStep, now());
      return lastStep === undefined ? undefined : { lastStep };
    }
    const hash = recoveryCode === undefined ? undefined : hashRecoveryCode(row.memberId, recoveryCode);
    return hash === undefined || !row.recoveryHashes.includes(hash) ? undefined : { recoveryHashes: row.recoveryHashes.filter((each) => each !== hash) };
  };

  /** Counted before it is judged, so that a hundred guesses at once are not one. */
  const guessed = async <T>(memberId: MemberId, fn: () => Promise<T>): Promise<T> => {
    const guess = { realm: currentRealm(), account: `second factor of ${memberId}`, from: currentActor().from };
    await guesses.claim(guess);
    const outcome = await fn();
    await guesses.succeeded(guess);
    return outcome;
  };

  /** Takes a proof of a person's factor and does what it is for, in one transaction. */
  const withProof = <T>({ memberId }: Person, status: FactorRow['status'], proof: Proof, use: (row: FactorRow, used: FactorPatch) => Promise<T>): Promise<T> =>
    guessed(memberId, () =>
      db.transaction(async () => {
        await people.findForUpdate(memberId);
        const row = await factors.findForUpdate(memberId);
        if (row === undefined || (status === 'active' && row.status === 'pending')) throw hubError('second_factor.not_found');
        if (row.status !== status) throw hubError('second_factor.active');
        const used = await judge(row, proof);
        if (used === undefined) throw hubError('auth.factor_failed');
        return await use(row, used);
      }),
    );

  const assertPassword = async (person: Person, password: string | undefined): Promise<void> => {
    // Who logs in by single sign-on alone has no password to ask for.
    if (person.passwordHash !== null) await logins.assertPassword(currentRealm(), person, password ?? '');
  };

  const giveCodes = async (row: FactorRow, used: FactorPatch): Promise<string[]> => {
    const codes = newRecoveryCodes(randomBytes);
    await factors.update(row, { ...used, status: 'active', recoveryHashes: codes.map((code) => hashRecoveryCode(row.memberId, code)) });
    return codes;
  };

  const note = (action: string, memberId: MemberId) => announcer.audit({ action, subject: memberId });

  return {
    async stateOf({ memberId }) {
      const row = await factors.find(memberId);
      return { status: row?.status ?? 'none', recoveryCodesLeft: row?.recoveryHashes.length ?? 0 };
    },

    async enrol(person, password) {
      await assertPassword(person, password);
      const { memberId, email } = person;
      const secret = toBase32(randomBytes(factorSecretBytes));
      await db.transaction(async () => {
        await people.findForUpdate(memberId);
        if ((await factors.findForUpdate(memberId))?.status === 'active') throw hubError('second_factor.active');
        await factors.remove(memberId);
        await factors.insert({ memberId, status: 'pending', lastStep: 0, recoveryHashes: [], ...(await box.seal(secret, placeOf(memberId))) }, now());
        await note('second_factor.begun', memberId);
      });
      return { secret, otpauthUri: authenticatorOf(secret, email).toString() };
    },

    confirm: (person, code) =>
      withProof(person, 'pending', { code }, async (row, used) => {
        await note('second_factor.enrolled', person.memberId);
        return await giveCodes(row, used);
      }),

    renewCodes: (person, code) =>
      withProof(person, 'active', { code }, async (row, used) => {
        await note('second_factor.codes_renewed', person.memberId);
        return await giveCodes(row, used);
      }),

    async disable(person, password, proof) {
      await assertPassword(person, password);
      await withProof(person, 'active', proof, async () => {
        await factors.remove(person.memberId);
        await note('second_factor.disabled', person.memberId);
      });
    },

    async answer(challengeToken, proof) {
      await links.assertValid(challengeToken, 'challenge');
      const challenge = parseToken('swo', challengeToken);
      if (challenge === undefined) throw hubError('auth.link_invalid');
      return await runInRealm(challenge.realm, async () => {
        const named = await oneTimeTokens.find(challenge.id);
        if (named === undefined) throw hubError('auth.link_invalid');
        const redeemed = await guessed(named.memberId, () =>
          links.redeem(challengeToken, 'challenge', async (person) => {
            const row = await factors.findForUpdate(person.memberId);
            if (row?.status !== 'active') throw hubError('auth.link_invalid');
            const used = await judge(row, proof);
            if (used === undefined) throw hubError('auth.factor_failed');
            await factors.update(row, used);
            const { from } = currentActor();
            if (used.recoveryHashes !== undefined) await runWithActor({ kind: person.role === 'platform' ? 'admin' : 'member', subject: person.memberId, from }, () => note('second_factor.recovery_code_used', person.memberId));
            return person;
          }),
        );
        return await sessions.issue(redeemed);
      });
    },

    reset: (by, memberId) =>
      db.transaction(async () => {
        await people.lock();
        const person = await people.findForUpdate(memberId);
        if (person === undefined) throw hubError(currentRealm() === undefined ? 'staff.not_found' : 'member.not_found');
        if (person.role !== 'platform') {
          const standing: Standing = { role: person.role as MemberRole, status: person.status }; // not platform: a member's role
          const refusal = refusalOf(await doerOf(by, people), { before: standing, after: standing }, await people.countActiveOwners());
          if (refusal !== undefined) throw hubError(refusal);
        }
        if ((await factors.findForUpdate(memberId)) === undefined) throw hubError('second_factor.not_found');
        await factors.remove(memberId);
        await oneTimeTokens.removeAllOf(memberId, 'challenge');
        await note('second_factor.reset', memberId);
      }),
  };
}

function placeOf(memberId: MemberId) {
  return { table: 'second_factors', column: 'sealed_secret', row: memberId } as const;
}
