import { describe, expect, it } from '@jest/globals';
import type { ContactRef } from '@switchboard/contracts';
import type { PublicConnection } from '@switchboard/connector-kit';
import { parseWebhook } from './parse-webhook.ts';

const connection = { routingIdentifiers: { phoneNumberId: '7' }, settings: {} } as unknown as PublicConnection; // what parsing reads of it

function contactsOf(value: Record<string, unknown>): (ContactRef | undefined)[] {
  const body = JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '9', changes: [{ field: 'messages', value: { metadata: { phone_number_id: '7' }, ...value } }] }] });
  const events = parseWebhook({ webhookId: 'whk_00000000000000000000000000', body, receivedAt: '2026-01-01T00:00:00.000Z' } as Parameters<typeof parseWebhook>[0], connection); // the ids play no part
  return events.map((event) => (event.kind === 'message' ? event.contact : undefined));
}

const ann = { profile: { name: 'Ann', username: 'ann' }, wa_id: '111', user_id: 'US.1', parent_user_id: 'US.ENT.1' };
const text = (more: Record<string, unknown>, id = 'wamid.T') => ({ id, type: 'text', text: { body: 'hi' }, ...more });

describe('who wrote a message', () => {
  it('is never the only contact there is when another wrote beside it', () => {
    expect(contactsOf({ contacts: [ann], messages: [text({ from: '111' }, 'a'), text({ from: '222' }, 'b')] })).toEqual([
      { address: '111', name: 'Ann', aliases: { waId: '111', userId: 'US.1', parentUserId: 'US.ENT.1', username: 'ann' } },
      { address: '222', aliases: { waId: '222' } },
    ]);
    expect(contactsOf({ contacts: [ann], messages: [text({ from: '222' })], statuses: [{ id: 'wamid.S', status: 'read', recipient_id: '111' }] })[0]).toEqual({ address: '222', aliases: { waId: '222' } });
  });

  it.each([
    ['number', { from: '222' }, { address: '222', aliases: { waId: '222' } }],
    ['user id', { from_user_id: 'US.2' }, { address: 'US.2', aliases: { userId: 'US.2' } }],
  ])('takes no id from the only contact when that has another %s', (_kind, from, expected) => {
    expect(contactsOf({ contacts: [ann], messages: [text(from)] })).toEqual([{ name: 'Ann', ...expected }]);
  });

  it('is the only contact when nothing says otherwise', () => {
    expect(contactsOf({ contacts: [{ wa_id: '111' }], messages: [text({})] })).toEqual([{ address: '111', aliases: { waId: '111' } }]);
    expect(contactsOf({ contacts: [{ user_id: 'US.1' }], messages: [text({ from: '111' })] })).toEqual([{ address: '111', aliases: { waId: '111', userId: 'US.1' } }]);
    expect(contactsOf({ contacts: [ann], messages: [text({ from: 'US.1' })] })[0]?.aliases).toMatchObject({ waId: '111', userId: 'US.1' });
  });
});
