import { z } from 'zod';
import { askProvider, type ProviderAnswer } from './ask-provider.ts';
import { unverified, type ConnectStrategy, type Unverified } from './connect-strategy.ts';

/** Meta's WhatsApp Cloud API: the number must answer to the access token; with a WABA, the app is subscribed to it, or no webhook ever comes. */
export const whatsapp: ConnectStrategy = {
  isSameAccount: () => false,

  complete: (posted) => posted,

  async verify(account, context) {
    const { phoneNumberId = '', wabaId } = account.routingIdentifiers;
    const base = `${context.hosts['api']}/${account.settings['apiVersion']}`;
    const headers = { authorization: `Bearer ${account.credentials['accessToken'] ?? ''}`, accept: 'application/json' };

    const answer = await askProvider(context.egress, 'Meta', {
      method: 'GET',
      url: `${base}/${encodeURIComponent(phoneNumberId)}?fields=id,display_phone_number,verified_name`,
      headers,
    });
    const refused = refusalOf(answer, `phone number id ${phoneNumberId}`);
    if (refused !== undefined) return refused;
    const number = numberSchema.safeParse(answer.kind === 'answer' ? answer.json : undefined).data;
    if (number === undefined || number.id !== phoneNumberId) return unverified(`Meta knows ${phoneNumberId}, but not as a phone number. Give the phone number id, not the number or the WABA id.`, false);

    if (wabaId !== undefined) {
      const subscribed = await askProvider(context.egress, 'Meta', { method: 'POST', url: `${base}/${encodeURIComponent(wabaId)}/subscribed_apps`, headers });
      const notSubscribed = refusalOf(subscribed, `WhatsApp business account ${wabaId}`);
      if (notSubscribed !== undefined) return notSubscribed;
    }
    const { display_phone_number: displayPhoneNumber, verified_name: verifiedName } = number;
    return { kind: 'verified', learned: { settings: { ...(displayPhoneNumber && { displayPhoneNumber }), ...(verifiedName && { verifiedName }) } } };
  },
};

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
    return unverified(`The access token may not use ${thing}${says}. Give it whatsapp_business_messaging and whatsapp_business_management. It is tried again.`, true);
  }
  if (code === 4 || code === 80007 || code === 130429) return unverified(`Meta is throttling calls for this account${says}. It is tried again.`, true);
  if (code === 1 || code === 2 || code === 131000 || code === 131016 || code === 131057) return unverified(`Meta has a problem of its own${says}. It is tried again.`, true);
  return unverified(`Meta does not know the ${thing}, or the access token may not see it${says}. Check both. It is tried again.`, true);
}
