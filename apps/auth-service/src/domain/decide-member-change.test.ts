import { describe, expect, it } from '@jest/globals';
import { memberRoles, memberStatuses } from '@switchboard/contracts';
import fc from 'fast-check';
import { refusalOf, takesAgentPlace, type Standing } from './decide-member-change.ts';

const owner: Standing = { role: 'owner', status: 'active' };
const admin: Standing = { role: 'admin', status: 'active' };
const agent: Standing = { role: 'agent', status: 'active' };
const standing = fc.record({ role: fc.constantFrom(...memberRoles), status: fc.constantFrom(...memberStatuses) });
const doer = fc.constantFrom(...memberRoles, 'platform' as const, 'key' as const, 'fullKey' as const);

describe('changing the people of a tenant', () => {
  it('never takes the last active owner away, whoever does it', () => {
    fc.assert(
      fc.property(doer, fc.option(standing, { nil: undefined }), (who, after) => {
        fc.pre(!(after?.role === 'owner' && after.status === 'active'));
        expect(refusalOf(who, { before: owner, after }, 1)).toBeDefined();
      }),
    );
    expect(refusalOf('owner', { before: owner, after: admin }, 2)).toBeUndefined();
  });

  it('is for owners and the platform alone where an owner is made, changed or removed', () => {
    for (const who of ['admin', 'key', 'fullKey'] as const) {
      expect(refusalOf(who, { before: undefined, after: { role: 'owner', status: 'invited' } }, 1)).toBe('member.owners_only');
      expect(refusalOf(who, { before: owner, after: owner }, 2)).toBe('member.owners_only');
      expect(refusalOf(who, { before: admin, after: owner }, 2)).toBe('member.owners_only');
    }
    expect(refusalOf('platform', { before: undefined, after: { role: 'owner', status: 'invited' } }, 0)).toBeUndefined();
  });

  it('is for no agent, and makes no key an admin that may less', () => {
    expect(refusalOf('agent', { before: agent, after: undefined }, 1)).toBe('auth.scope_missing');
    expect(refusalOf('key', { before: undefined, after: { role: 'admin', status: 'invited' } }, 1)).toBe('auth.scope_missing');
    expect(refusalOf('fullKey', { before: undefined, after: { role: 'admin', status: 'invited' } }, 1)).toBeUndefined();
    expect(refusalOf('key', { before: undefined, after: { role: 'agent', status: 'invited' } }, 1)).toBeUndefined();
  });

  it('makes nobody active who has not accepted', () => {
    expect(refusalOf('owner', { before: { role: 'agent', status: 'invited' }, after: agent }, 1)).toBe('member.not_active');
  });

  it('takes a place of the plan for an agent who is invited, enabled or made one, and for nobody else', () => {
    expect(takesAgentPlace({ before: undefined, after: { role: 'agent', status: 'invited' } })).toBe(true);
    expect(takesAgentPlace({ before: { role: 'agent', status: 'disabled' }, after: agent })).toBe(true);
    expect(takesAgentPlace({ before: admin, after: agent })).toBe(true);
    expect(takesAgentPlace({ before: agent, after: agent })).toBe(false);
    expect(takesAgentPlace({ before: agent, after: admin })).toBe(false);
    expect(takesAgentPlace({ before: undefined, after: admin })).toBe(false);
  });
});
