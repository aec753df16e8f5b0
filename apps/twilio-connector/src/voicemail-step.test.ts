import { describe, expect, it } from '@jest/globals';
import type { InboundEvent } from '@switchboard/connector-kit';
import { callerAddress, callStep } from './voicemail-step.ts';

const step = (name: string, facts: Record<string, string>): InboundEvent => ({ kind: 'step', name, facts, at: '2026-11-21T12:00:00.000Z' });

describe('a step of a call', () => {
  it('is known by its call, and by its caller where it names one', () => {
    expect(callStep(step('call', { CallSid: 'CA1', From: '+15005550111' }))).toMatchObject({ name: 'call', callSid: 'CA1', contactAddress: '+15005550111' });
    expect(callStep(step('recording', { CallSid: 'CA1' }))).not.toHaveProperty('contactAddress');
  });

  it('is nothing without a call, or of another kind', () => {
    expect([callStep(step('call', {})), callStep(step('something', { CallSid: 'CA1' })), callStep({ kind: 'ignored', reason: 'x' })]).toEqual([undefined, undefined, undefined]);
  });

  it.each(['anonymous', '', 'Restricted', '+266696687', '+7378742833', 'sip:bo@example.test', 'client:bo', '266'])('of the caller "%s" is a conversation of its own', (from) => {
    expect(callerAddress(from, 'CA1')).toBe('anonymous:CA1');
  });
});
