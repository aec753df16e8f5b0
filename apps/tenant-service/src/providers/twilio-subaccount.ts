import { z } from 'zod';
import { unverified, type Account, type ConnectContext, type FollowContext, type MainAccount, type RemoveContext, type RemoveOutcome, type Unverified } from './connect-strategy.ts';
import { accountPath, accountSchema, readAnswer, refusalOf, sidOf, statusFault, twilioCall, type TwilioAccount, type TwilioCall } from './twilio-client.ts';
import { findNumber } from './twilio-number.ts';
import { superseded } from './twilio-rotation.ts';
import { twilioIdentifiers } from './twilio-urls.ts';

type Making = Pick<ConnectContext, 'connectionId' | 'egress'> & { readonly main?: MainAccount | undefined };

export type Ready = { readonly kind: 'account'; readonly account: Account } | Unverified;

const accountsSchema = z.object({ accounts: z.array(accountSchema) });

/** Names a subaccount after its connection: found again when the answer to its making was lost, and nobody else's. */
export function subaccountName({ connectionId }: Pick<Making, 'connectionId'>): string {
  return `switchboard ${connectionId}`;
}

export function mainCall(context: Making, main: MainAccount): TwilioCall {
  return twilioCall({ egress: context.egress, hosts: main.hosts }, { user: sidOf(main.account), password: main.account.credentials['authToken'] ?? '' });
}

/** The connection's subaccount in the platform's account, made where it is not there yet; its credentials are kept, sealed, before anything else. */
export async function ensureSubaccount(account: Account, context: ConnectContext): Promise<Ready> {
  if (account.routingIdentifiers['accountSid'] !== undefined && account.credentials['authToken'] !== undefined) return { kind: 'account', account };
  const { main } = context;
  if (main === undefined) return unverified('The platform has no Twilio account in which a subaccount could be made. It is tried again.', true, 'provider.not_found');
  const call = mainCall(context, main);
  const found = await findSubaccount(call, context, main);
  if (found.kind === 'unverified') return mainFault(found);
  const made = found.account === undefined ? await makeSubaccount(call, context) : { kind: 'read' as const, value: found.account };
  if (made.kind === 'unverified') return made;
  const { sid, auth_token: authToken, friendly_name: accountName } = made.value;
  if (typeof authToken !== 'string' || authToken === '') return unverified(`Twilio does not tell the auth token of the new subaccount ${sid}. It is tried again.`, true, 'provider.rejected');
  const learned = { routingIdentifiers: twilioIdentifiers(sid, account.settings), settings: { accountName: accountName ?? '' }, credentials: { authToken } };
  if (!(await context.keep(learned))) return superseded();
  return {
    kind: 'account',
    account: { routingIdentifiers: { ...account.routingIdentifiers, ...learned.routingIdentifiers }, settings: { ...account.settings, ...learned.settings }, credentials: { ...account.credentials, authToken } },
  };
}

/** Closes the connection's subaccount for good, numbers and all; one that the platform had assigned goes back to its main account first. */
export async function closeSubaccount(account: Account, context: RemoveContext): Promise<RemoveOutcome> {
  const { main } = context;
  if (main === undefined) return { kind: 'failed', reason: 'The platform\'s Twilio account is gone from the hub: close the subaccount in the Twilio console.' };
  const call = mainCall(context, main);
  const known = account.routingIdentifiers['accountSid'];
  const found = known === undefined ? await findSubaccount(call, context, main) : await fetchOurs(call, known, context, main);
  if (found.kind === 'unverified') return { kind: 'failed', reason: mainFault(found).reason };
  const subaccount = found.account;
  const twins = await closeTwins(call, context, main, subaccount?.sid ?? known);
  if (twins !== undefined) return { kind: 'failed', reason: mainFault(twins).reason };
  if (subaccount === undefined) return { kind: 'nothing_to_remove', reason: known === undefined ? 'The hub has made no subaccount for this connection.' : `The hub did not make the subaccount ${known}, or it is gone: it is left alone.` };
  if (subaccount.status === 'closed') return { kind: 'nothing_to_remove', reason: `The subaccount ${subaccount.sid} is closed already.` };
  const returned = await returnNumber(account, call, subaccount.sid, main);
  if (returned?.kind === 'unverified') return { kind: 'failed', reason: returned.reason };
  const refused = refusalOf(await call('POST', 'api', accountPath(subaccount.sid), { form: { Status: 'closed' } }), `close the subaccount ${subaccount.sid}`);
  if (refused !== undefined) return { kind: 'failed', reason: mainFault(refused).reason };
  const numbers = returned === undefined ? 'its numbers are released' : `the number ${account.settings['phoneNumber']} is the platform's again`;
  return { kind: 'removed', reason: `The subaccount ${subaccount.sid} is closed at Twilio for good, and ${numbers}.` };
}

