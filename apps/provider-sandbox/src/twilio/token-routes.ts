import type { Answer } from '../exchange.ts';
import { isoTime, type Call, type TwilioRoute } from './call.ts';
import { refuse } from './refusals.ts';
import { newToken } from './twilio-store.ts';

/** Of the accounts API: the caller's own tokens. Both open the API; the primary one alone signs webhooks. */
export const tokenRoutes: TwilioRoute[] = [
  { operation: 'CreateSecondaryAuthToken', method: 'POST', path: '/v1/AuthTokens/Secondary', parameters: {}, tokenOnly: true, handle: create },
  { operation: 'DeleteSecondaryAuthToken', method: 'DELETE', path: '/v1/AuthTokens/Secondary', parameters: {}, tokenOnly: true, handle: remove },
  { operation: 'UpdateAuthTokenPromotion', method: 'POST', path: '/v1/AuthTokens/Promote', parameters: {}, tokenOnly: true, handle: promote },
];

function create(call: Call): Answer {
  if (call.account.secondaryToken !== null) refuse(400, 20001, 'A secondary auth token is there already');
  const secondaryToken = newToken();
  call.store.putAccount({ ...call.account, secondaryToken, updatedAt: call.now.toISOString() });
  return { status: 201, json: { ...times(call), secondary_auth_token: secondaryToken, url: `${call.baseUrl}/v1/AuthTokens/Secondary` } };
}

function remove(call: Call): Answer {
  if (call.account.secondaryToken === null) refuse(404, 20404, `The requested resource ${call.path} was not found`);
  call.store.putAccount({ ...call.account, secondaryToken: null, updatedAt: call.now.toISOString() });
  return { status: 204 };
}

/** The old primary token is void at once. */
function promote(call: Call): Answer {
  const { secondaryToken } = call.account;
  if (secondaryToken === null) return refuse(400, 20001, 'There is no secondary auth token');
  call.store.putAccount({ ...call.account, authToken: secondaryToken, secondaryToken: null, updatedAt: call.now.toISOString() });
  return { status: 200, json: { ...times(call), auth_token: secondaryToken, url: `${call.baseUrl}/v1/AuthTokens/Promote` } };
}

function times(call: Call): Record<string, unknown> {
  return { account_sid: call.account.sid, date_created: isoTime(call.account.createdAt), date_updated: isoTime(call.now.toISOString()) };
}
