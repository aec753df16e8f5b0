import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { WebhookPart, WrittenPart } from '../provider.ts';
import { splitWhatsAppWebhook } from './split-whatsapp-webhook.ts';

const split = (body: string | Buffer) => splitWhatsAppWebhook({ method: 'POST', url: '', headers: {}, body: Buffer.from(body) });

type Part = Omit<WebhookPart, 'write'> & WrittenPart;
const written = ({ write, ...part }: WebhookPart): Part => ({ ...part, ...write() });

function partsOf(body: unknown): readonly Part[] {
  const result = split(JSON.stringify(body));
  if (result.kind !== 'parts') throw new Error(result.reason);
  return result.parts.map(written);
}

type Envelope = { entry: { id: string; changes: { field: string; value: Record<string, unknown> }[] }[] };
const valueOf = (part: Part | undefined) => (JSON.parse(part?.body ?? '') as Envelope).entry[0]!.changes[0]!.value;

// whatsapp.md section 5: ids and texts are invented, the shape is Meta's.
const metadata = { display_phone_number: '15005550100', phone_number_id: '700100200300401' };
const batch = {
  object: 'whatsapp_business_account',
  entry: [
    {
      id: '900100200300400',
      changes: [
        {
          field: 'messages',
          value: {
            messaging_product: 'whatsapp',
            metadata,
            contacts: [{ profile: { name: 'Ada L.' }, wa_id: '15005550123' }, { profile: { name: 'Bo' }, wa_id: '15005550124' }],
            messages: [
              { from: '15005550123', id: 'wamid.A1', timestamp: '1790000001', type: 'text', text: { body: 'hi' } },
              { from: '15005550124', id: 'wamid.B1', timestamp: '1790000002', type: 'text', text: { body: 'hello' } },
            ],
          },
        },
        {
          field: 'messages',
          value: {
            messaging_product: 'whatsapp',
            metadata: { display_phone_number: '15005550101', phone_number_id: '700100200300402' },
            statuses: [{ id: 'wamid.C9', status: 'delivered', timestamp: '1790000003', recipient_id: '15005550125' }],
          },
        },
      ],
    },
    { id: '900100200300499', changes: [{ field: 'message_template_status_update', value: { event: 'APPROVED', message_template_id: 12345, message_template_name: 'order_ready' } }] },
  ],
};
const one = (value: Record<string, unknown>, field = 'messages') => ({ object: 'whatsapp_business_account', entry: [{ id: '9', changes: [{ field, value: { messaging_product: 'whatsapp', metadata, ...value } }] }] });

