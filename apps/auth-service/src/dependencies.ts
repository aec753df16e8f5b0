import { openCacheStore, type CacheStore } from '@switchboard/cache';
import { createDataKeyStore, createPlatformBox, createSecretBox } from '@switchboard/secrets';
import type { Kit } from '@switchboard/service-kit';
import { randomBytes } from 'node:crypto';
import type { Config } from './config.ts';
import { createGuessLimits, type GuessLimits } from './guessing/create-guess-limits.ts';
import { createIssuers, type Issuers } from './issuers/create-issuers.ts';
import { createJwksCache } from './issuers/create-jwks-cache.ts';
import { createOtherIssuers } from './issuers/create-other-issuers.ts';
import { createPasswordHasher } from './passwords/create-password-hasher.ts';
import { createAnnouncer, type Announcer } from './people/create-announcer.ts';
import { createCredentials, type Credentials } from './people/create-credentials.ts';
import { createErasedCheck } from './people/create-erased-check.ts';
import { createMembers, type Members } from './people/create-members.ts';
import { createOneTimeLinks, type OneTimeLinks } from './people/create-one-time-links.ts';
import { createStaff, type Staff } from './people/create-staff.ts';
import { createTenants, type Tenants } from './people/create-tenants.ts';
import { createRealmBox } from './sealing/create-realm-box.ts';
import { createChallenges } from './second-factor/create-challenges.ts';
import { createSecondFactors, type SecondFactors } from './second-factor/create-second-factors.ts';
import { createLogins, type Logins, type SecondFactor } from './sessions/create-logins.ts';
import { createSessions, type Sessions } from './sessions/create-sessions.ts';
import { createTokenVerifier, type OtherIssuers, type VerifyBearer } from './sessions/create-token-verifier.ts';
import { createAccessTokens } from './signing/create-access-tokens.ts';
import { createSigningKeys, type SigningKeys } from './signing/create-signing-keys.ts';
import { createAdmission } from './sso/create-admission.ts';
import { createSsoLogins, type SsoLogins } from './sso/create-sso-logins.ts';
import { createSsoSettings, type SsoSettingsKeeper } from './sso/create-sso-settings.ts';
import type { AuthDatabase } from './store/client.ts';
import type { PrismaClient } from './store/generated/client.ts';
import { createGuessStore } from './store/guess-counts.ts';
import { createIssuerStore, type IssuerStore } from './store/issuers.ts';
import { createOneTimeTokenStore, type OneTimeTokenStore } from './store/one-time-tokens.ts';
import { createPeopleStore, type PeopleStore } from './store/people.ts';
import { createFactorStore } from './store/second-factors.ts';
import { createSessionStore, type SessionStore } from './store/sessions.ts';
import { createSigningKeyStore } from './store/signing-keys.ts';
import { createSsoStore, type SsoStore } from './store/sso.ts';
import { createStaffAuditStore } from './store/staff-audit.ts';

export type Dependencies = {
  readonly db: AuthDatabase;
  readonly people: PeopleStore;
  readonly oneTimeTokens: OneTimeTokenStore;
  readonly sessionStore: SessionStore;
  readonly tenants: Tenants;
  /** What is remembered of tenants. */
  readonly cacheStore: CacheStore;
  readonly announcer: Announcer;
  readonly links: OneTimeLinks;
  readonly guesses: GuessLimits;
  readonly signingKeys: SigningKeys;
  readonly sessions: Sessions;
  readonly logins: Logins;
  readonly credentials: Credentials;
  readonly members: Members;
  readonly staff: Staff;
  readonly verifyBearer: VerifyBearer;
  readonly secondFactors: SecondFactors;
  readonly ssoStore: SsoStore;
  readonly ssoSettings: SsoSettingsKeeper;
  readonly ssoLogins: SsoLogins;
  readonly issuers: Issuers;
  readonly issuerStore: IssuerStore;
  readonly now: () => Date;
};

