import type { Exchange } from '../exchange.ts';
import { notAllowed, notAuthenticated, notFound, Refused } from './refusals.ts';
import type { TwilioAccount } from './rows.ts';
import type { TwilioStore } from './twilio-store.ts';

export type Caller = { readonly account: TwilioAccount; readonly by: 'token' | 'key'; readonly name: string };

/** Which SID and secret a call came with; undefined: none. */
export function basicOf(exchange: Pick<Exchange, 'headers'>): { user: string; password: string } | undefined {
  const given = /^Basic (.+)$/i.exec(exchange.headers.authorization ?? '')?.[1];
  const [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(given ?? '', 'base64').toString('utf8')) ?? [];
  return user === undefined || password === undefined ? undefined : { user, password };
}

/** Who calls: an account by its primary or secondary token, or one of its API keys. Refuses with 20003. */
export function authenticate(store: TwilioStore, exchange: Pick<Exchange, 'headers'>): Caller {
  const given = basicOf(exchange);
  if (given === undefined) throw new Refused(notAuthenticated());
  const account = store.account(given.user);
  if (account !== undefined && account.status !== 'closed' && [account.authToken, account.secondaryToken].includes(given.password)) return { account, by: 'token', name: account.sid };
  const key = store.state.all('twilioKey').find(({ sid, secret }) => sid === given.user && secret === given.password);
  const owner = key && store.account(key.accountSid);
  if (key === undefined || owner === undefined || owner.status === 'closed') throw new Refused(notAuthenticated());
  return { account: owner, by: 'key', name: key.sid };
}

/**
 * The account that a path of the 2010 API names (contract, section 6.1): the caller's own, or a subaccount of it. A key reaches its own
 * account alone, and neither accounts nor keys.
 */
export function accountInPath(store: TwilioStore, caller: Caller, sid: string, path: string, tokenOnly: boolean): TwilioAccount {
  if (tokenOnly && caller.by === 'key') throw new Refused(notAllowed());
  const account = store.account(sid);
  const isOwn = sid === caller.account.sid;
  if (account === undefined || (!isOwn && account.ownerSid !== caller.account.sid)) throw new Refused(isAccountSid(sid) ? notAuthenticated() : notFound(path));
  if (!isOwn && caller.by === 'key') throw new Refused(notAuthenticated());
  return account;
}

const isAccountSid = (sid: string): boolean => /^AC[0-9a-f]{32}$/i.test(sid);
