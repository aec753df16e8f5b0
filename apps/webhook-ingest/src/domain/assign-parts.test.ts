import { describe, expect, it } from '@jest/globals';
import type { TenantId } from '@switchboard/contracts';
import type { WebhookPart } from '@switchboard/providers';
import * as fc from 'fast-check';
import { assignParts, type Candidate } from './assign-parts.ts';

type Connection = Candidate & { readonly account: string; readonly secret: string };

const connection = (id: string, tenantId: string, account: string, secret: string, state: Partial<Connection> = {}): Connection => ({ connectionId: `con_${id}`, tenantId: tenantId as TenantId, isActive: true, isEnabled: true, account, secret, ...state });
const part = (...accounts: string[]): WebhookPart => ({ routingIdentifiers: accounts.map((value) => ({ name: 'account', value })), relatedIdentifiers: [], write: () => ({ providerEventId: undefined, orderingKey: 'x', body: '{}' }) });
const assign = (parts: readonly WebhookPart[], connections: readonly Connection[], signedWith: string, addressee?: Connection) =>
  assignParts(parts, { find: ({ value }) => connections.filter((candidate) => candidate.account === value), isVerified: (candidate) => candidate.secret === signedWith, addressee, isAddressees: () => false, hasLocalIds: false, awaitedSinceMin: 1_000 });

/** As with accounts that every server numbers for itself: the addressee's own URL settles whose the numbers are. */
const assignLocal = (parts: readonly WebhookPart[], connections: readonly Connection[], signedWith: string, addressee?: Connection) =>
  assignParts(parts, {
    find: ({ value }) => connections.filter((candidate) => candidate.account === value),
    isVerified: (candidate) => candidate.secret === signedWith,
    addressee,
    isAddressees: ({ routingIdentifiers }) => routingIdentifiers.some(({ value }) => value === addressee?.account),
    hasLocalIds: true,
    awaitedSinceMin: 1_000,
  });

describe('a part with numbers that every server counts for itself', () => {
  const [ofAcme, ofGlobex] = [connection('1', 'acme', '1/1', 'acme-secret'), connection('2', 'globex', '1/1', 'globex-secret')];
  const both = [ofAcme, ofGlobex];

  it('is the one\'s whose secret signed it, though others have the same', () => {
    expect(assignLocal([part('1/1', '1')], both, 'globex-secret').accepted.map(({ connection: owner }) => owner)).toEqual([ofGlobex]);
    expect(assignLocal([part('1/1', '1')], both, 'nobody')).toMatchObject({ accepted: [], refused: [{}] });
  });

  it('goes on to the wider account where nobody who has the inbox signed it', () => {
    const account = connection('3', 'initech', '1', 'initech-secret');
    expect(assignLocal([part('1/1', '1')], [...both, account], 'initech-secret').accepted.map(({ connection: owner }) => owner)).toEqual([account]);
    expect(assignLocal([part('1/1', '1')], [...both, account], 'nobody')).toMatchObject({ accepted: [], refused: [{}] });
  });

  it('is the addressee\'s where it has the numbers, its secret signed it and it is active; else nobody gets it there', () => {
    const twin = { ...ofGlobex, secret: 'acme-secret' };
    expect(assignLocal([part('1/1')], [ofAcme, twin], 'acme-secret', ofAcme).accepted.map(({ connection: owner }) => owner)).toEqual([ofAcme]);
    expect(assignLocal([part('1/1')], [ofAcme, twin], 'acme-secret')).toMatchObject({ accepted: [], unowned: [{ reason: 'several tenants have this account' }] });
    expect(assignLocal([part('1/1')], both, 'globex-secret', ofAcme)).toMatchObject({ accepted: [], unowned: [{ reason: expect.stringContaining('another tenant') }] });
    expect(assignLocal([part('2/2')], [...both, connection('4', 'globex', '2/2', 'globex-secret')], 'acme-secret', ofAcme)).toMatchObject({ accepted: [], refused: [{}] });
    expect(assignLocal([part('1/1')], [{ ...ofAcme, isEnabled: false, isActive: false }, ofGlobex], 'acme-secret', { ...ofAcme, isEnabled: false, isActive: false })).toMatchObject({ accepted: [], refused: [{}] });
  });

  it('is awaited where its own connection is not active yet, whoever else has the numbers', () => {
    const pending = { ...ofAcme, isActive: false };
    expect(assignLocal([part('1/1')], [pending, ofGlobex], 'acme-secret')).toMatchObject({ early: [{}], refused: [] });
    // Found by its URL alone: it is not among the many that were looked up.
    expect(assignLocal([part('1/1')], [ofGlobex], 'acme-secret', pending)).toMatchObject({ early: [{}], refused: [] });
    expect(assignLocal([part('1/1')], [pending, ofGlobex], 'nobody')).toMatchObject({ early: [], refused: [{}] });
  });

  it('is never accepted for who did not sign it, is not active, has not the account, or is another tenant\'s than the URL\'s', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const connections = fc.array(fc.record({ id: fc.constantFrom('1', '2', '3', '4'), tenant: fc.constantFrom('acme', 'globex'), account: name, secret: name, isActive: fc.boolean() }), { maxLength: 6 });
    fc.assert(
      fc.property(connections, fc.array(fc.array(name, { maxLength: 3 }), { maxLength: 5 }), name, fc.option(fc.nat(5)), (rows, accounts, signedWith, at) => {
        const all = rows.map((row) => connection(row.id, row.tenant, row.account, row.secret, { isActive: row.isActive }));
        const addressee = at === null ? undefined : all[at];
        const { accepted } = assignLocal(accounts.map((names) => part(...names)), all, signedWith, addressee);
        for (const { connection: owner, part: owned } of accepted) {
          expect(owner).toMatchObject({ secret: signedWith, isActive: true, tenantId: addressee?.tenantId ?? owner.tenantId });
          expect(owned.routingIdentifiers.map((identifier) => identifier.value)).toContain(owner.account);
        }
      }),
    );
  });
});

