import { describe, expect, it } from '@jest/globals';
import type { ConnectionId } from '@switchboard/contracts';
import * as fc from 'fast-check';
import { decideRoutes, faultsOfRoutes, type RoutableConnection } from './decide-routes.ts';

const connection = (name: string, role: RoutableConnection['role'], status: RoutableConnection['status'] = 'active'): RoutableConnection => ({ connectionId: `con_${name}`, provider: 'whatsapp', role, status });
const route = (channel: string, desk: string | null, bot: string | null = null) => ({
  channelConnectionId: `con_${channel}` as ConnectionId,
  botConnectionId: bot === null ? null : (`con_${bot}` as ConnectionId),
  deskConnectionId: desk === null ? null : (`con_${desk}` as ConnectionId),
  startsWith: 'none' as const,
  settings: {},
});

describe('the automatic route', () => {
  const channel = connection('wa', 'channel');
  const desk = connection('gc', 'desk');

  it('joins the one active channel with the one active desk', () => {
    expect(decideRoutes('automatic', [channel, desk, connection('wa2', 'channel', 'pending')], [])).toEqual([{ ...route('wa', 'gc'), startsWith: 'desk' }]);
  });

  it('is not made where there is a choice', () => {
    expect(decideRoutes('automatic', [channel, desk, connection('wa2', 'channel')], [])).toBeUndefined();
    expect(decideRoutes('automatic', [channel], [])).toBeUndefined();
  });

  it('is not made again when it is there, nor against what the tenant chose', () => {
    expect(decideRoutes('automatic', [channel, desk], [route('wa', 'gc')])).toBeUndefined();
    expect(decideRoutes('chosen', [channel, desk], [])).toBeUndefined();
  });

  const own = { ...connection('cw', 'channel'), provider: 'chatwoot' as const };
  const bot = connection('bp', 'bot');

  it('has the bot begin where there is one, and the channel\'s own agents for a desk where there is no other', () => {
    expect(decideRoutes('automatic', [channel, bot], [])).toEqual([{ ...route('wa', null, 'bp'), startsWith: 'bot' }]);
    expect(decideRoutes('automatic', [channel, bot, desk], [])).toEqual([{ ...route('wa', 'gc', 'bp'), startsWith: 'bot' }]);
    expect(decideRoutes('automatic', [own, bot], [])).toEqual([{ ...route('cw', 'cw', 'bp'), startsWith: 'bot' }]);
    expect(decideRoutes('automatic', [own, bot, desk], [])).toEqual([{ ...route('cw', 'gc', 'bp'), startsWith: 'bot' }]);
  });

  it('is not made for own agents alone, nor where there are two bots', () => {
    expect(decideRoutes('automatic', [own], [])).toBeUndefined();
    expect(decideRoutes('automatic', [own, bot, connection('bp2', 'bot')], [])).toBeUndefined();
  });

  it('may name the channel as its own desk only where agents answer in it', () => {
    expect(faultsOfRoutes([{ ...route('cw', 'cw'), startsWith: 'desk' }], [own])).toEqual([]);
    expect(faultsOfRoutes([{ ...route('wa', 'wa'), startsWith: 'desk' }], [channel])).toMatchObject([{ path: 'body.routes[0].deskConnectionId' }]);
  });

  it('always fits the connections it was made from', () => {
    const connections = fc.array(
      fc.record({ connectionId: fc.constantFrom('con_a', 'con_b', 'con_c', 'con_d'), provider: fc.constantFrom('whatsapp', 'chatwoot', 'botpress'), role: fc.constantFrom('channel', 'bot', 'desk'), status: fc.constantFrom('active', 'pending', 'disabled') }),
    );
    fc.assert(
      fc.property(connections, (generated) => {
        // The cast is safe: the arbitraries make exactly these literals.
        const unique = [...new Map(generated.map((item) => [item.connectionId, item])).values()] as RoutableConnection[];
        const decided = decideRoutes('automatic', unique, []);
        expect(decided === undefined ? [] : faultsOfRoutes(decided, unique)).toEqual([]);
      }),
    );
  });
});

describe('routes that were chosen', () => {
  const connections = [connection('wa', 'channel'), connection('gc', 'desk'), connection('bp', 'bot'), connection('off', 'desk', 'disabled')];

  it('may use every connection of the tenant that is not disabled', () => {
    expect(faultsOfRoutes([route('wa', 'gc', 'bp')], connections)).toEqual([]);
  });

  it.each([
    ['a channel that is none', route('gc', 'gc'), 'channelConnectionId'],
    ['a desk that is none', route('wa', 'bp'), 'deskConnectionId'],
    ['a bot that is none', route('wa', 'gc', 'gc'), 'botConnectionId'],
    ['a disabled desk', route('wa', 'off'), 'deskConnectionId'],
    ['an unknown connection', route('nowhere', 'gc'), 'channelConnectionId'],
    ['neither bot nor desk', route('wa', null), 'deskConnectionId'],
    ['a start with a bot it has not', { ...route('wa', 'gc'), startsWith: 'bot' as const }, 'startsWith'],
    ['a start with a desk it has not', { ...route('wa', null, 'bp'), startsWith: 'desk' as const }, 'startsWith'],
  ])('are refused with %s', (_, faulty, field) => {
    expect(faultsOfRoutes([faulty], connections)).toEqual([{ path: `body.routes[0].${field}`, message: expect.any(String) }]);
  });

  it('are refused when one channel has two', () => {
    expect(faultsOfRoutes([route('wa', 'gc'), route('wa', 'gc')], connections)).toEqual([{ path: 'body.routes[1].channelConnectionId', message: 'has a route already' }]);
  });
});
