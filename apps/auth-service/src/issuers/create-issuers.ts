import { hubError, newId, type IssuerId, type TrustedIssuer } from '@switchboard/contracts';
import type { EventBus } from '@switchboard/event-bus';
import type { Egress, Principal } from '@switchboard/service-kit';
import { refusalOf } from '../domain/decide-member-change.ts';
import { currentRealm } from '../domain/realm.ts';
import type { Announcer } from '../people/create-announcer.ts';
import { doerOf } from '../people/doer-of.ts';
import type { RealmBox } from '../sealing/create-realm-box.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { IssuerRow, IssuerStore } from '../store/issuers.ts';
import type { PeopleStore } from '../store/people.ts';

/** Issuers of a realm: a company has an identity provider, a successor of it, and a few machines. */
const issuersMax = 20;

/** Changes of whom the current realm trusts, each in one transaction with its events. */
export interface Issuers {
  /** Throws `issuer.taken`, `issuer.too_many`, `egress.refused`, `request.invalid` for our own name, and the codes of `refusalOf`. */
  create(by: Principal, trusted: TrustedIssuer): Promise<IssuerRow>;
  /** Throws `issuer.not_found` and the codes of `refusalOf`. */
  setEnabled(by: Principal, issuerId: IssuerId, isEnabled: boolean): Promise<IssuerRow>;
  /** Throws `issuer.not_found`. */
  remove(issuerId: IssuerId): Promise<void>;
}

type Deps = {
  readonly db: AuthDatabase;
  readonly store: IssuerStore;
  readonly people: PeopleStore;
  readonly box: RealmBox;
  readonly egress: Pick<Egress, 'assertAllowed'>;
  readonly announcer: Announcer;
  readonly bus: Pick<EventBus, 'publish'>;
  /** What our own tokens name as their issuer. */
  readonly ownIssuer: string;
  readonly now: () => Date;
};

export function createIssuers({ db, store, people, box, egress, announcer, bus, ownIssuer, now }: Deps): Issuers {
  /** Whoever lets an issuer make owners could be one the next moment. */
  const assertAllowed = async (by: Principal, { maxRole }: Pick<IssuerRow, 'maxRole'>): Promise<void> => {
    const refusal = refusalOf(await doerOf(by, people), { before: undefined, after: { role: maxRole, status: 'active' } }, 1);
    if (refusal !== undefined) throw hubError(refusal);
  };

  /** The gateways forget whom the tenant's tokens speak for. Of the platform's issuers they remember nobody for longer than ten seconds. */
  const announce = async (issuerId: IssuerId, isTrusted: boolean): Promise<void> => {
    if (currentRealm() !== undefined) await bus.publish('issuer.changed', { issuerId, isTrusted }, { orderingKey: issuerId });
  };

  const find = async (issuerId: IssuerId): Promise<IssuerRow> => {
    const row = await store.findForUpdate(issuerId);
    if (row === undefined) throw hubError('issuer.not_found');
    return row;
  };

  return {
    async create(by, trusted) {
      if (trusted.issuer === ownIssuer) throw hubError('request.invalid', { issues: [{ path: 'body.issuer', message: 'is the name of this installation itself' }] });
      if (trusted.kind === 'jwks') await egress.assertAllowed(trusted.jwksUrl);
      const row: IssuerRow = {
        issuerId: newId('iss'),
        issuer: trusted.issuer,
        audience: trusted.audience,
        kind: trusted.kind,
        algorithm: trusted.kind === 'jwks' ? trusted.algorithm : 'HS256',
        jwksUrl: trusted.kind === 'jwks' ? trusted.jwksUrl : null,
        maxRole: trusted.maxRole,
        isEnabled: true,
        createdAt: now(),
      };
      return await db.transaction(async () => {
        await people.lock();
        await assertAllowed(by, row);
        if ((await store.count()) >= issuersMax) throw hubError('issuer.too_many', { publicMessage: `No more than ${issuersMax}. Delete one that is not used any more.` });
        const secret = trusted.kind === 'hs256' ? await box.seal(trusted.secret, secretPlace(row.issuerId)) : undefined;
        if (!(await store.insert(row, secret))) throw hubError('issuer.taken');
        await announcer.audit({ action: 'issuer.trusted', subject: row.issuerId, after: audited(row) });
        await announce(row.issuerId, true);
        return row;
      });
    },

    setEnabled: (by, issuerId, isEnabled) =>
      db.transaction(async () => {
        await people.lock();
        const before = await find(issuerId);
        if (isEnabled) await assertAllowed(by, before);
        await store.setEnabled(issuerId, isEnabled);
        const after = { ...before, isEnabled };
        await announcer.audit({ action: 'issuer.changed', subject: issuerId, before: audited(before), after: audited(after) });
        await announce(issuerId, isEnabled);
        return after;
      }),

    remove: (issuerId) =>
      db.transaction(async () => {
        const before = await find(issuerId);
        await store.remove(issuerId);
        await announcer.audit({ action: 'issuer.distrusted', subject: issuerId, before: audited(before) });
        await announce(issuerId, false);
      }),
  };
}

/** Where the secret of an issuer is sealed for. */
export function secretPlace(issuerId: IssuerId) {
  return { table: 'issuers', column: 'sealed_secret', row: issuerId } as const;
}

function audited({ issuer, audience, kind, algorithm, jwksUrl, maxRole, isEnabled }: IssuerRow): Record<string, unknown> {
  return { issuer, audience, kind, algorithm, jwksUrl, maxRole, isEnabled };
}
