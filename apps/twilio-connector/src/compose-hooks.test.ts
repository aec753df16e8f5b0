import { describe, expect, it } from '@jest/globals';
import type { ConnectorHooks, InboundEvent, SendEvent } from '@switchboard/connector-kit';
import { newId, tenantIdSchema, type ConnectionWithSecrets } from '@switchboard/contracts';
import { composeHooks } from './compose-hooks.ts';

const connection: ConnectionWithSecrets = { tenantId: tenantIdSchema.parse('acme'), connectionId: newId('con'), provider: 'twilio', role: 'channel', status: 'active', version: 1, routingIdentifiers: {}, settings: {}, credentials: {} };
const event: SendEvent = {
  eventId: newId('evt'), type: 'message.send.twilio', version: 1, tenantId: connection.tenantId, occurredAt: '2026-11-21T12:00:00.000Z', orderingKey: 'k',
  payload: { messageId: newId('msg'), conversationId: newId('cnv'), connectionId: connection.connectionId, contact: { address: '+15005550111', aliases: {} }, author: 'agent', content: { kind: 'text', text: '' }, attributes: {}, sentAt: '2026-11-21T12:00:00.000Z' },
};
const adding = (words: string): ConnectorHooks => ({
  beforeSend: async ({ payload }) => ({ kind: 'send', command: { ...payload, content: { kind: 'text', text: `${payload.content.kind === 'text' ? payload.content.text : ''}${words}` } } }),
});
const said = (reason: string): InboundEvent => ({ kind: 'ignored', reason });

describe('hooks in a row', () => {
  it('each see the message as the ones before have left it', async () => {
    const { beforeSend } = composeHooks([adding('a'), {}, adding('b')]);
    expect(await beforeSend?.(event, connection)).toMatchObject({ kind: 'send', command: { content: { text: 'ab' } } });
  });

  it('end with the one that answers, or refuses', async () => {
    const seen: string[] = [];
    const noting: ConnectorHooks = { beforeSend: async ({ payload }) => (seen.push('later'), { kind: 'send', command: payload }) };
    expect(await composeHooks([{ beforeSend: async () => ({ kind: 'answered' }) }, noting]).beforeSend?.(event, connection)).toEqual({ kind: 'answered' });
    await expect(composeHooks([{ beforeSend: () => Promise.reject(new Error('opted out')) }, noting]).beforeSend?.(event, connection)).rejects.toThrow('opted out');
    expect(seen).toEqual([]);
  });

  it('each get what the ones before have left of a webhook, and may leave nothing', async () => {
    const source = { cause: newId('evt'), connection };
    const dropping: ConnectorHooks = { onInbound: async (events) => events.slice(1) };
    const { onInbound } = composeHooks([dropping, {}, { onInbound: async (events) => [...events, said('c')] }]);
    expect(await onInbound?.([said('a'), said('b')], source)).toEqual([said('b'), said('c')]);
    expect(await composeHooks([dropping]).onInbound?.([said('a')], source)).toEqual([]);
  });

  it('all hear how a message ended, with the reason', async () => {
    const heard: string[] = [];
    const hearing = (name: string): ConnectorHooks => ({ onSettled: async (_event, outcome, error) => void heard.push(`${name} ${outcome} ${error?.providerCode}`) });
    await composeHooks([hearing('first'), {}, hearing('second')]).onSettled?.(event, 'failed', { code: 'message.opted_out', message: 'no', providerCode: '21610' });
    expect(heard).toEqual(['first failed 21610', 'second failed 21610']);
  });
});
