import { hubError, newId, scopesOfRole, type OpenSession } from '@switchboard/contracts';
import { currentActor, runWithActor, type Actor } from '@switchboard/tenant-context';
import { formToken, parseToken, type RandomText } from '../domain/opaque-token.ts';
import { decideRefresh, endOf, isOfFamily, isOver, joinRefreshSecret, newRefreshSecret, splitRefreshSecret, type RefreshSecret, type SessionState } from '../domain/decide-refresh.ts';
import { sessionLifetimes } from '../domain/lifetimes.ts';
import { currentRealm, runInRealm } from '../domain/realm.ts';
import type { Announcer } from '../people/create-announcer.ts';
import type { IsErased } from '../people/create-erased-check.ts';
import type { AccessTokens } from '../signing/create-access-tokens.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { PeopleStore, Person } from '../store/people.ts';
import type { Session, SessionEnd, SessionId, SessionStore } from '../store/sessions.ts';

export interface Sessions {
  /**
   * Logs a person in who has proved who they are: the session, with its first tokens. In the person's realm and outside a transaction. Throws
   * `auth.login_failed` when the person was disabled, removed or given another password meanwhile.
   */
  issue(person: Person): Promise<OpenSession>;
  /** Throws `auth.session_ended` unless the token is the live one, or is asked for again. */
  refresh(refreshToken: string): Promise<OpenSession>;
  /** Ends the session that a refresh token is of, live or outdated. Anything else is nobody's business. */
  end(refreshToken: string): Promise<void>;
  /** Ends all sessions of a person but that of a refresh token, and tells the gateways. Inside a transaction of the person's realm. */
  endAllOf(person: Person, reason: SessionEnd, keptToken?: string): Promise<void>;
  /** The person whose session goes on, as they are now. In the realm of the token. */
  findHolder(sessionId: string, memberId: string): Promise<Person | undefined>;
}

type Deps = {
  readonly db: AuthDatabase;
  readonly sessions: SessionStore;
  readonly people: PeopleStore;
  readonly isErased: IsErased;
  readonly accessTokens: AccessTokens;
  readonly announcer: Announcer;
  readonly randomText: RandomText;
  readonly now: () => Date;
};

