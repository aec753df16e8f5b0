import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { splitChatwootWebhook } from './split-chatwoot-webhook.ts';

/** As chatwoot.json beside this says where it is from. */
type Fixtures = Readonly<Record<'messageCreated' | 'conversationStatusChanged', Record<string, unknown> & { conversation?: Record<string, unknown> }>>;
const fixtures = JSON.parse(readFileSync(new URL('fixtures/chatwoot.json', import.meta.url), 'utf8')) as Fixtures; // ours, and read for its fields below
const { messageCreated, conversationStatusChanged } = fixtures;

const split = (body: string, headers = {}) => splitChatwootWebhook({ method: 'POST', url: '', headers, body: Buffer.from(body) });

function partOf(body: object, headers = {}) {
  const result = split(JSON.stringify(body), headers);
  if (result.kind !== 'parts') throw new Error(result.reason);
  const { write, ...part } = result.parts[0]!;
  return { ...part, ...write() };
}

const identifiers = (account: string, inbox: string) => [{ name: 'sharedInbox', value: `${account}/${inbox}` }, { name: 'inboxKey', value: `${account}/${inbox}` }, { name: 'accountKey', value: account }];
const without = (body: object, ...fields: string[]) => Object.fromEntries(Object.entries(body).filter(([name]) => !fields.includes(name)));
const messageUpdated = { ...messageCreated, event: 'message_updated' };

