import { newId, type MessageContent } from '@switchboard/contracts';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { decide, type Command, type ConversationEvent } from './decide.ts';
import { deskSince, handlerOf, statusOf, type ConnectionRef, type ConversationRoute, type Standing } from './standing.ts';

const channel: ConnectionRef = { connectionId: newId('con'), provider: 'whatsapp' };
const bot: ConnectionRef = { connectionId: newId('con'), provider: 'botpress' };
const desk: ConnectionRef = { connectionId: newId('con'), provider: 'genesys' };
const formerDesk: ConnectionRef = { connectionId: newId('con'), provider: 'genesys' };

const hour = 3_600_000;
const start = Date.UTC(2026, 10, 21, 12);
const text: MessageContent = { kind: 'text', text: 'hello' };
const fresh: Standing = { lastInboundAt: null, lastActivityAt: start, closedAt: null, handoff: null };

function routeWith(change: Partial<ConversationRoute> = {}): ConversationRoute {
  return { channel, bot, desk, startsWith: 'desk', replyWindowMs: 24 * hour, windowClosedTemplate: null, ...change };
}

function fold(events: readonly ConversationEvent[], route: ConversationRoute): Standing {
  return events.reduce((standing, event) => decide(standing, route, event).standing, fresh);
}

const at = fc.integer({ min: 0, max: 48 }).map((hours) => start + hours * hour);
const content = fc.constantFrom<MessageContent>(text, { kind: 'reaction', emoji: '👍', providerMessageId: 'p' }, { kind: 'template', name: 't', language: 'en', components: [] }, { kind: 'notice', text: 'n' });
const typing: MessageContent = { kind: 'typing', on: true };
const now = start + 100 * hour;
const event: fc.Arbitrary<ConversationEvent> = fc.oneof(
  fc.record({ kind: fc.constant('contact_message' as const), at, content }),
  fc.record({ kind: fc.constant('agent_message' as const), at, now: at, from: fc.constantFrom(desk.connectionId, formerDesk.connectionId), content }),
  fc.record({ kind: fc.constant('agent_message' as const), at, now: at, from: fc.constant(channel.connectionId), content }),
  fc.record({ kind: fc.constantFrom('bot_message' as const, 'flow_message' as const), at, now: at, content }),
  fc.record({ kind: fc.constant('system_message' as const), at, now: at, content }),
  fc.constant<ConversationEvent>({ kind: 'contact_signal', content: typing }),
  fc.record({ kind: fc.constant('counterpart_signal' as const), now: fc.constant(now), by: fc.constantFrom('bot' as const, 'desk' as const), content: fc.constant(typing) }),
  fc.record({ kind: fc.constant('handoff' as const), at, by: fc.constantFrom('bot' as const, 'desk' as const, 'none' as const, 'channel' as const), to: fc.constantFrom('bot' as const, 'desk' as const, 'none' as const) }),
  fc.record({ kind: fc.constant('closed' as const), at }),
);
const route: fc.Arbitrary<ConversationRoute> = fc.record({
  channel: fc.constant(channel),
  bot: fc.constantFrom(bot, null),
  desk: fc.constantFrom(desk, channel, null),
  startsWith: fc.constantFrom('bot' as const, 'desk' as const, 'none' as const),
  replyWindowMs: fc.constantFrom(24 * hour, null),
  windowClosedTemplate: fc.constantFrom({ name: 'back_soon', language: 'en', components: [] }, null),
});
const shuffledWithRepetitions = fc
  .array(event, { maxLength: 12 })
  .chain((events) => fc.tuple(fc.constant(events), fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 })));

