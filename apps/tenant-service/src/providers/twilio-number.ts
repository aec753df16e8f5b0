import { z } from 'zod';
import { unverified, type Unverified } from './connect-strategy.ts';
import { accountPath, readAnswer, refusalOf, type TwilioCall } from './twilio-client.ts';
import { isSameAddress, isSameUrl, type TwilioUrls } from './twilio-urls.ts';

const text = z.string().nullish();
export const numberSchema = z.object({
  sid: z.string(),
  phone_number: z.string(),
  capabilities: z.object({ sms: z.boolean().optional(), voice: z.boolean().optional(), mms: z.boolean().optional() }).nullish(),
  sms_url: text,
  sms_method: text,
  sms_fallback_url: text,
  voice_url: text,
  voice_method: text,
  voice_fallback_url: text,
  status_callback: text,
  sms_application_sid: text,
  voice_application_sid: text,
  trunk_sid: text,
});
export type TwilioNumber = z.output<typeof numberSchema>;

export const numberListSchema = z.object({ incoming_phone_numbers: z.array(numberSchema) });

/** A number of the account; undefined where it has no such number. */
export async function findNumber(call: TwilioCall, accountSid: string, phoneNumber: string): Promise<{ readonly kind: 'found'; readonly number: TwilioNumber | undefined } | Unverified> {
  const answer = await call('GET', 'api', `${accountPath(accountSid, '/IncomingPhoneNumbers')}?PhoneNumber=${encodeURIComponent(phoneNumber)}`);
  const read = readAnswer(answer, numberListSchema, 'list the numbers of the account');
  // Twilio takes the number for a pattern.
  return read.kind === 'read' ? { kind: 'found', number: read.value.incoming_phone_numbers.find((number) => number.phone_number === phoneNumber) } : read;
}

export type NumberChannels = { readonly sms: boolean; readonly voice: boolean };

/** Why the number cannot do what is asked of it, before anything is changed. What stands in the way is tried again: the tenant takes it away at Twilio. */
export function numberFault(number: TwilioNumber, { sms, voice }: NumberChannels): Unverified | undefined {
  const { phone_number: phone, capabilities } = number;
  const lacks = [...(sms && capabilities?.sms === false ? ['sms'] : []), ...(voice && capabilities?.voice === false ? ['voice'] : [])];
  if (lacks.length > 0) return unverified(`The number ${phone} cannot do ${lacks.join(' and ')} (its capabilities at Twilio). Take ${lacks.join(' and ')} out of channels, or connect another number.`, false, 'provider.rejected');
  const blocks = [
    ...(sms && isSet(number.sms_application_sid) ? [`the TwiML app ${number.sms_application_sid} for messages`] : []),
    ...(voice && isSet(number.voice_application_sid) ? [`the TwiML app ${number.voice_application_sid} for calls`] : []),
    ...(voice && isSet(number.trunk_sid) ? [`the SIP trunk ${number.trunk_sid}`] : []),
  ];
  if (blocks.length === 0) return undefined;
  return unverified(`The number ${phone} is given to ${blocks.join(' and ')}, and then Twilio ignores every address set on the number. Remove that from the number in the Twilio console (Phone Numbers, Active numbers, ${phone}). It is tried again.`, true, 'provider.rejected');
}

/** Sets the hub's addresses on a number for what is asked, takes them back for what is not, and looks whether Twilio kept them. */
export async function setNumber(call: TwilioCall, accountSid: string, number: TwilioNumber, channels: NumberChannels, urls: TwilioUrls): Promise<Unverified | undefined> {
  const wanted: Record<string, string> = {
    ...(channels.sms ? smsFields(urls.sms) : isSameAddress(number.sms_url, urls.sms) ? smsFields('') : {}),
    ...(channels.voice ? voiceFields(urls.voice) : isSameAddress(number.voice_url, urls.voice) ? voiceFields('') : {}),
  };
  const isKept = (of: TwilioNumber) =>
    (!channels.sms || (isSameUrl(of.sms_url, urls.sms) && of.sms_method === 'POST' && isSameUrl(of.sms_fallback_url, urls.sms))) &&
    (!channels.voice || (isSameUrl(of.voice_url, urls.voice) && of.voice_method === 'POST' && isSameUrl(of.voice_fallback_url, urls.voice) && isSameUrl(of.status_callback, urls.voice)));
  const isToClear = Object.values(wanted).includes('');
  if (isKept(number) && !isToClear) return undefined;
  const path = accountPath(accountSid, `/IncomingPhoneNumbers/${number.sid}`);
  const refused = refusalOf(await call('POST', 'api', path, { form: wanted }), `set the addresses of ${number.phone_number}`);
  if (refused !== undefined) return refused;
  const read = readAnswer(await call('GET', 'api', path), numberSchema, `read ${number.phone_number} again`);
  if (read.kind === 'unverified') return read;
  return isKept(read.value) ? undefined : unverified(`Twilio did not keep the hub's addresses on ${number.phone_number}; something else sets them too. It is tried again.`, true, 'provider.rejected');
}

/** Takes the hub's addresses back from a number, where they are still its own. True: something was taken back. */
export async function clearNumber(call: TwilioCall, accountSid: string, number: TwilioNumber, urls: TwilioUrls): Promise<boolean | Unverified> {
  const form = {
    ...(isSameAddress(number.sms_url, urls.sms) && { SmsUrl: '' }),
    ...(isSameAddress(number.sms_fallback_url, urls.sms) && { SmsFallbackUrl: '' }),
    ...(isSameAddress(number.voice_url, urls.voice) && { VoiceUrl: '' }),
    ...(isSameAddress(number.voice_fallback_url, urls.voice) && { VoiceFallbackUrl: '' }),
    ...(isSameAddress(number.status_callback, urls.voice) && { StatusCallback: '' }),
  };
  if (Object.keys(form).length === 0) return false;
  return refusalOf(await call('POST', 'api', accountPath(accountSid, `/IncomingPhoneNumbers/${number.sid}`), { form }), `take the addresses of ${number.phone_number} back`) ?? true;
}

function smsFields(url: string): Record<string, string> {
  return { SmsUrl: url, SmsMethod: 'POST', SmsFallbackUrl: url, SmsFallbackMethod: 'POST' };
}

function voiceFields(url: string): Record<string, string> {
  return { VoiceUrl: url, VoiceMethod: 'POST', VoiceFallbackUrl: url, VoiceFallbackMethod: 'POST', StatusCallback: url, StatusCallbackMethod: 'POST' };
}

function isSet(value: string | null | undefined): boolean {
  return value !== null && value !== undefined && value !== '';
}