describe('a batch of Meta', () => {
  const parts = partsOf(batch);

  it('becomes one part a message, status or other change, each with its own account', () => {
    expect(parts.map((part) => part.routingIdentifiers)).toEqual([
      [{ name: 'phoneNumberId', value: '700100200300401' }],
      [{ name: 'phoneNumberId', value: '700100200300401' }],
      [{ name: 'phoneNumberId', value: '700100200300402' }],
      [{ name: 'wabaId', value: '900100200300499' }],
    ]);
    expect(parts[0]?.relatedIdentifiers).toEqual([{ name: 'wabaId', value: '900100200300400' }]);
  });

  it('leaves every part in Meta\'s envelope with its metadata and its own contact alone', () => {
    expect(JSON.parse(parts[1]?.body ?? '')).toEqual({
      object: 'whatsapp_business_account',
      entry: [
        {
          id: '900100200300400',
          changes: [
            {
              field: 'messages',
              value: {
                messaging_product: 'whatsapp',
                metadata,
                contacts: [{ profile: { name: 'Bo' }, wa_id: '15005550124' }],
                messages: [{ from: '15005550124', id: 'wamid.B1', timestamp: '1790000002', type: 'text', text: { body: 'hello' } }],
              },
            },
          ],
        },
      ],
    });
    expect(JSON.stringify(parts[2])).not.toContain('Ada');
  });

  it('keeps a message in order with its sender and a status with its recipient', () => {
    expect(parts.map((part) => part.orderingKey)).toEqual(['15005550123', '15005550124', '15005550125', 'account']);
  });

  it('names messages by id, statuses by id and status, so that a retry in another batch is known again', () => {
    expect(parts.slice(0, 3).map((part) => part.providerEventId)).toEqual([
      'message:700100200300401:wamid.A1',
      'message:700100200300401:wamid.B1',
      'status:700100200300402:wamid.C9:delivered',
    ]);
    const alone = { ...batch, entry: [{ ...batch.entry[1], time: 1790000009 }] };
    expect(partsOf(alone)[0]?.providerEventId).toBe(parts[3]?.providerEventId);
  });

  it('takes 1000 updates well under a second', () => {
    const messages = Array.from({ length: 1_000 }, (_, index) => ({ from: `1500555${index}`, id: `wamid.${index}`, timestamp: '1790000000', type: 'text', text: { body: 'x'.repeat(500) } }));
    const started = performance.now();
    expect(partsOf(one({ messages }))).toHaveLength(1_000);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('a body with one update', () => {
  it('stays as it was signed, byte for byte', () => {
    const body = String.raw`{"object":"whatsapp_business_account","entry":[{"id":"9","changes":[{"value":{"metadata":{"phone_number_id":"7"},"messages":[{"from":"1","id":"wamid.T","text":{"body":"caf\u00e9 https:\/\/example.test\/a"}}]},"field":"messages"}]}]}`;
    const result = split(body);
    expect(result.kind === 'parts' && result.parts.map((part) => part.write().body)).toEqual([body]);
  });

  it('keeps its number to itself: a connected WABA does not own an unknown number of it', () => {
    expect(partsOf(one({ messages: [{ from: '1', id: 'wamid.T' }] }))[0]).toMatchObject({ routingIdentifiers: [{ name: 'phoneNumberId' }], relatedIdentifiers: [{ name: 'wabaId', value: '9' }] });
  });

  it('keeps the error that says why the only message is unreadable', () => {
    const errors = [{ code: 131051 }];
    const parts = partsOf({ ...one({ messages: [{ from: '1', id: 'wamid.T', type: 'interactive' }], errors }), entry: [...one({ messages: [{ from: '1', id: 'wamid.T', type: 'interactive' }], errors }).entry, ...batch.entry] });
    expect(valueOf(parts[0])['errors']).toEqual(errors);
    expect(parts).toHaveLength(5);
  });
});

describe('what comes odd', () => {
  it('gives the same message one key when it stands twice in one body', () => {
    const message = { from: '1', id: 'wamid.T', type: 'text', text: { body: 'hi' } };
    expect(new Set(partsOf(one({ messages: [message, message] })).map((part) => part.providerEventId)).size).toBe(1);
  });

  it('goes by the business-scoped user id when the sender has no number', () => {
    const [part] = partsOf(one({ contacts: [{ user_id: 'US.1' }, { user_id: 'US.2', profile: {} }], messages: [{ from_user_id: 'US.2', id: 'wamid.T' }, { from_user_id: 'US.1', id: 'wamid.U' }] }));
    expect(part?.orderingKey).toBe('US.2');
    expect(valueOf(part)['contacts']).toEqual([{ user_id: 'US.2', profile: {} }]);
  });

  it('tells the participants of a group apart in statuses', () => {
    const status = { id: 'wamid.G', status: 'read', recipient_type: 'group', recipient_id: 'group-1' };
    const keys = partsOf(one({ statuses: [{ ...status, recipient_participant_id: '1' }, { ...status, recipient_participant_id: '2' }] })).map((part) => part.providerEventId);
    expect(new Set(keys).size).toBe(2);
  });

  it('keeps what stands beside messages as a part of its own', () => {
    const parts = partsOf(one({ messages: [{ from: '1', id: 'wamid.T' }], groups: [{ id: 'g' }] }));
    expect(parts).toHaveLength(2);
    expect(valueOf(parts[1])).toEqual({ messaging_product: 'whatsapp', metadata, groups: [{ id: 'g' }] });
  });

  it.each([['calls', { calls: [{ id: 'c' }] }], ['history', { history: [] }], ['never_heard_of', { anything: true }]])('keeps the unknown field %s', (field, value) => {
    expect(partsOf(one(value, field))[0]).toMatchObject({ routingIdentifiers: [{ name: 'phoneNumberId', value: metadata.phone_number_id }], orderingKey: 'account' });
  });

  it.each(['', 'null', '[]', '"text"', '{', '{"entry":[]}', '{"entry":{}}', '{"object":"whatsapp_business_account"}', `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`])('says %j is unreadable', (body) => {
    expect(split(body).kind).toBe('unreadable');
  });

  it('says bytes that are not UTF-8 are unreadable, because their text would not be what was signed', () => {
    expect(split(Buffer.concat([Buffer.from('{"entry":["'), Buffer.of(0xff), Buffer.from('"]}')])).kind).toBe('unreadable');
  });

  it('does not run out of stack on a body of brackets', () => {
    expect(split('['.repeat(1_000_000)).kind).toBe('unreadable');
    expect(split(`{"entry":${'['.repeat(500_000)}${']'.repeat(500_000)}}`).kind).toBe('unreadable');
  });
});

describe('whose contact it is', () => {
  const ann = { profile: { name: 'Ann' }, wa_id: '111', user_id: 'US.1' };
  const contactsOf = (value: Record<string, unknown>) => partsOf(one(value)).map((part) => valueOf(part)['contacts']);

  it('is not said to be another sender beside the only contact there is', () => {
    expect(contactsOf({ contacts: [ann], messages: [{ from: '111', id: 'a' }, { from: '222', id: 'b' }] })).toEqual([[ann], undefined]);
    expect(contactsOf({ contacts: [ann], messages: [{ from: '222', id: 'b' }], statuses: [{ id: 'a', status: 'sent', recipient_id: '111' }] })).toEqual([undefined, [ann]]);
  });

  it('is the only contact where all are one person, however its number is written', () => {
    expect(contactsOf({ contacts: [ann], messages: [{ from: '+111', id: 'a' }, { from: '111', id: 'b' }, { id: 'c' }] })).toEqual([[ann], [ann], [ann]]);
  });
});

describe('a stranger\'s body of full size', () => {
  const size = 4 * 1024 * 1024;
  const filled = (head: string, unit: (index: number) => string, tail: string): string => {
    const units: string[] = [];
    for (let index = 0, length = head.length + tail.length; ; index++) {
      const next = unit(index);
      length += next.length + 1;
      if (length > size) return head + units.join(',') + tail;
      units.push(next);
    }
  };
  const text = (value: Record<string, unknown>) => JSON.stringify(one(value));
  const around = (value: Record<string, unknown>, unit: (index: number) => string) => {
    const [head = '', tail = ''] = text(value).split('"@"');
    return filled(head, unit, tail);
  };
  const large = 'x'.repeat(size - 200_000);
  const messages = Array.from({ length: 1_900 }, (_, index) => ({ from: '1', id: `wamid.${index}` }));

  it.each([
    ['changes that are numbers', () => filled('{"entry":[{"changes":[', () => '1', ']}]}')],
    ['statuses that are numbers', () => around({ statuses: ['@'] }, () => '1')],
    ['entries that each name another account', () => filled('{"entry":[', (index) => `{"changes":[{"value":{"metadata":{"phone_number_id":"${index}"}}}]}`, ']}')],
    ['fields of their own', () => filled('{"entry":[{', (index) => `"f${index}":1`, '}]}')],
    ['objects with fields of their own', () => around({ history: ['@'] }, (index) => `{"f${index}":1}`)],
    ['contacts for every message', () => around({ messages, contacts: ['@'] }, () => '1')],
    ['metadata that every part would repeat', () => text({ messages, metadata: { phone_number_id: '7', note: large } })],
    ['a contact that every part would repeat', () => text({ messages, contacts: [{ wa_id: '1', profile: { name: large } }] })],
    ['an object name that every part would repeat', () => JSON.stringify({ ...one({ messages }), object: large })],
    ['a field name that every part would repeat', () => JSON.stringify(one({ messages }, large))],
    ['more updates than Meta sends', () => text({ messages: [...messages, ...messages] })],
  ])('costs less than 100 ms and is not split: %s', (_case, make) => {
    const body = Buffer.from(make());
    const costs = Array.from({ length: 3 }, () => {
      const before = process.cpuUsage();
      expect(split(body).kind).toBe('unreadable');
      return process.cpuUsage(before).user / 1_000;
    });
    // The least of three: other work of the machine is not the body's cost.
    expect(Math.min(...costs)).toBeLessThan(100);
  });
});

describe('splitting', () => {
  const safe = (body: string) => {
    const result = split(body);
    const parts = result.kind === 'parts' ? result.parts.map(written) : [];
    for (const part of parts) {
      expect(() => JSON.parse(part.body)).not.toThrow();
      expect(part.orderingKey).toMatch(/^[\x20-\x7e]{1,300}$/);
      expect(part.providerEventId).toMatch(/^[\x20-\x7e]{1,300}$/);
    }
  };

  it('never throws on any JSON and gives keys that every store takes', () => {
    fc.assert(fc.property(fc.json({ maxDepth: 8 }), safe));
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }), (value) => safe(JSON.stringify({ object: 'x', entry: [value, { id: value, changes: [value, { field: value, value }] }] }))));
  });

  it('never throws on a real payload in which any value was replaced', () => {
    const paths: (string | number)[][] = [];
    const walk = (value: unknown, path: (string | number)[]) => {
      paths.push(path);
      if (Array.isArray(value)) value.forEach((item, index) => walk(item, [...path, index]));
      else if (typeof value === 'object' && value !== null) for (const [name, item] of Object.entries(value)) walk(item, [...path, name]);
    };
    walk(batch, []);
    fc.assert(
      fc.property(fc.constantFrom(...paths.slice(1)), fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }), (path, value) => {
        const copy: unknown = structuredClone(batch);
        // The cast is safe: the path was walked in this very structure.
        const parent = path.slice(0, -1).reduce((at, step) => (at as Record<string | number, unknown>)[step], copy) as Record<string | number, unknown>;
        parent[path.at(-1)!] = value;
        safe(JSON.stringify(copy));
      }),
      { numRuns: 500 },
    );
  });

  it('never throws on bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void split(Buffer.from(bytes))));
  });
});
