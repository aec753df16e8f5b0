import { describe, expect, it } from '@jest/globals';
import type { PublicConnection } from '@switchboard/connector-kit';
import { receivedAt } from '@switchboard/connector-kit/testing';
import { textLengthMax } from '@switchboard/contracts';
import * as fc from 'fast-check';
import { parseWebhook } from './parse-webhook.ts';

const connection: PublicConnection = { role: 'channel', routingIdentifiers: { inbox: 'cw.example.com/77/41' }, settings: { accountId: '77', inboxId: '41' } };
const conversation = { id: 7, inbox_id: 41, contact_inbox: { inbox_id: 41, source_id: 'visitor-1' } };
const message = { event: 'message_created', id: 500, account: { id: 77 }, inbox: { id: 41 }, message_type: 'incoming', content: 'hi', content_type: 'text', content_attributes: {}, private: false, created_at: '2026-07-03T11:20:05.412Z', conversation };
const parse = (body: object, at = connection) => parseWebhook({ body: JSON.stringify(body), receivedAt }, at);

describe('parseWebhook', () => {
  it('loses nothing of a text longer than a message of the hub may be', () => {
    const content = 'word '.repeat(20_000);
    const events = parse({ ...message, content });
    const texts = events.map((event) => (event.kind === 'message' && event.content.kind === 'text' ? event.content.text : ''));
    expect(texts.length).toBeGreaterThan(1);
    expect(texts.every((text) => text.length <= textLengthMax)).toBe(true);
    expect(texts.join(' ').replaceAll(/\s+/g, ' ').trim()).toBe(content.trim());
    expect(events.map((event) => event.kind === 'message' && event.providerMessageId)).toEqual(['500', '500:1']);
  });

  it('knows its own message again by the source id, when an agent\'s retry has wiped the attributes', () => {
    expect(parse({ ...message, source_id: 'msg_0123456789abcdef' })).toEqual([{ kind: 'ignored', reason: 'echo of our own message' }]);
  });

  it('says nothing of an inbox or account that is not the connection\'s, wherever the webhook names it', () => {
    const foreign = [{ inbox: { id: 42 } }, { account: { id: 78 } }, { conversation: { ...conversation, inbox_id: 42 } }, { conversation: { ...conversation, account: { id: 78 } } }, { conversation: { ...conversation, contact_inbox: { inbox_id: 42, source_id: 'x' } } }, { inbox_id: '42' }];
    for (const change of foreign) expect(parse({ ...message, ...change })).toEqual([{ kind: 'ignored', reason: expect.stringMatching(/^another (inbox|account)$/) }]);
    fc.assert(fc.property(fc.integer({ min: 1 }).filter((id) => id !== 41), (id) => parse({ ...message, inbox: { id } })[0]?.kind === 'ignored'));
  });

  it('says nothing at all of a connection whose inbox is not known yet', () => {
    expect(parse(message, { ...connection, settings: { accountId: '77' } })).toEqual([{ kind: 'ignored', reason: 'another inbox' }]);
  });

  it('tells the same click once and a second thought as another', () => {
    const click = (value: string) => parse({ ...message, event: 'message_updated', message_type: 'outgoing', content_type: 'input_select', content_attributes: { hub_ref: 'msg_1', submitted_values: [{ title: value, value }] } });
    const idOf = ([event]: ReturnType<typeof click>) => (event?.kind === 'message' ? event.providerMessageId : undefined);
    expect(idOf(click('yes'))).toBe(idOf(click('yes')));
    expect(idOf(click('yes'))).not.toBe(idOf(click('no')));
  });

  it('takes an open conversation for an agent\'s doing only where a bot would otherwise have it', () => {
    const opened = { event: 'conversation_status_changed', account: { id: 77 }, ...conversation, status: 'open', updated_at: 1_783_077_911 };
    expect(parse(opened)).toMatchObject([{ kind: 'ignored' }]);
    expect(parse(opened, { ...connection, settings: { ...connection.settings, botId: '3' } })).toMatchObject([{ kind: 'message', content: { kind: 'handoff', to: 'desk' } }]);
  });

  it('takes an assignment for an agent\'s doing only where the assigned is a person', () => {
    const assigned = { event: 'conversation_updated', account: { id: 77 }, ...conversation, status: 'open', updated_at: 1_783_077_911, changed_attributes: [{ assignee_id: { previous_value: null, current_value: 3 } }] };
    expect(parse({ ...assigned, meta: { assignee: { id: 3, name: 'Bruno', type: 'user' }, assignee_type: 'User' } })).toMatchObject([{ content: { kind: 'handoff', to: 'desk' } }]);
    for (const meta of [{ assignee: { id: 3, name: 'Hub bot' }, assignee_type: 'AgentBot' }, { assignee: null, assignee_type: null }, {}]) expect(parse({ ...assigned, meta })).toMatchObject([{ kind: 'ignored' }]);
    expect(parse({ ...assigned, status: 'resolved', meta: { assignee: { id: 3 }, assignee_type: 'User' } })).toMatchObject([{ kind: 'ignored' }]);
  });
});
