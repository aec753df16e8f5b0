import { describe, expect, it } from '@jest/globals';
import { parseAction } from './parse-items.ts';

describe('what a bot asks the hub to do', () => {
  it('is asked by an event that is named so, or by a custom message to the hub, and by no other module\'s', () => {
    const fields = { reason: 'asked_for_human', summary: 'Parcel 123 late' };
    const handoff = { action: 'handoff', content: { kind: 'handoff', to: 'desk', ...fields } };
    expect(parseAction({ type: 'handoff', ...fields })).toEqual(handoff);
    expect(parseAction({ type: 'custom', module: 'hub', component: 'handoff', ...fields })).toEqual(handoff);
    for (const module of ['feedback', 'hitlnext', undefined]) expect(parseAction({ type: 'custom', module, component: 'handoff', ...fields })).toBeUndefined();
  });

  it('is one of the things that there are, and not what only looks like one', () => {
    for (const type of ['text', 'constructor', 'Handoff', 'refund', '', undefined, 7, null]) expect(parseAction({ type, reason: 'x' })).toBeUndefined();
    expect(parseAction({ type: 'booking', startsAt: '2026-11-24T09:00:00Z' })).toEqual({ action: 'booking', content: { kind: 'form_reply', title: 'booking', fields: { startsAt: '2026-11-24T09:00:00Z' } } });
  });
});
