import { isAddressField } from '../domain/hosts-of.ts';
import { unverified, type Account, type ConnectContext, type ConnectOutcome, type ConnectStrategy, type RemoveOutcome, type Unverified } from './connect-strategy.ts';
import { ensureNumber } from './twilio-buy.ts';
import { mergeLearned } from './merge-learned.ts';
import { accountPath, sidOf, statusFault, twilioCall } from './twilio-client.ts';
import { twilioPlatform } from './twilio-platform.ts';
import { beginRotation, endRotation, openTwilioAccount } from './twilio-rotation.ts';
import { setUp, setUpFault, takeBack } from './twilio-set-up.ts';
import { closeSubaccount, ensureSubaccount, followTenant } from './twilio-subaccount.ts';
import { publicUrlFault, twilioIdentifiers } from './twilio-urls.ts';

/** Settings that this strategy learns, besides what `setUp` does; of a subaccount that the hub made they name it. */
const madeSettings = ['platformConnectionId', 'accountName', 'phoneNumber', 'numberSid', 'numberOrigin'] as const;

/**
 * Twilio: a subaccount with a number, a messaging service, or both. The tenant brings it, or (`provision`) the hub makes it in the platform's main
 * account: then its credentials were never anybody's but the hub's, and no field of the form leads to another account.
 */
export const twilio: ConnectStrategy = {
  platform: twilioPlatform,
  makesParts: true,
  fixedFields: ['provision', 'phoneNumber', 'messagingServiceSid', 'platformConnectionId', 'numberCountry', 'numberAreaCode', 'numberType', 'assignNumber'],

  isMadeInPlatform: isProvisioned,

  /** One that has no number yet is meant by whatever is posted next. */
  isSameAccount(posted, existing) {
    if (!isProvisioned(posted) || !isProvisioned(existing)) return false;
    const isSame = (name: string) => posted.settings[name] === existing.settings[name];
    const isSamePlace = posted.settings['platformConnectionId'] === undefined || isSame('platformConnectionId');
    return isSamePlace && (existing.settings['phoneNumber'] === undefined || ['numberCountry', 'numberAreaCode', 'numberType', 'assignNumber'].every(isSame));
  },

  generatedFields: (account) => (isProvisioned(account) ? ['accountSid', 'authToken', 'apiBaseUrl', ...(account.settings['numberOrigin'] === undefined ? [] : ['phoneNumber'])] : []),

  identify(account) {
    const { accountSid } = account.routingIdentifiers;
    return accountSid === undefined ? account : { ...account, routingIdentifiers: twilioIdentifiers(accountSid, account.settings) };
  },

  complete: (posted, previous) => (isProvisioned(posted) ? completeMade(posted, previous) : completeOwn(posted, previous)),

  async verify(posted, context) {
    const isOfTenant = !isProvisioned(posted);
    // What costs money is not tried out by mistake.
    if (!isOfTenant && posted.settings['sandbox'] === 'true' && context.main?.account.settings['sandbox'] !== 'true') return unverified('The platform\'s Twilio account is a real one, and no sandbox: leave "sandbox" out, or name another account in platformConnectionId.', false, 'provider.rejected');
    const unreachable = publicUrlFault(context, posted);
    if (unreachable !== undefined) return unverified(unreachable, true, 'provider.rejected');
    const made = isOfTenant ? { kind: 'account' as const, account: posted } : await ensureSubaccount(posted, context);
    return made.kind === 'unverified' ? made : await connectAccount(made.account, context, isOfTenant);
  },

  async ask(account, context) {
    const opened = await openTwilioAccount(account, context);
    if (opened.kind === 'unverified') return opened;
    const fault = statusFault(opened.facts) ?? (await apiKeyFault(account, context)) ?? (await setUpFault(account, opened.call, context));
    return fault ?? { kind: 'verified' };
  },

  async remove(account, context) {
    const isMade = isProvisioned(account);
    if (isMade && !(await context.isInUseElsewhere('accountSid', 'confirmed'))) return await closeSubaccount(account, context);
    const opened = await openTwilioAccount(account, context);
    const taken = opened.kind === 'unverified' ? opened : await takeBack(account, opened.call, context, await context.isInUseElsewhere('service'));
    if (typeof taken !== 'boolean') return { kind: 'failed', reason: taken.reason };
    const stays = isMade ? `Another connection uses the subaccount ${sidOf(account)}; it stays open, with its number.` : undefined;
    return taken ? { kind: 'removed', reason: stays } : ({ kind: 'nothing_to_remove', reason: stays ?? 'The hub has no address in the Twilio account any more.' } satisfies RemoveOutcome);
  },

  followTenant: (account, context, isActive) => (isProvisioned(account) ? followTenant(account, context, isActive) : Promise.resolve(undefined)),
};

