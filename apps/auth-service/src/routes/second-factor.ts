import {
  confirmSecondFactor,
  disableSecondFactor,
  enrolSecondFactor,
  getSecondFactor,
  hubError,
  loginWithSecondFactor,
  renewRecoveryCodes,
  resetMemberSecondFactor,
  resetStaffSecondFactor,
} from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Proof, SecondFactors } from '../second-factor/create-second-factors.ts';
import type { PeopleStore } from '../store/people.ts';
import { personOf } from './person-records.ts';

/** The second factor of whoever is logged in, or logs in; and of those who have lost theirs. */
export function secondFactorRoutes({ secondFactors, people }: { readonly secondFactors: SecondFactors; readonly people: PeopleStore }): Route[] {
  return [
    defineRoute(getSecondFactor, async ({ principal }) => secondFactors.stateOf(await personOf(principal, people))),
    defineRoute(enrolSecondFactor, async ({ principal, body }) => secondFactors.enrol(await personOf(principal, people), body.password)),
    defineRoute(confirmSecondFactor, async ({ principal, body }) => ({ recoveryCodes: await secondFactors.confirm(await personOf(principal, people), body.code) })),
    defineRoute(renewRecoveryCodes, async ({ principal, body }) => ({ recoveryCodes: await secondFactors.renewCodes(await personOf(principal, people), body.code) })),
    defineRoute(disableSecondFactor, async ({ principal, body: { password, ...proof } }) => {
      assertOne(proof);
      await secondFactors.disable(await personOf(principal, people), password, proof);
    }),
    defineRoute(loginWithSecondFactor, ({ body: { challengeToken, ...proof } }) => {
      assertOne(proof);
      return secondFactors.answer(challengeToken, proof);
    }),
    defineRoute(resetMemberSecondFactor, ({ principal, params }) => secondFactors.reset(principal, params.memberId)),
    defineRoute(resetStaffSecondFactor, ({ principal, params }) => secondFactors.reset(principal, params.memberId)),
  ];
}

function assertOne({ code, recoveryCode }: Proof): void {
  if ((code === undefined) === (recoveryCode === undefined)) throw hubError('request.invalid', { issues: [{ path: 'body.code', message: 'send either this or recoveryCode' }] });
}
