import { getDeadLetter, hubError, listDeadLetters, redriveDeadLetters } from '@switchboard/contracts';
import type { DeadLetters } from '@switchboard/event-bus';
import { defineRoute } from '../http/define-route.ts';
import type { Route } from '../port.ts';

/** What every service with consumers offers to the platform: see what could not be handled, and hand it out again. */
export function deadLetterRoutes(deadLetters: DeadLetters): Route[] {
  return [
    defineRoute(listDeadLetters, ({ query }) => deadLetters.list(query)),
    defineRoute(getDeadLetter, async ({ params }) => {
      const found = await deadLetters.find(params.deadLetterId);
      if (found === undefined) throw hubError('dead_letter.not_found');
      return found;
    }),
    defineRoute(redriveDeadLetters, async ({ body }) => ({ redriven: await deadLetters.redrive(body.deadLetterIds) })),
  ];
}