describe('a part', () => {
  it('is its account\'s connection\'s, most specific account first', () => {
    const number = connection('1', 'acme', 'number', 's');
    const waba = connection('2', 'acme', 'waba', 's');
    expect(assign([part('number', 'waba'), part('other', 'waba')], [waba, number], 's').accepted.map(({ connection }) => connection)).toEqual([number, waba]);
  });

  it('does not fall through to a wider account when the specific one\'s secret does not fit', () => {
    expect(assign([part('number', 'waba')], [connection('1', 'acme', 'number', 's'), connection('2', 'globex', 'waba', 't')], 't')).toMatchObject({ accepted: [], refused: [{}] });
  });

  it('does not go on to its tenant\'s wider account when the tenant has switched the specific one off; a stranger\'s switch changes nothing', () => {
    const [wide, off] = [connection('1', 'acme', 'wide', 'acme-secret'), { isActive: false, isEnabled: false }];
    expect(assign([part('narrow', 'wide')], [wide, connection('2', 'acme', 'narrow', 'acme-secret', off)], 'acme-secret')).toMatchObject({ accepted: [], refused: [], unowned: [{}] });
    for (const strangers of [connection('2', 'globex', 'narrow', 'acme-secret', off), connection('2', 'acme', 'narrow', 'another secret', off)]) {
      expect(assign([part('narrow', 'wide')], [wide, strangers], 'acme-secret').accepted.map(({ connection: owner }) => owner)).toEqual([wide]);
    }
  });

  it('is nobody\'s where two tenants have the account and one secret', () => {
    expect(assign([part('a')], [connection('1', 'acme', 'a', 's'), connection('2', 'globex', 'a', 's')], 's')).toMatchObject({ accepted: [], unowned: [{ reason: 'several tenants have this account' }] });
  });

  it('is the oldest connection\'s where one tenant has several, or the one\'s whose URL it came to', () => {
    const both = [connection('2', 'acme', 'a', 's'), connection('1', 'acme', 'a', 's')];
    expect(assign([part('a')], both, 's').accepted[0]?.connection.connectionId).toBe('con_1');
    expect(assign([part('a')], both, 's', both[0]).accepted[0]?.connection.connectionId).toBe('con_2');
  });

  it('is awaited, not nobody\'s, when the connection whose secret signed it is not active yet', () => {
    const pending = connection('1', 'acme', 'a', 's', { isActive: false });
    expect(assign([part('a')], [pending], 's')).toMatchObject({ accepted: [], refused: [], early: [{}], unowned: [] });
    expect(assign([part('a')], [pending], 's', pending)).toMatchObject({ early: [{}] });
    // For a while: what is pending since before is kept aside, unless another one still waits.
    const [since, forgotten] = [{ ...pending, pendingSince: 1_000 }, { ...pending, pendingSince: 999 }];
    expect(assign([part('a')], [since], 's')).toMatchObject({ early: [{}], overdue: [] });
    expect(assign([part('a')], [forgotten], 's')).toMatchObject({ early: [], overdue: [{ reason: expect.stringContaining('waited too long') }], unowned: [] });
    expect(assign([part('a')], [forgotten, since], 's')).toMatchObject({ early: [{}], overdue: [] });
    // Somebody else's word, a connection that is switched off, another tenant's URL, an account that has an active owner.
    expect(assign([part('a')], [pending], 't')).toMatchObject({ early: [], unowned: [{}] });
    expect(assign([part('a')], [{ ...pending, isEnabled: false }], 's')).toMatchObject({ early: [], unowned: [{}] });
    expect(assign([part('a')], [pending], 's', connection('2', 'globex', 'b', 's'))).toMatchObject({ early: [], unowned: [{}] });
    expect(assign([part('a')], [pending, connection('2', 'globex', 'a', 't')], 's')).toMatchObject({ early: [], refused: [{}] });
  });

  it('is never accepted for a connection whose secret did not sign it, that is not active, or of a tenant other than the URL\'s', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const connections = fc.array(fc.record({ id: fc.constantFrom('1', '2', '3', '4'), tenant: fc.constantFrom('acme', 'globex'), account: name, secret: name, isActive: fc.boolean() }), { maxLength: 6 });
    fc.assert(
      fc.property(connections, fc.array(fc.array(name, { maxLength: 2 }), { maxLength: 5 }), name, fc.option(fc.nat(5)), (rows, accounts, signedWith, at) => {
        const all = rows.map((row) => connection(row.id, row.tenant, row.account, row.secret, { isActive: row.isActive }));
        const addressee = at === null ? undefined : all[at];
        const parts = accounts.map((names) => part(...names));
        const { accepted, refused, early, unowned } = assign(parts, all, signedWith, addressee);
        expect(accepted.length + refused.length + early.length + unowned.length).toBe(parts.length);
        for (const { connection: owner, part: owned } of accepted) {
          expect(owner).toMatchObject({ secret: signedWith, isActive: true, tenantId: addressee?.tenantId ?? owner.tenantId });
          expect(owned.routingIdentifiers.map((identifier) => identifier.value)).toContain(owner.account);
        }
      }),
    );
  });
});
