import { parseJson, type ClientErrorDetail } from '@switchboard/connector-kit';
import { hubError, type HubError } from '@switchboard/contracts';
import type { EgressReply } from '@switchboard/service-kit';
import { z } from 'zod';

/** Two forms (contract, 3.3); the one that Chatwoot's OpenAPI describes is produced by no code of its. */
const errorBody = z.object({ error: z.string().optional().catch(undefined), message: z.string().optional().catch(undefined), attributes: z.array(z.string()).optional().catch(undefined) });

/** Milliseconds of the window that requests are counted in; a 429 says nothing of its end. */
const throttleMs = 60_000;

/** Why Chatwoot refused, by the table of the contract's section 3.3. `detail.attributes` names the fields of a 422 that says them. */
export function refusalOf(reply: Pick<EgressReply, 'status' | 'body'>): HubError {
  const { status } = reply;
  // A 429 is plain text: it is never read as anything else.
  if (status === 429) return throttled('Chatwoot throttles the hub; the message is sent when it allows.', { status });
  const body = errorBody.safeParse(parseJson(reply.body)).data ?? {};
  const said = (body.error ?? body.message ?? '').slice(0, 500);
  const detail = { status, said, ...(body.attributes === undefined ? {} : { attributes: body.attributes }) };
  const quote = said === '' ? '' : `: ${said}`;
  const account: ClientErrorDetail = { ...detail, scope: 'account' };
  if (status >= 300 && status < 400) return hubError('provider.not_found', { publicMessage: 'The address of this Chatwoot server leads elsewhere; use the one it leads to.', detail: account });
  switch (status) {
    case 401:
      if (said === '' || said === 'Invalid Access Token') return hubError('provider.unauthorized', { publicMessage: 'Chatwoot refuses the access token of this connection.', detail: account });
      // Pundit answers 401 where 403 is meant: the token is good, its owner may not.
      return hubError('provider.forbidden', { publicMessage: `The owner of the access token may not do this at Chatwoot; use an administrator's${quote}`, detail: account });
    case 402:
      return hubError('provider.forbidden', { publicMessage: `The plan of the Chatwoot account does not allow this${quote}`, detail: account });
    case 403:
      if (/only allowed for api inboxes/i.test(said)) return hubError('provider.rejected', { publicMessage: `Chatwoot rejected it${quote}`, detail });
      return hubError('provider.forbidden', { publicMessage: `The Chatwoot account does not allow calls of its API${quote}`, detail: account });
    case 404:
      return hubError('provider.not_found', { publicMessage: 'Chatwoot does not know this conversation, inbox or account any more.', detail });
    case 422:
      if (/too many messages/i.test(said)) return throttled('Chatwoot takes no more messages in this conversation for a minute.', { ...detail, scope: 'pair' });
      return hubError('provider.rejected', { publicMessage: `Chatwoot rejected it${quote}`, detail });
    default:
      if (status >= 500 || status === 408) return hubError('provider.unavailable', { publicMessage: 'Chatwoot did not take it in time; it is tried again once it is clear that it has not.', detail: { ...detail, sent: true } });
      return hubError('provider.rejected', { publicMessage: `Chatwoot rejected it${quote}`, detail });
  }
}

function throttled(publicMessage: string, detail: ClientErrorDetail): HubError {
  return hubError('provider.throttled', { publicMessage, retry: { afterMs: throttleMs }, detail });
}
