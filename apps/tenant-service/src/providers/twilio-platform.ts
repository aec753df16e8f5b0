import { unverified, type Account, type ConnectOutcome, type PlatformContext, type PlatformStrategy } from './connect-strategy.ts';
import { fetchAccount, sidOf, statusFault, twilioCall } from './twilio-client.ts';

/** The platform's main account at Twilio: nothing is set up in it; the subaccounts that the hub makes there are the tenants'. */
export const twilioPlatform: PlatformStrategy = {
  ownFields: ['accountSid', 'authToken', 'apiBaseUrl'],
  verify: (account, context) => askMain(account, context),
  ask: (account, context) => askMain(account, context),
  remove: async () => ({ kind: 'nothing_to_remove', reason: 'The hub has set up nothing in the main account itself.' }),
};

async function askMain(account: Account, { egress, hosts }: PlatformContext): Promise<ConnectOutcome> {
  const sid = sidOf(account);
  const found = await fetchAccount(twilioCall({ egress, hosts }, { user: sid, password: account.credentials['authToken'] ?? '' }), sid);
  if (found.kind === 'unverified') return found;
  const fault = statusFault(found.value);
  if (fault !== undefined) return fault;
  const { owner_account_sid: owner, friendly_name: name } = found.value;
  if (typeof owner === 'string' && owner !== found.value.sid) return unverified(`${sid} is a subaccount of ${owner}, in which no others can be made. Give the main account.`, false, 'provider.rejected');
  return { kind: 'verified', learned: { settings: { accountName: name ?? '' } } };
}
