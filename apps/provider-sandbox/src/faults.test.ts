import { describe, expect, it } from '@jest/globals';
import { Faults, faultSchema } from './faults.ts';

describe('what the sandbox was told to do wrong', () => {
  const fault = (more: object) => faultSchema.parse({ provider: 'chatwoot', on: 'answers', ...more });

  it('happens to that provider, on that side and where its text stands, as often as it was told', () => {
    const faults = new Faults();
    faults.add(fault({ contains: '/messages', times: 2, status: 429 }));
    expect(faults.take('botpress', 'answers', '/messages')).toBeUndefined();
    expect(faults.take('chatwoot', 'webhooks', '/messages')).toBeUndefined();
    expect(faults.take('chatwoot', 'answers', '/labels')).toBeUndefined();
    expect([1, 2, 3].map(() => faults.take('chatwoot', 'answers', '/conversations/1/messages')?.status)).toEqual([429, 429, undefined]);
    expect(faults.list()).toEqual([]);
  });

  it('is refused for a provider that the sandbox does not play', () => {
    expect(faultSchema.safeParse({ provider: 'telegram', on: 'answers' }).success).toBe(false);
  });
});
