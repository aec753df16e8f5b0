import { describe, expect, it } from '@jest/globals';
import { newId, type Route } from '@switchboard/contracts';
import { routesWithout } from './routes-without.ts';

const [channel, bot, desk] = [newId('con'), newId('con'), newId('con')];
const route: Route = { channelConnectionId: channel, botConnectionId: bot, deskConnectionId: desk, startsWith: 'bot', settings: {} };

describe('routes without a connection that is gone', () => {
  it('have none for its channel', () => {
    expect(routesWithout([route], channel)).toEqual([]);
  });

  it('start with what is left, and are none when nothing is', () => {
    expect(routesWithout([route], bot)).toEqual([{ ...route, botConnectionId: null, startsWith: 'desk' }]);
    expect(routesWithout([{ ...route, startsWith: 'desk' }], desk)).toEqual([{ ...route, deskConnectionId: null, startsWith: 'bot' }]);
    expect(routesWithout([{ ...route, deskConnectionId: null }], bot)).toEqual([]);
  });

  it('stay as they are where they do not name it, also when nobody starts', () => {
    expect(routesWithout([route, { ...route, startsWith: 'none' }], newId('con'))).toEqual([route, { ...route, startsWith: 'none' }]);
  });
});