export function createSessions(deps: Deps): Sessions {
  const { db, sessions, people, isErased, announcer, randomText, now } = deps;

  const endOne = async (session: Session, person: Person | undefined, reason: SessionEnd, action: string): Promise<void> => {
    if (!(await sessions.end(session.sessionId, reason, now()))) return;
    await announcer.audit({ action, subject: session.memberId, facts: { sessionId: session.sessionId } });
    if (person !== undefined) await announcer.changed(person, person.status);
  };

  return {
    async issue(person) {
      const { from } = currentActor();
      const at = now();
      const { secret, state } = newRefreshSecret(randomText, at);
      const session: Session = { sessionId: newId('ses'), memberId: person.memberId, createdAt: at, expiresAt: new Date(at.getTime() + lifetimeOf(person).absoluteMs), endedAt: null, endReason: null, ...state };
      await runWithActor(asDoer(person, from), () =>
        db.transaction(async () => {
          const found = await people.findForShare(person.memberId);
          if (found?.status !== 'active' || found.passwordHash !== person.passwordHash) throw hubError('auth.login_failed');
          await sessions.insert(session, from);
          await announcer.audit({ action: 'session.started', subject: person.memberId, facts: { sessionId: session.sessionId } });
        }),
      );
      return await answerOf(deps, { person, session, secret });
    },

    async refresh(refreshToken) {
      const given = readRefreshToken(refreshToken);
      if (given === undefined || (await isErased(given.realm))) throw hubError('auth.session_ended');
      return await runInRealm(given.realm, async () => {
        // What is found out about a stolen token must stay when the answer is an error.
        const opened = await db.transaction(async () => {
          const session = await sessions.findForUpdate(given.id);
          const person = session && (await people.find(session.memberId));
          if (session === undefined || person?.status !== 'active') return undefined;
          const decision = decideRefresh(session, given.secret, lifetimeOf(person).idleMs, now(), randomText);
          if (decision.kind === 'reused') await endOne(session, person, 'reused', 'session.reuse_detected');
          if (decision.kind === 'rotate') await sessions.rotate(session.sessionId, decision.state);
          if (decision.kind !== 'rotate' && decision.kind !== 'repeat') return undefined;
          return { person, session: { ...session, ...(decision.kind === 'rotate' && decision.state) }, secret: decision.next };
        });
        if (opened === undefined) throw hubError('auth.session_ended');
        return await answerOf(deps, opened);
      });
    },

    async end(refreshToken) {
      const given = readRefreshToken(refreshToken);
      if (given === undefined || (await isErased(given.realm))) return;
      await runInRealm(given.realm, () =>
        db.transaction(async () => {
          const session = await sessions.findForUpdate(given.id);
          if (session === undefined || !isOfFamily(session, given.secret)) return;
          await endOne(session, await people.find(session.memberId), 'logout', 'session.ended');
        }),
      );
    },

    async endAllOf(person, reason, keptToken) {
      const kept = keptToken === undefined ? undefined : readRefreshToken(keptToken);
      const session = kept === undefined ? undefined : await sessions.findForUpdate(kept.id);
      const isOwn = kept !== undefined && session !== undefined && session.memberId === person.memberId && isOfFamily(session, kept.secret);
      await sessions.endAllOf(person.memberId, reason, now(), isOwn ? session.sessionId : undefined);
      await announcer.changed(person, person.status);
    },

    async findHolder(sessionId, memberId) {
      if (await isErased(currentRealm())) return undefined;
      return await db.transaction(async () => {
        const session = await sessions.find(sessionId);
        if (session === undefined || session.memberId !== memberId) return undefined;
        const person = await people.find(memberId);
        if (person?.status !== 'active' || isOver(session, lifetimeOf(person).idleMs, now())) return undefined;
        return person;
      });
    },
  };
}

function lifetimeOf({ role }: Person) {
  return sessionLifetimes[role === 'platform' ? 'staff' : 'member'];
}

function readRefreshToken(text: string) {
  const token = parseToken('swr', text);
  const secret = token && splitRefreshSecret(token.secret);
  return token === undefined || secret === undefined ? undefined : { realm: token.realm, id: token.id, secret };
}

/** Whoever logs in does it themselves. */
function asDoer({ memberId, role }: Person, from: string | null): Actor {
  return { kind: role === 'platform' ? 'admin' : 'member', subject: memberId, from };
}

type Opened = { readonly person: Person; readonly session: SessionState & { readonly sessionId: SessionId }; readonly secret: RefreshSecret };

/** After the transaction: keys that sign are read in a scope of their own. */
async function answerOf({ accessTokens }: Deps, { person, session, secret }: Opened): Promise<OpenSession> {
  const realm = currentRealm();
  const endsAt = endOf(session, lifetimeOf(person).idleMs);
  const { token, expiresAt } = await accessTokens.sign({ realm, memberId: person.memberId, sessionId: session.sessionId, role: person.role }, endsAt);
  return {
    tokenType: 'Bearer',
    accessToken: token,
    accessTokenExpiresAt: expiresAt.toISOString(),
    refreshToken: formToken('swr', { realm, id: session.sessionId, secret: joinRefreshSecret(secret) }),
    refreshTokenExpiresAt: endsAt.toISOString(),
    member: meOf(person),
  };
}

/** A person as they see themselves. In their realm. */
export function meOf({ memberId, email, name, role, status, createdAt }: Person): OpenSession['member'] {
  return { memberId, email, name, role, status, createdAt: createdAt.toISOString(), tenantId: currentRealm() ?? null, scopes: role === 'platform' ? [] : [...scopesOfRole(role)] };
}