function isProvisioned({ settings }: Pick<Account, 'settings'>): boolean {
  return settings['provision'] === 'true';
}

/** All else before the next auth token is put into use: from then on the one in use works no more, and nothing may hold the connection up. */
async function connectAccount(account: Account, context: ConnectContext, isOfTenant: boolean): Promise<ConnectOutcome> {
  const opened = await openTwilioAccount(account, context);
  if (opened.kind === 'unverified') return opened;
  const fault = statusFault(opened.facts) ?? (await apiKeyFault(account, context));
  if (fault !== undefined) return fault;
  const rotation = await beginRotation(account, context, opened);
  if (rotation.kind === 'unverified') return rotation;
  const withNumber = isOfTenant ? { kind: 'account' as const, account } : await ensureNumber(account, opened.call, context);
  if (withNumber.kind === 'unverified') return withNumber;
  const set = await setUp(withNumber.account, opened.call, context);
  if (set.kind === 'unverified') return set;
  if (!set.works) return unverified(`${set.toDo.join(' ')} The hub looks again by itself.`, true, 'provider.not_found');
  const ended = await endRotation(rotation, account, context, opened.call);
  if (ended.kind === 'unverified') return ended;
  const { friendly_name: name } = opened.facts;
  const own = { routingIdentifiers: withNumber.account.routingIdentifiers, settings: { accountName: name ?? '' } };
  return { kind: 'verified', learned: mergeLearned([own, set.learned, ended.learned]) };
}

/** Keys are for sending; those with few permissions may see no numbers, and that is theirs to say when something is sent. */
async function apiKeyFault(account: Account, context: Pick<ConnectContext, 'egress' | 'hosts'>): Promise<Unverified | undefined> {
  const { apiKeySid } = account.settings;
  const { apiKeySecret } = account.credentials;
  if (apiKeySid === undefined || apiKeySecret === undefined) return undefined;
  const answer = await twilioCall(context, { user: apiKeySid, password: apiKeySecret })('GET', 'api', `${accountPath(sidOf(account), '/IncomingPhoneNumbers')}?PageSize=1`);
  if (answer.kind === 'unanswered') return answer.outcome;
  return answer.status === 401 || answer.status === 404 ? unverified(`Twilio refuses the API key ${apiKeySid} for account ${sidOf(account)} (status ${answer.status}). Give a key of this very account, with its secret.`, false) : undefined;
}

/** A token that is being replaced stays so until that is done, as long as nobody gives another one. */
function completeOwn(posted: Account, previous: Account | undefined): Account {
  const isSameToken = previous !== undefined && posted.credentials['authToken'] === previous.credentials['authToken'];
  const primary = isSameToken ? previous.credentials['primaryAuthToken'] : undefined;
  const whatsappUrl = previous?.settings['whatsappUrl'];
  return {
    routingIdentifiers: posted.routingIdentifiers,
    settings: { ...(whatsappUrl !== undefined && { whatsappUrl }), ...wished(posted.settings) },
    credentials: { ...posted.credentials, ...(primary !== undefined && { primaryAuthToken: primary }) },
  };
}

/** Where the account is, and which one, is never the form's to say. */
function completeMade(posted: Account, previous: Account | undefined): Account {
  const made = previous !== undefined && isProvisioned(previous) ? previous : undefined;
  const given = Object.entries(wished(posted.settings)).filter(([name]) => !isAddressField(name));
  const known = Object.entries(made?.settings ?? {}).filter(([name]) => name === 'whatsappUrl' || name === 'sandbox' || isAddressField(name) || madeSettings.some((setting) => setting === name));
  return { routingIdentifiers: { ...made?.routingIdentifiers }, settings: Object.fromEntries([...given, ...known]), credentials: { ...made?.credentials } };
}

function wished(settings: Account['settings']): Account['settings'] {
  return Object.fromEntries(Object.entries(settings).filter(([name, value]) => !(name === 'rotateAuthToken' && value !== 'true')));
}
