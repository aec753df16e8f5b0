import { getChatwootMove, pauseChatwootMove, resumeChatwootMove, retireChatwootMove, rollBackChatwootMove, startChatwootMove } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Moves } from '../create-moves.ts';

export function moveRoutes(moves: Pick<Moves, 'start' | 'get' | 'pause' | 'resume' | 'rollBack' | 'retire'>): readonly Route[] {
  return [
    defineRoute(startChatwootMove, ({ body }) => moves.start(body)),
    defineRoute(getChatwootMove, () => moves.get()),
    defineRoute(pauseChatwootMove, () => moves.pause()),
    defineRoute(resumeChatwootMove, () => moves.resume()),
    defineRoute(rollBackChatwootMove, () => moves.rollBack()),
    defineRoute(retireChatwootMove, () => moves.retire()),
  ];
}