/** Values that are remembered in this process; about 200 bytes each. */
const cacheEntriesMax = 10_000;

/** What log-ins and tokens are completed with; tests may put others in their place. */
export type Additions = { readonly secondFactor: SecondFactor; readonly otherIssuers: OtherIssuers };

export function createDependencies({ db, bus, callRoute, config, keyProvider, egress, log, now }: Kit<Config, PrismaClient>, additions: Partial<Additions> = {}): Dependencies {
  const randomText = (bytes: number) => randomBytes(bytes).toString('base64url');
  const isErased = createErasedCheck(bus.erasedTenants);
  const people = createPeopleStore(db);
  const oneTimeTokens = createOneTimeTokenStore(db);
  const sessionStore = createSessionStore(db);
  const announcer = createAnnouncer({ bus, staffAudit: createStaffAuditStore(db), now });
  const links = createOneTimeLinks({ db, tokens: oneTimeTokens, people, isErased, randomText, now });
  const guesses = createGuessLimits({ db, store: createGuessStore(db), now });
  const signingKeys = createSigningKeys({ db, store: createSigningKeyStore(db), keyProvider, now });
  const accessTokens = createAccessTokens({ keys: signingKeys, issuer: config.tokenIssuer, now });
  const sessions = createSessions({ db, sessions: sessionStore, people, isErased, accessTokens, announcer, randomText, now });
  const passwords = createPasswordHasher();
  const cacheStore = openCacheStore({ redisUrl: config.redisUrl, entriesMax: cacheEntriesMax, now: () => now().getTime(), onFailure: (code) => log.warn({ code }, 'Redis is not available') });
  const tenants = createTenants({ callRoute, store: cacheStore });
  const secretBox = createSecretBox({ keyProvider, dataKeys: createDataKeyStore(db) });
  const box = createRealmBox(secretBox, createPlatformBox(keyProvider));
  const ssoStore = createSsoStore(db);
  const ssoSettings = createSsoSettings({ db, store: ssoStore, people, box: secretBox, egress, announcer, now });
  const issuerStore = createIssuerStore(db);
  const others = additions.otherIssuers ?? createOtherIssuers({ store: issuerStore, box, jwks: createJwksCache({ egress, now }), tenants, now });
  const factors = createFactorStore(db);
  const secondFactor = additions.secondFactor ?? createChallenges({ db, factors, links });
  const logins = createLogins({ db, people, isErased, passwords, guesses, sessions, secondFactor, now });
  return {
    db,
    people,
    oneTimeTokens,
    sessionStore,
    tenants,
    cacheStore,
    announcer,
    links,
    guesses,
    signingKeys,
    sessions,
    logins,
    credentials: createCredentials({ db, people, isErased, links, oneTimeTokens, passwords, guesses, sessions, logins, announcer, now }),
    members: createMembers({ db, people, links, oneTimeTokens, sessions, announcer, now }),
    staff: createStaff({ db, people, links, oneTimeTokens, sessions, announcer, now }),
    verifyBearer: createTokenVerifier({ issuer: config.tokenIssuer, accessTokens, sessions, others }),
    secondFactors: createSecondFactors({ db, people, factors, box, links, oneTimeTokens, guesses, logins, sessions, announcer, randomBytes, now }),
    ssoStore,
    ssoSettings,
    ssoLogins: createSsoLogins({
      db,
      isErased,
      store: ssoStore,
      settings: ssoSettings,
      admit: createAdmission({ db, people, oneTimeTokens, announcer, now }),
      tenants,
      links,
      logins,
      announcer,
      egress,
      publicUrl: config.publicGatewayUrl,
      randomText,
      now,
    }),
    issuers: createIssuers({ db, store: issuerStore, people, box, egress, announcer, bus, ownIssuer: config.tokenIssuer, now }),
    issuerStore,
    now,
  };
}
