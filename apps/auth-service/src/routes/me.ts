import { changePassword, endMySessions, getMe, requestPasswordReset, resetPassword } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { currentActor } from '@switchboard/tenant-context';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dependencies } from '../dependencies.ts';
import { meOf } from '../sessions/create-sessions.ts';
import { realmOf } from './login.ts';
import { personOf } from './person-records.ts';

export function getMeRoute({ people }: Dependencies): Route {
  return defineRoute(getMe, async ({ principal }) => meOf(await personOf(principal, people)));
}

export function endMySessionsRoute({ db, people, sessions, announcer }: Dependencies): Route {
  return defineRoute(endMySessions, async ({ principal }) => {
    const person = await personOf(principal, people);
    await db.transaction(async () => {
      await sessions.endAllOf(person, 'revoked');
      await announcer.audit({ action: 'session.all_ended', subject: person.memberId });
    });
  });
}

export function changePasswordRoute({ people, credentials }: Dependencies): Route {
  return defineRoute(changePassword, async ({ principal, body: { refreshToken: keptToken, ...change } }) => {
    await credentials.change(await personOf(principal, people), { ...change, keptToken });
  });
}

/** Milliseconds an answer takes at least: longer than noting the request does, so that the time does not say whether there was anything to note. */
const answerMsMin = 100;

export function requestPasswordResetRoute({ guesses, credentials }: Dependencies): Route {
  return defineRoute(requestPasswordReset, async ({ principal, body: { tenantId, email } }) => {
    const realm = realmOf(principal, tenantId);
    // A count of its own: who asks for a link is not kept from logging in.
    await guesses.claim({ realm, account: `reset of ${email}`, from: currentActor().from });
    await Promise.all([credentials.noteForgotten(realm, email), sleep(answerMsMin)]);
    return { message: 'If there is such an account, the request stands in the audit; an admin can make a link to set a new password.' };
  });
}

export function resetPasswordRoute({ credentials }: Dependencies): Route {
  return defineRoute(resetPassword, ({ body }) => credentials.reset(body.token, body.newPassword));
}
