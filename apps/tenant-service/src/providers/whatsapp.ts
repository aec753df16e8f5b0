import { z } from 'zod';
import { askProvider, type ProviderAnswer } from './ask-provider.ts';
import { unverified, type Account, type AskContext, type ConnectOutcome, type ConnectStrategy, type Unverified } from './connect-strategy.ts';

/** Meta's WhatsApp Cloud API: the number must answer to the access token; with a WABA, the app is subscribed to it, or no webhook ever comes. */
export const whatsapp: ConnectStrategy = {
  isSameAccount: () => false,

  generatedFields: () => [],

  complete: (posted) => posted,

  async verify(account, context) {
    const number = await askNumber(account, context);
    const { wabaId } = account.routingIdentifiers;
    if (number.kind === 'unverified' || wabaId === undefined) return number;
    const subscribed = await askProvider(context.egress, 'Meta', { method: 'POST', ...subscribedApps(account, context, wabaId) });
    return refusalOf(subscribed, `WhatsApp business account ${wabaId}`) ?? number;
  },

  ask: askNumber,

  async remove(account, context) {
    const { wabaId } = account.routingIdentifiers;
    if (wabaId === undefined) return { kind: 'nothing_to_remove', reason: 'The connection names no WhatsApp business account, so the hub has subscribed to none. Remove the callback URL in the settings of the Meta app.' };
    // Subscribed is the app to the WABA, not to the number: Meta knows no narrower end.
    if (await context.isInUseElsewhere('wabaId')) return { kind: 'nothing_to_remove', reason: 'Another connection uses the same WhatsApp business account; its webhooks go on.' };
    const answer = await askProvider(context.egress, 'Meta', { method: 'DELETE', ...subscribedApps(account, context, wabaId) });
    const refused = refusalOf(answer, `WhatsApp business account ${wabaId}`);
    return refused === undefined ? { kind: 'removed' } : { kind: 'failed', reason: refused.reason };
  },
};

async function askNumber(account: Account, context: AskContext): Promise<ConnectOutcome> {
  const { phoneNumberId = '' } = account.routingIdentifiers;
  const answer = await askProvider(context.egress, 'Meta', { method: 'GET', ...callOf(account, context, `${encodeURIComponent(phoneNumberId)}?fields=id,display_phone_number,verified_name`) });
  const refused = refusalOf(answer, `phone number id ${phoneNumberId}`);
  if (refused !== undefined) return refused;
  const number = numberSchema.safeParse(answer.kind === 'answer' ? answer.json : undefined).data;
  if (number === undefined || number.id !== phoneNumberId) {
    return unverified(`Meta knows ${phoneNumberId}, but not as a phone number. Give the phone number id, not the number or the WABA id.`, false, 'provider.not_found');
  }
  const { display_phone_number: displayPhoneNumber, verified_name: verifiedName } = number;
  return { kind: 'verified', learned: { settings: { ...(displayPhoneNumber && { displayPhoneNumber }), ...(verifiedName && { verifiedName }) } } };
}

function subscribedApps(account: Account, context: AskContext, wabaId: string) {
  return callOf(account, context, `${encodeURIComponent(wabaId)}/subscribed_apps`);
}

function callOf(account: Account, { hosts }: AskContext, path: string) {
  return {
    url: `${hosts['api']}/${account.settings['apiVersion']}/${path}`,
    headers: { authorization: `Bearer ${account.credentials['accessToken'] ?? ''}`, accept: 'application/json' },
  };
}

const numberSchema = z.object({ id: z.coerce.string(), display_phone_number: z.string().optional(), verified_name: z.string().optional() });
const errorSchema = z.object({ error: z.object({ code: z.number(), message: z.string().optional(), type: z.string().optional() }) });

/** Undefined when Meta agreed. Meta's HTTP statuses are not part of its contract: the error's code decides. */
function refusalOf(answer: ProviderAnswer, thing: string): Unverified | undefined {
  if (answer.kind === 'unanswered') return answer.outcome;
  const error = errorSchema.safeParse(answer.json).data?.error;
  if (error === undefined && answer.status >= 200 && answer.status < 300) return undefined;
  const code = error?.code;
  const says = error === undefined ? ` (status ${answer.status})` : ` (code ${error.code}: ${(error.message ?? error.type ?? '').slice(0, 200)})`;

  if (code === 0 || code === 190 || (code === undefined && answer.status === 401)) {
    return unverified(`Meta refuses the access token: it is wrong or has expired${says}. Post a valid one, best of a system user.`, false);
  }
  if (code === 3 || code === 10 || code === 131005 || (code !== undefined && code >= 200 && code <= 299) || (code === undefined && answer.status === 403)) {
    return unverified(`The access token may not use ${thing}${says}. Give it whatsapp_business_messaging and whatsapp_business_management. It is tried again.`, true, 'provider.forbidden');
  }
  if (code === 4 || code === 80007 || code === 130429) return unverified(`Meta is throttling calls for this account${says}. It is tried again.`, true, 'provider.throttled');
  if (code === 1 || code === 2 || code === 131000 || code === 131016 || code === 131057) return unverified(`Meta has a problem of its own${says}. It is tried again.`, true);
  return unverified(`Meta does not know the ${thing}, or the access token may not see it${says}. Check both. It is tried again.`, true, 'provider.not_found');
}