/** Two processes that made it at the same moment have left an empty one of the same name. */
async function closeTwins(call: TwilioCall, context: Making, main: MainAccount, exceptSid: string | undefined): Promise<Unverified | undefined> {
  const named = await listNamed(call, context, main);
  if (named.kind === 'unverified') return named;
  for (const { sid } of named.accounts.filter((one) => one.sid !== exceptSid)) {
    const refused = refusalOf(await call('POST', 'api', accountPath(sid), { form: { Status: 'closed' } }), `close the subaccount ${sid}`);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

/** What is suspended sends and receives nothing, and keeps its numbers. */
export async function followTenant(account: Account, context: FollowContext, isActive: boolean): Promise<Unverified | undefined> {
  const sid = account.routingIdentifiers['accountSid'];
  if (sid === undefined) return undefined;
  const call = mainCall(context, context.main);
  const found = await fetchOurs(call, sid, context, context.main);
  if (found.kind === 'unverified') return mainFault(found);
  const wanted = isActive ? 'active' : 'suspended';
  if (found.account === undefined || found.account.status === wanted || found.account.status === 'closed') return undefined;
  const refused = refusalOf(await call('POST', 'api', accountPath(sid), { form: { Status: wanted } }), `make the subaccount ${sid} ${wanted}`);
  return refused && mainFault(refused);
}

/** A refusal of the platform's own account is nothing that the tenant can mend. */
export function mainFault(fault: Unverified): Unverified {
  if (fault.code !== 'provider.unauthorized') return fault;
  return unverified('Twilio refuses the credentials of the platform\'s Twilio account. Ask the platform to renew them. It is tried again.', true, 'provider.unauthorized');
}

type Found = { readonly kind: 'found'; readonly account: TwilioAccount | undefined } | Unverified;

/** By its name; one that was closed is gone. */
async function findSubaccount(call: TwilioCall, context: Making, main: MainAccount): Promise<Found> {
  const named = await listNamed(call, context, main);
  return named.kind === 'unverified' ? named : { kind: 'found', account: named.accounts[0] };
}

async function listNamed(call: TwilioCall, context: Making, main: MainAccount): Promise<{ readonly kind: 'named'; readonly accounts: readonly TwilioAccount[] } | Unverified> {
  const name = subaccountName(context);
  const listed = readAnswer(await call('GET', 'api', `/2010-04-01/Accounts.json?FriendlyName=${encodeURIComponent(name)}`), accountsSchema, 'list the subaccounts');
  if (listed.kind === 'unverified') return listed;
  const isOurs = (one: TwilioAccount) => one.friendly_name === name && one.status !== 'closed' && one.owner_account_sid === sidOf(main.account) && one.sid !== sidOf(main.account);
  return { kind: 'named', accounts: listed.value.accounts.filter(isOurs) };
}

/** By its SID, if it is the one that the hub made for this connection: no other is ever closed or suspended, whatever a connection says. */
async function fetchOurs(call: TwilioCall, sid: string, context: Making, main: MainAccount): Promise<Found> {
  const answer = await call('GET', 'api', accountPath(sid));
  if (answer.kind === 'answer' && answer.status === 404) return { kind: 'found', account: undefined };
  const read = readAnswer(answer, accountSchema, `find the subaccount ${sid}`);
  if (read.kind === 'unverified') return read;
  const { friendly_name: name, owner_account_sid: owner } = read.value;
  return { kind: 'found', account: name === subaccountName(context) && owner === sidOf(main.account) && read.value.sid !== owner ? read.value : undefined };
}

async function makeSubaccount(call: TwilioCall, context: Making): Promise<{ readonly kind: 'read'; readonly value: TwilioAccount } | Unverified> {
  const answer = await call('POST', 'api', '/2010-04-01/Accounts.json', { form: { FriendlyName: subaccountName(context) } });
  const refused = refusalOf(answer, 'make a subaccount of the platform\'s account');
  if (refused !== undefined && answer.kind === 'answer' && answer.status < 500 && answer.status !== 401) {
    // Twilio allows 1000 subaccounts by default. twilio.com/docs/iam/api/subaccounts (2026)
    return { ...refused, reason: `${refused.reason.replace(/ It is tried again\.$/, '')} The platform's Twilio account may have as many subaccounts as Twilio allows it (1000 unless it asked for more): the platform asks Twilio for more, or opens another account. It is tried again.`, retry: true };
  }
  if (refused !== undefined) return mainFault(refused);
  const made = readAnswer(answer, accountSchema, 'make a subaccount');
  return made.kind === 'read' ? (statusFault(made.value) ?? made) : made;
}

async function returnNumber(account: Account, call: TwilioCall, sid: string, main: MainAccount): Promise<Unverified | { readonly kind: 'returned' } | undefined> {
  const { phoneNumber, numberOrigin } = account.settings;
  if (numberOrigin !== 'assigned' || phoneNumber === undefined) return undefined;
  const found = await findNumber(call, sid, phoneNumber);
  if (found.kind === 'unverified') return mainFault(found);
  if (found.number === undefined) return undefined;
  const form = { AccountSid: sidOf(main.account), SmsUrl: '', SmsFallbackUrl: '', VoiceUrl: '', VoiceFallbackUrl: '', StatusCallback: '' };
  const refused = refusalOf(await call('POST', 'api', accountPath(sid, `/IncomingPhoneNumbers/${found.number.sid}`), { form }), `give the number ${phoneNumber} back to the platform's account`);
  return refused === undefined ? { kind: 'returned' } : mainFault(refused);
}
