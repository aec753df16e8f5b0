import { deliveryStatuses, type DeliveryError, type DeliveryStatus } from '@switchboard/contracts';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { deliveryRank } from './delivery-rank.ts';

type Word = { status: DeliveryStatus; error: DeliveryError | null };

const failures: DeliveryError[] = [{ code: 'provider.rejected', message: 'no' }, { code: 'delivery.outcome_unknown', message: 'who knows' }, { code: 'delivery.given_up', message: 'for hours' }];
const words: Word[] = deliveryStatuses.flatMap((status): Word[] => (status === 'failed' ? failures.map((error) => ({ status, error })) : [{ status, error: null }]));

function grow(known: Word, heard: Word): Word {
  return deliveryRank(heard.status, heard.error) > deliveryRank(known.status, known.error) ? heard : known;
}

const queued: Word = { status: 'queued', error: null };

describe('deliveryRank', () => {
  it('gives every state of a delivery its own place', () => {
    expect(new Set(words.map(({ status, error }) => deliveryRank(status, error))).size).toBe(words.length);
  });

  it('ends any reordering and repetition of what providers say in the same delivery', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 8 }).chain((heard) => fc.tuple(fc.constant(heard), fc.shuffledSubarray([...heard, ...heard], { minLength: heard.length * 2 }))),
        ([heard, again]) => expect(again.reduce(grow, queued)).toEqual(heard.reduce(grow, queued)),
      ),
    );
  });

  it.each([
    ['read', 'delivered'],
    ['delivered', 'sent'],
    ['read', 'failed'],
    ['delivered', 'failed'],
    ['failed', 'sent'],
  ] as const)('never takes %s back to %s', (status, heard) => {
    const known = words.find((word) => word.status === status) ?? queued;
    const word = words.find((candidate) => candidate.status === heard) ?? queued;
    expect(grow(known, word)).toBe(known);
  });

  it.each(failures.slice(1))('lets "sent" settle an attempt that ended in $code', (error) => {
    expect(grow({ status: 'failed', error }, { status: 'sent', error: null }).status).toBe('sent');
  });
});