describe('a webhook of Chatwoot', () => {
  it('is its inbox\'s in its account, in order with its contact', () => {
    expect(partOf(messageCreated)).toMatchObject({ routingIdentifiers: identifiers('77', '41'), relatedIdentifiers: [], providerEventId: 'message_created:918273', orderingKey: 'acme:wa:5511988887777' });
    expect(partOf(conversationStatusChanged)).toMatchObject({ routingIdentifiers: identifiers('77', '41'), orderingKey: 'acme:wa:5511988887777' });
  });

  it('is kept as it was signed, but for the contact\'s live credential', () => {
    const { body } = partOf(messageCreated);
    expect(body).not.toContain('REDACT-ME');
    expect(body).toBe(JSON.stringify(messageCreated).replaceAll('"REDACT-ME"', 'null'));
    const quoted = { ...messageCreated, content: 'look: "pubsub_token":"x"', sender: { note: '{"pubsub_token": "y"}' } };
    expect(JSON.parse(partOf(quoted).body)).toMatchObject({ content: quoted.content, sender: quoted.sender });
  });

  const conversation = messageCreated.conversation ?? {};
  it.each([
    ['a message whose account stands in its conversation alone', without(messageCreated, 'account')],
    ['a message whose inbox stands in its conversation alone', without(messageCreated, 'inbox')],
    ['a message whose inbox stands with its contact alone', { ...without(messageCreated, 'inbox'), conversation: without(conversation, 'inbox_id', 'messages') }],
    ['a conversation of a server before 4.14.2', { ...without(conversationStatusChanged, 'account'), messages: [{ id: 1, account_id: 77, inbox_id: 41 }] }],
    ['a message of a server before 4.14.2 that names its account nowhere else', { ...without(messageCreated, 'account'), conversation: without(conversation, 'account') }],
    ['a typing sign', { event: 'conversation_typing_on', user: { id: 12 }, conversation, is_private: false }],
    ['a widget that was opened', { event: 'webwidget_triggered', id: 6601, account: { id: 77 }, inbox: { id: 41, name: 'acme' }, current_conversation: null, source_id: 'x' }],
  ])('is found by account and inbox in %s', (_case, body) => expect(partOf(body).routingIdentifiers).toEqual(identifiers('77', '41')));

  it('of a server before 4.14.2 without messages, and in the published form, is found by its inbox alone', () => {
    const byInbox = [{ name: 'sharedInboxId', value: '41' }, { name: 'inboxId', value: '41' }];
    expect(partOf({ ...without(conversationStatusChanged, 'account'), messages: [] }).routingIdentifiers).toEqual(byInbox);
    expect(partOf({ inbox_id: '41', conversation: { id: 1204 }, content: 'Oi' })).toMatchObject({ routingIdentifiers: byInbox, orderingKey: '1204', providerEventId: undefined, sameWithinSeconds: 10 });
    expect(partOf({ id: 5, inbox_id: 41, conversation: { id: 1204 }, content: 'Oi' }).providerEventId).toBe('form:5');
    expect(partOf({ inbox_id: 41, conversation: { id: 1204, contact_inbox: { source_id: 'acme-wa-55' } }, content: 'Oi' })).toMatchObject({ routingIdentifiers: byInbox, orderingKey: 'acme-wa-55' });
  });

  it('about a contact is its account\'s', () => {
    expect(partOf({ event: 'contact_updated', id: 5501, account: { id: 77 } })).toMatchObject({ routingIdentifiers: [{ name: 'accountKey', value: '77' }], orderingKey: 'account' });
  });

  it.each([{ account: { id: '1/2' }, inbox: { id: 3 } }, { account: { id: -1 }, inbox: { id: 1.5 } }, { account: { id: '77\n' }, inbox_id: '4 1' }, {}])('is nobody\'s where its numbers are none (%j)', (body) => {
    expect(partOf(body).routingIdentifiers.filter(({ value }) => value !== '3')).toEqual([]);
  });

  it('is the same message when it is sent again, and another event with every change', () => {
    expect(partOf({ ...messageCreated, conversation: {} }).providerEventId).toBe(partOf(messageCreated).providerEventId);
    const nested = (more: object) => ({ ...messageUpdated, conversation: { ...conversation, messages: [{ id: 918273, status: 'sent', updated_at: 'a', ...more }] } });
    const bodies = [
      messageCreated, { ...messageCreated, id: 918274 }, messageUpdated, { ...messageUpdated, content: 'deleted', content_attributes: { deleted: true } }, { ...messageUpdated, content_attributes: { submitted_values: [{ title: 'Yes', value: 'y' }] } },
      nested({}), nested({ status: 'delivered' }), nested({ updated_at: 'b' }),
      conversationStatusChanged, { ...conversationStatusChanged, status: 'resolved' }, { ...conversationStatusChanged, updated_at: 1783077912.5 }, { ...conversationStatusChanged, event: 'conversation_updated', changed_attributes: [{ status: {} }] }, { ...conversationStatusChanged, event: 'conversation_updated', changed_attributes: [{ assignee_id: {} }] },
    ];
    expect(new Set(bodies.map((body) => partOf(body).providerEventId)).size).toBe(bodies.length);
  });

  it('without an id of its own is told apart by its delivery', () => {
    const typing = { event: 'conversation_typing_on', conversation: { id: 1204, inbox_id: 41 } };
    expect(partOf(typing).providerEventId).toBeUndefined();
    expect(partOf(typing, { 'x-chatwoot-delivery': '0d9c9a5c-3a8e-4f4e-9f0a-000000000001' }).providerEventId).toContain('000000000001');
    expect(partOf(typing, { 'x-chatwoot-delivery': 'x\n'.repeat(100) }).providerEventId).toBeUndefined();
    expect(partOf(messageCreated, { 'x-chatwoot-delivery': '0d9c9a5c-3a8e-4f4e-9f0a-000000000001' }).providerEventId).toBe('message_created:918273');
  });

  it('never throws, and gives keys that every store takes', () => {
    const field = fc.constantFrom('id', 'event', 'account', 'inbox', 'inbox_id', 'conversation', 'messages', 'contact_inbox', 'updated_at', 'content', 'content_attributes');
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }), field, (value, name) => {
        for (const body of [value, { ...messageCreated, [name]: value }, { ...messageUpdated, conversation: { ...conversation, [name]: value } }, { ...conversationStatusChanged, [name]: value }, { ...messageCreated, account: { id: value }, inbox: { id: value } }]) {
          const result = split(JSON.stringify(body));
          for (const part of result.kind === 'parts' ? result.parts : []) {
            for (const identifier of part.routingIdentifiers) expect(identifier.value).toMatch(/^\d{1,18}(?:\/\d{1,18})?$/);
            const written = part.write();
            expect(written.orderingKey).toMatch(/^[\x20-\x7e]{1,300}$/);
            expect(written.providerEventId ?? 'none').toMatch(/^[\x20-\x7e]{1,300}$/);
            expect(() => JSON.parse(written.body) as unknown).not.toThrow();
          }
        }
      }),
    );
  });
});