describe('decide', () => {
  it('ends any reordering and repetition of events in the same conversation', () => {
    fc.assert(fc.property(shuffledWithRepetitions, route, ([events, again], route) => expect(fold(again, route)).toEqual(fold(events, route))));
  });

  it('never leaves its states: closed is answered by nobody, open by whom the route has', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), route, (events, route) => {
        let standing = fresh;
        for (const next of events) {
          const decision = decide(standing, route, next);
          standing = decision.standing;
          expect(decision.status).toBe(statusOf(standing));
          expect(decision.handler).toBe(handlerOf(standing, route));
          const possible = decision.status === 'closed' ? ['none'] : ['none', ...(route.bot === null ? [] : ['bot']), ...(route.desk === null ? [] : ['desk'])];
          expect(possible).toContain(decision.handler);
        }
      }),
    );
  });

  it('commands only connections of the route', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 8 }), event, route, (before, last, route) => {
        const allowed = [route.channel, route.bot, route.desk].filter((connection) => connection !== null);
        for (const { to } of decide(fold(before, route), route, last).commands) expect(allowed).toContain(to);
      }),
    );
  });

  it('answers every message for the contact with exactly one delivery, sent or failed, unless it is a bot\'s that the desk has taken over from', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 8 }), fc.constantFrom('agent_message', 'bot_message', 'flow_message', 'system_message'), content, route, (before, kind, content, route) => {
        const last = { kind, at: start, now: start, from: desk.connectionId, content } as ConversationEvent; // the union's members differ in nothing else
        const standing = fold(before, route);
        const since = deskSince(standing, route);
        const isSilenced = kind === 'bot_message' && since !== null && start > since;
        const sent = decide(standing, route, last).commands.map((command) => ({ to: command.to, isSent: command.kind === 'deliver' || command.kind === 'fail' }));
        expect(sent).toEqual(isSilenced ? [] : [{ to: channel, isSent: true }]);
      }),
    );
  });

  it('sends the channel\'s own agents neither what the contact says nor what they say themselves', () => {
    const own = event.filter(({ kind }) => kind === 'contact_message' || kind === 'contact_signal' || kind === 'agent_message');
    fc.assert(
      fc.property(fc.array(event, { maxLength: 8 }), own, route, (before, last, route) => {
        const ownRoute = { ...route, desk: channel };
        const at = last.kind === 'agent_message' ? { ...last, from: channel.connectionId } : last;
        for (const { to } of decide(fold(before, ownRoute), ownRoute, at).commands) expect(to).not.toEqual(channel);
      }),
    );
  });

  it('tells a desk once that it has the conversation, however often that is asked for', () => {
    const wish = fc.record({ kind: fc.constant('handoff' as const), at, by: fc.constant('bot' as const), to: fc.constant('desk' as const) });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 8 }), fc.array(wish, { minLength: 1, maxLength: 5 }), route, (before, wishes, route) => {
        const told: Command[] = [];
        let standing = fold(before, route);
        for (const next of wishes) {
          const decision = decide(standing, route, next);
          standing = decision.standing;
          told.push(...decision.commands.filter(({ kind }) => kind === 'handoff'));
        }
        expect(told.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('a message of the contact', () => {
  it.each([
    ['desk', desk],
    ['bot', bot],
  ] as const)('goes to the %s that the route starts with', (startsWith, to) => {
    expect(decide(fresh, routeWith({ startsWith }), { kind: 'contact_message', at: start, content: text }).commands).toEqual([{ kind: 'deliver', to }]);
  });

  it('is kept without being sent when nobody answers', () => {
    expect(decide(fresh, routeWith({ bot: null, desk: null, startsWith: 'none' }), { kind: 'contact_message', at: start, content: text }).commands).toEqual([]);
  });

  it('that was late on its way and finds the conversation closed is read all the same', () => {
    const route = routeWith();
    const closed = fold([{ kind: 'closed', at: start + hour }], route);
    expect(decide(closed, route, { kind: 'contact_message', at: start, content: text })).toMatchObject({ status: 'closed', handler: 'none', commands: [{ kind: 'deliver', to: desk }] });
  });

  it('opens a closed conversation again, with the handler that starts', () => {
    const route = routeWith({ startsWith: 'bot' });
    const closed = fold([{ kind: 'handoff', at: start, by: 'bot', to: 'desk' }, { kind: 'closed', at: start + hour }], route);
    expect(decide(closed, route, { kind: 'contact_message', at: start + 2 * hour, content: text })).toMatchObject({ status: 'open', handler: 'bot', commands: [{ to: bot }] });
  });
});

describe('an agent who writes', () => {
  const inbound: ConversationEvent = { kind: 'contact_message', at: start, content: text };

  it('takes the conversation over from the bot', () => {
    const route = routeWith({ startsWith: 'bot' });
    const decision = decide(fold([inbound], route), route, { kind: 'agent_message', at: start + 1, now: start + 1, from: desk.connectionId, content: text });
    expect(decision).toMatchObject({ handler: 'desk', commands: [{ kind: 'deliver', to: channel }] });
  });

  it('reaches the contact until the reply window closes', () => {
    const route = routeWith();
    const answer = (now: number) => decide(fold([inbound], route), route, { kind: 'agent_message', at: now, now, from: desk.connectionId, content: text }).commands;
    expect(answer(start + 24 * hour - 1)).toEqual([{ kind: 'deliver', to: channel }]);
    expect(answer(start + 24 * hour)).toMatchObject([{ kind: 'fail', to: channel, error: { code: 'message.window_closed' } }]);
  });

  it('reaches the contact outside the window by the template of the route', () => {
    const route = routeWith({ windowClosedTemplate: { name: 'back_soon', language: 'en', components: [] } });
    const commands = decide(fresh, route, { kind: 'agent_message', at: start, now: start, from: desk.connectionId, content: text }).commands;
    expect(commands).toEqual([{ kind: 'deliver', to: channel, sentInstead: { kind: 'template', name: 'back_soon', language: 'en', components: [] } }]);
  });

  it('is not let through by a notice, which is the provider\'s word about the contact', () => {
    const route = routeWith();
    const notice: ConversationEvent = { kind: 'contact_message', at: start + 24 * hour, content: { kind: 'notice', text: 'The contact changed its number' } };
    const now = start + 24 * hour;
    for (const before of [[notice], [inbound, notice]]) {
      expect(decide(fold(before, route), route, { kind: 'agent_message', at: now, now, from: desk.connectionId, content: text }).commands).toMatchObject([{ kind: 'fail', error: { code: 'message.window_closed' } }]);
    }
  });

  it('may send a template at any time', () => {
    const template: MessageContent = { kind: 'template', name: 'order_ready', language: 'en_US', components: [] };
    expect(decide(fresh, routeWith(), { kind: 'system_message', at: start, now: start, content: template }).commands).toEqual([{ kind: 'deliver', to: channel }]);
  });
});

describe('a handoff', () => {
  const botFirst = routeWith({ startsWith: 'bot' });
  const ownAgents = routeWith({ startsWith: 'bot', desk: channel });
  const written: ConversationEvent = { kind: 'contact_message', at: start, content: text };
  const toDesk: ConversationEvent = { kind: 'handoff', at: start + 10, by: 'bot', to: 'desk' };

  it('tells the desk what it must know, and shows it what the contact last wrote', () => {
    expect(decide(fold([written], botFirst), botFirst, toDesk)).toMatchObject({ handler: 'desk', commands: [{ kind: 'handoff', to: desk }, { kind: 'introduce', to: desk }] });
  });

  it('to the channel\'s own agents tells them and repeats nothing that they have', () => {
    expect(decide(fold([written], ownAgents), ownAgents, toDesk)).toMatchObject({ handler: 'desk', commands: [{ kind: 'handoff', to: channel }] });
  });

  it('that the channel\'s own agents took themselves tells them nothing', () => {
    expect(decide(fold([written], ownAgents), ownAgents, { kind: 'handoff', at: start + 1, by: 'desk', to: 'desk' })).toMatchObject({ handler: 'desk', commands: [] });
  });

  it('repeated tells nobody again', () => {
    expect(decide(fold([toDesk], botFirst), botFirst, { ...toDesk, at: start + 20 }).commands).toEqual([]);
  });

  it('to a desk that the route does not have leaves the contact to the bot', () => {
    const noDesk = routeWith({ desk: null, startsWith: 'bot' });
    const left = decide(fold([written], noDesk), noDesk, toDesk);
    expect(left).toMatchObject({ handler: 'bot', commands: [] });
    expect(decide(left.standing, noDesk, { kind: 'contact_message', at: start + 20, content: text }).commands).toEqual([{ kind: 'deliver', to: bot }]);
    expect(decide(left.standing, noDesk, { kind: 'bot_message', at: start + 30, now: start + 30, content: text }).commands).toEqual([{ kind: 'deliver', to: channel }]);
    const nobody = routeWith({ desk: null, bot: null, startsWith: 'none' });
    expect(decide(fold([written], nobody), nobody, toDesk)).toMatchObject({ handler: 'none', commands: [] });
  });

  it('asked for by the channel itself is to people alone: it opens what was closed, tells the desk, and what it is about follows', () => {
    const asked: ConversationEvent = { kind: 'handoff', at: start + 30, by: 'channel', to: 'desk' };
    const given = decide(fold([written, { kind: 'closed', at: start + 20 }], botFirst), botFirst, asked);
    expect(given).toMatchObject({ status: 'open', handler: 'desk', commands: [{ kind: 'handoff', to: desk }] });
    expect(decide(given.standing, botFirst, { kind: 'contact_message', at: start + 5, content: text })).toMatchObject({ handler: 'desk', commands: [{ kind: 'deliver', to: desk }] });
    expect(decide(given.standing, botFirst, asked).commands).toEqual([]);
    for (const to of ['bot', 'none'] as const) expect(decide(given.standing, botFirst, { ...asked, at: start + 40, to })).toMatchObject({ standing: given.standing, handler: 'desk', commands: [] });
  });

  it('asked for by the channel itself leaves the conversation as it is where the route has no desk', () => {
    const noDesk = routeWith({ desk: null, startsWith: 'bot' });
    const before = fold([written], noDesk);
    expect(decide(before, noDesk, { kind: 'handoff', at: start + 30, by: 'channel', to: 'desk' })).toMatchObject({ standing: before, handler: 'bot', commands: [] });
  });

  it.each([
    ['a desk', botFirst],
    ['the channel\'s own agents', ownAgents],
  ])('from %s back to the bot says nothing to the bot until the contact writes', (_, route) => {
    const back = decide(fold([written, toDesk], route), route, { kind: 'handoff', at: start + 20, by: 'desk', to: 'bot' });
    expect(back).toMatchObject({ handler: 'bot', status: 'open', commands: [] });
    expect(decide(back.standing, route, { kind: 'contact_message', at: start + 30, content: text }).commands).toEqual([{ kind: 'deliver', to: bot }]);
  });

  it.each([
    ['nobody', 'none', botFirst],
    ['a bot that the route does not have', 'bot', routeWith({ bot: null })],
    ['a bot that the route does not start with', 'bot', routeWith({ startsWith: 'desk' })],
  ] as const)('from a desk to %s closes the conversation; the contact\'s next message opens it with who starts', (_, to, route) => {
    const closed = decide(fold([written], route), route, { kind: 'handoff', at: start + 20, by: 'desk', to });
    expect(closed).toMatchObject({ status: 'closed', handler: 'none', commands: [] });
    expect(decide(closed.standing, route, { kind: 'contact_message', at: start + 30, content: text })).toMatchObject({ status: 'open', handler: route.startsWith });
  });
});

describe('a bot whose conversation the desk was given', () => {
  const route = routeWith({ startsWith: 'bot' });
  const given = fold([{ kind: 'contact_message', at: start, content: text }, { kind: 'handoff', at: start + 10, by: 'bot', to: 'desk' }], route);
  const says = (at: number): ConversationEvent => ({ kind: 'bot_message', at, now: start + 100, content: text });

  it('is not heard by the contact from that moment', () => {
    expect(decide(given, route, says(start + 11))).toMatchObject({ standing: given, commands: [] });
    expect(decide(given, route, { kind: 'counterpart_signal', now: start + 100, by: 'bot', content: typing }).commands).toEqual([]);
  });

  it('is heard with what it wrote before, however late that comes', () => {
    for (const at of [start + 9, start + 10]) expect(decide(given, route, says(at)).commands).toEqual([{ kind: 'deliver', to: channel }]);
  });

  it('is heard again when it has the conversation back', () => {
    const back = decide(given, route, { kind: 'handoff', at: start + 20, by: 'desk', to: 'bot' }).standing;
    expect(decide(back, route, says(start + 21)).commands).toEqual([{ kind: 'deliver', to: channel }]);
  });

  it('does not silence the desk\'s own greeting', () => {
    expect(decide(given, route, { kind: 'flow_message', at: start + 50, now: start + 50, content: text }).commands).toEqual([{ kind: 'deliver', to: channel }]);
  });
});

describe('the channel\'s own agents', () => {
  const route = routeWith({ startsWith: 'bot', desk: channel });

  it('take the conversation over by writing, and nothing is sent', () => {
    const decision = decide(fold([{ kind: 'contact_message', at: start, content: text }], route), route, { kind: 'agent_message', at: start + 1, now: start + 1, from: channel.connectionId, content: text });
    expect(decision).toMatchObject({ handler: 'desk', commands: [] });
    expect(decide(decision.standing, route, { kind: 'contact_message', at: start + 2, content: text }).commands).toEqual([]);
  });

  it('take nothing over where another desk answers', () => {
    const elsewhere = routeWith({ startsWith: 'bot' });
    expect(decide(fresh, elsewhere, { kind: 'agent_message', at: start + 1, now: start + 1, from: channel.connectionId, content: text })).toMatchObject({ handler: 'bot', commands: [] });
  });
});
