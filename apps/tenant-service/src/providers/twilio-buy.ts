import { z } from 'zod';
import { unverified, type Account, type ConnectContext, type MainAccount, type Unverified } from './connect-strategy.ts';
import { accountPath, errorCodeOf, readAnswer, refusalOf, sidOf, type TwilioCall } from './twilio-client.ts';
import { findNumber, numberListSchema, numberSchema, type TwilioNumber } from './twilio-number.ts';
import { superseded } from './twilio-rotation.ts';
import { channelsOf } from './twilio-set-up.ts';
import { mainCall, mainFault, type Ready } from './twilio-subaccount.ts';
import { twilioIdentifiers } from './twilio-urls.ts';

const availableSchema = z.object({ available_phone_numbers: z.array(z.object({ phone_number: z.string() })) });
const kinds: Readonly<Record<string, string>> = { local: 'Local', mobile: 'Mobile', tollFree: 'TollFree' };

/** Numbers that are tried when somebody else buys one at the same moment. */
const triesMax = 3;

/** Gives a subaccount that the hub made the number it was asked for: bought there, or moved from the platform's account; the one it has, where it has one. `call`: as the subaccount. */
export async function ensureNumber(account: Account, call: TwilioCall, context: ConnectContext): Promise<Ready> {
  const { phoneNumber, messagingServiceSid, numberCountry, assignNumber } = account.settings;
  const sid = sidOf(account);
  if (phoneNumber !== undefined) return { kind: 'account', account };
  // Bought, and then the answer was lost: never again. The subaccount is this connection's alone.
  const listed = readAnswer(await call('GET', 'api', accountPath(sid, '/IncomingPhoneNumbers')), numberListSchema, 'list the numbers of the subaccount');
  if (listed.kind === 'unverified') return listed;
  const [there] = listed.value.incoming_phone_numbers;
  const got = there !== undefined ? there : numberCountry !== undefined ? await buy(account, call) : assignNumber !== undefined ? await assign(assignNumber, sid, call, context) : undefined;
  if (got === undefined) return unverified(`The subaccount ${sid} is made and has no number. Post the credentials again with numberCountry (buy one) or assignNumber (one of the platform's).`, false, 'provider.not_found');
  if ('kind' in got) return got;
  const settings = { phoneNumber: got.phone_number, numberSid: got.sid, numberOrigin: assignNumber === got.phone_number ? 'assigned' : 'bought' };
  const routingIdentifiers = twilioIdentifiers(sid, { phoneNumber: got.phone_number, messagingServiceSid });
  if (!(await context.keep({ routingIdentifiers, settings }))) return superseded();
  return { kind: 'account', account: { ...account, routingIdentifiers, settings: { ...account.settings, ...settings } } };
}

async function buy(account: Account, call: TwilioCall): Promise<TwilioNumber | Unverified> {
  const { numberCountry = '', numberAreaCode, numberType = 'local' } = account.settings;
  const channels = channelsOf(account);
  const query = new URLSearchParams({
    ...(numberAreaCode !== undefined && { AreaCode: numberAreaCode }),
    ...(channels.has('sms') && { SmsEnabled: 'true' }),
    ...(channels.has('voice') && { VoiceEnabled: 'true' }),
    PageSize: '20',
  });
  const where = `${numberCountry}${numberAreaCode === undefined ? '' : `, area code ${numberAreaCode}`} (${numberType})`;
  const answer = await call('GET', 'api', `${accountPath(sidOf(account), `/AvailablePhoneNumbers/${numberCountry}/${kinds[numberType] ?? 'Local'}`)}?${query}`);
  if (answer.kind === 'answer' && answer.status === 404) return noNumber(where);
  const listed = readAnswer(answer, availableSchema, `search numbers in ${where}`);
  if (listed.kind === 'unverified') return listed;
  for (const { phone_number: wanted } of listed.value.available_phone_numbers.slice(0, triesMax)) {
    const bought = await call('POST', 'api', accountPath(sidOf(account), '/IncomingPhoneNumbers'), { form: { PhoneNumber: wanted } });
    // Gone in the meantime: the next one.
    if (errorCodeOf(bought) === 21422) continue;
    const read = readAnswer(bought, numberSchema, `sell the number ${wanted}`);
    return read.kind === 'read' ? read.value : saleFault(bought, read, where);
  }
  return noNumber(where);
}

function noNumber(where: string): Unverified {
  return unverified(`Twilio has no free number in ${where} that does what channels asks for. Post the credentials again with another country, area code or numberType.`, false, 'provider.not_found');
}

/** twilio.com/docs/api/errors (2026): 21404 trial accounts, 21631 and 21649 papers of the country, 21450 and 21452 no number or none at this price. */
function saleFault(answer: Parameters<typeof errorCodeOf>[0], fault: Unverified, where: string): Unverified {
  const code = errorCodeOf(answer);
  if (code === 21404) return unverified('The platform\'s Twilio account is a trial account, which buys no more numbers (error 21404). Ask the platform to upgrade it. It is tried again.', true, 'provider.forbidden');
  if (code === 21631 || code === 21649 || code === 21651) return unverified(`The country asks for an address or papers before it gives a number (error ${code}). Ask the platform for one with assignNumber, or choose another country than that of ${where}.`, false, 'provider.rejected');
  return fault;
}

/** Moves a number from the platform's account. Of that account alone, and one that it does not use itself: what is in a tenant's subaccount is nobody's to ask for. */
async function assign(wanted: string, sid: string, call: TwilioCall, context: ConnectContext): Promise<TwilioNumber | Unverified> {
  const { main } = context;
  if (main === undefined) return unverified('The platform\'s Twilio account is not there. It is tried again.', true, 'provider.not_found');
  const asMain = mainCall(context, main);
  const found = await findNumber(asMain, sidOf(main.account), wanted);
  if (found.kind === 'unverified') return mainFault(found);
  if (found.number === undefined || isInUse(found.number)) {
    return unverified(`The platform has no free number ${wanted} to assign. Ask the platform which numbers are free, or buy one with numberCountry. It is tried again.`, true, 'provider.not_found');
  }
  const moved = refusalOf(await asMain('POST', 'api', accountPath(sidOf(main.account), `/IncomingPhoneNumbers/${found.number.sid}`), { form: { AccountSid: sid } }), `move the number ${wanted}`);
  if (moved !== undefined) return mainFault(moved);
  const there = await findNumber(call, sid, wanted);
  if (there.kind === 'unverified') return there;
  return there.number ?? unverified(`Twilio has not moved the number ${wanted} yet. It is tried again.`, true, 'provider.rejected');
}

/** A number that the platform has connected to something is not one that waits for a tenant. New numbers come with Twilio's demo addresses, or none. */
function isInUse({ sms_url: sms, voice_url: voice, sms_application_sid: smsApp, voice_application_sid: voiceApp, trunk_sid: trunk }: TwilioNumber): boolean {
  const isOwn = (url: MainAccount['account']['settings'][string] | null | undefined) => (url ?? '') !== '' && !/^https:\/\/demo\.twilio\.com\//.test(url ?? '');
  return isOwn(sms) || isOwn(voice) || [smsApp, voiceApp, trunk].some((given) => (given ?? '') !== '');
}
