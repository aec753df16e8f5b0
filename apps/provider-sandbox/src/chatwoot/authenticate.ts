import type { Answer, Exchange } from '../exchange.ts';
import type { ChatwootStore } from './chatwoot-store.ts';
import { notFound, refusal } from './refusals.ts';
import type { ChatwootAccount, ChatwootBot, ChatwootUser } from './rows.ts';
import { can } from './version-gates.ts';

export type Caller = { readonly kind: 'user'; readonly user: ChatwootUser } | { readonly kind: 'bot'; readonly bot: ChatwootBot };

/** Which routes a bot's token opens (contract, section 2); `since4142` were added in that version. */
export type BotAccess = 'always' | 'since4142' | 'never';

/** The caller and the account, or the refusal of the real server in its order: token, bot's list, account, membership, plan. */
export function authenticate(store: ChatwootStore, exchange: Pick<Exchange, 'headers'>, accountId: number, bots: BotAccess): { caller: Caller; account: ChatwootAccount } | Answer {
  // Rack makes one key of both spellings.
  const given = exchange.headers['api_access_token'] ?? exchange.headers['api-access-token'];
  if (typeof given !== 'string' || given === '') return { status: 401, json: { errors: ['You need to sign in or sign up before continuing.'] } };
  const token = store.token(given);
  if (token === undefined) return refusal(401, 'Invalid Access Token');
  const user = token.kind === 'user' ? store.user(token.id) : undefined;
  const bot = token.kind === 'bot' ? store.bot(token.id) : undefined;
  if (bot !== undefined && !(bots === 'always' || (bots === 'since4142' && can(store.server.version, 'botsReadConversations')))) return refusal(401, 'Access to this endpoint is not authorized for bots');
  const account = store.account(accountId);
  if (account === undefined) return notFound();
  if (user !== undefined && user.accountId === accountId) return admitted(account, { kind: 'user', user });
  if (bot !== undefined && bot.accountId === accountId) return admitted(account, { kind: 'bot', bot });
  return refusal(401, bot === undefined ? 'You are not authorized to access this account' : 'Bot is not authorized to access this account');
}

function admitted(account: ChatwootAccount, caller: Caller): { caller: Caller; account: ChatwootAccount } | Answer {
  return account.plan === 'free' ? refusal(403, 'API access is not enabled for this account') : { caller, account };
}
