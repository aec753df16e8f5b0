import type { TwilioChannel } from '@switchboard/providers';
import { unverified, type Account, type AskContext, type Learned, type Unverified } from './connect-strategy.ts';
import { sidOf, type TwilioCall } from './twilio-client.ts';
import { clearNumber, findNumber, numberFault, setNumber, type TwilioNumber } from './twilio-number.ts';
import { clearService, serviceFault, setService, settlePool } from './twilio-service.ts';
import { isSameAddress, twilioUrls } from './twilio-urls.ts';
import { clearSender, senderFault, setSender } from './twilio-whatsapp.ts';

type Place = Pick<AskContext, 'connectionId' | 'webhookUrl'>;

/** `works`: at least one channel does. `toDo`: what Twilio lets nobody do but the tenant, for the others. */
export type SetUp = { readonly kind: 'set'; readonly works: boolean; readonly toDo: readonly string[]; readonly learned: Learned } | Unverified;

export function channelsOf({ settings }: Pick<Account, 'settings'>): ReadonlySet<string> {
  return new Set((settings['channels'] ?? '').split(','));
}

/** Sets the hub's addresses in the account for the channels that are asked, and for no others. */
export async function setUp(account: Account, call: TwilioCall, place: Place): Promise<SetUp> {
  const urls = twilioUrls(place, sidOf(account));
  const channels = channelsOf(account);
  const isAsked = (channel: TwilioChannel) => channels.has(channel);
  const { phoneNumber, messagingServiceSid } = account.settings;
  const toDo: string[] = [];
  let works = false;
  let number: TwilioNumber | undefined;

  if (messagingServiceSid !== undefined && (isAsked('sms') || isAsked('whatsapp'))) {
    const refused = await setService(call, messagingServiceSid, urls.sms);
    if (refused !== undefined) return refused;
    works = true;
  }
  if (phoneNumber !== undefined) {
    const found = await setOwnNumber(account, call, phoneNumber, place);
    if (found.kind === 'unverified') return found;
    number = found.number;
    toDo.push(...found.toDo);
    if (found.works) works = true;
  }
  const whatsapp = isAsked('whatsapp') && phoneNumber !== undefined ? await setSender(call, phoneNumber, urls.whatsapp) : undefined;
  if (whatsapp?.kind === 'unverified') return whatsapp;
  if (whatsapp?.toDo !== undefined) toDo.push(whatsapp.toDo);
  const isLeft = !isAsked('whatsapp') && phoneNumber !== undefined && account.settings['whatsappUrl'] !== undefined;
  const cleared = isLeft ? await clearSender(call, phoneNumber, urls.whatsapp) : false;
  if (typeof cleared !== 'boolean') return cleared;
  return {
    kind: 'set',
    works: works || whatsapp?.works === true,
    toDo,
    learned: {
      settings: {
        smsUrl: isAsked('sms') ? urls.sms : '',
        voiceUrl: isAsked('voice') ? urls.voice : '',
        // A service has one address for all that comes in.
        whatsappUrl: !isAsked('whatsapp') ? '' : phoneNumber === undefined ? urls.sms : urls.whatsapp,
        numberSid: number?.sid ?? '',
        senderSid: whatsapp?.senderSid ?? '',
        toDoByHand: toDo.join(' '),
      },
    },
  };
}

type OwnNumber = { readonly kind: 'number'; readonly number: TwilioNumber | undefined; readonly works: boolean; readonly toDo: readonly string[] } | Unverified;

async function setOwnNumber(account: Account, call: TwilioCall, phoneNumber: string, place: Place): Promise<OwnNumber> {
  const [sid, channels] = [sidOf(account), channelsOf(account)];
  const urls = twilioUrls(place, sid);
  const asked = { sms: channels.has('sms'), voice: channels.has('voice') };
  const found = await findNumber(call, sid, phoneNumber);
  if (found.kind === 'unverified') return found;
  const { number } = found;
  if (number === undefined) {
    // WhatsApp senders need not be numbers of Twilio's.
    if (!asked.sms && !asked.voice) return { kind: 'number', number, works: false, toDo: [] };
    return unverified(`The Twilio account ${sid} has no number ${phoneNumber}. Check phoneNumber, or buy it there. It is tried again.`, true, 'provider.not_found');
  }
  const refused = numberFault(number, asked) ?? (await setNumber(call, sid, number, asked, urls));
  if (refused !== undefined) return refused;
  const pool = asked.sms ? await settlePool(call, number, account.settings['messagingServiceSid'], urls.sms) : undefined;
  if (pool?.kind === 'unverified') return pool;
  const isElsewhere = pool?.kind === 'by_hand';
  return { kind: 'number', number, works: (asked.sms && !isElsewhere) || asked.voice, toDo: isElsewhere ? [pool.toDo] : [] };
}

/** Whether what was set up is still there; why not, else. Changes nothing. */
export async function setUpFault(account: Account, call: TwilioCall, place: Place): Promise<Unverified | undefined> {
  const sid = sidOf(account);
  const urls = twilioUrls(place, sid);
  const channels = channelsOf(account);
  const { phoneNumber, messagingServiceSid } = account.settings;
  const [sms, voice] = [channels.has('sms'), channels.has('voice')];
  if (messagingServiceSid !== undefined && (sms || channels.has('whatsapp'))) {
    const fault = await serviceFault(call, messagingServiceSid, urls.sms);
    if (fault !== undefined) return fault;
  }
  // What is still to be done by hand is said already.
  const sender = channels.has('whatsapp') && phoneNumber !== undefined && account.settings['toDoByHand'] === undefined ? await senderFault(call, phoneNumber, urls.whatsapp) : undefined;
  if (sender !== undefined) return sender;
  if (phoneNumber === undefined || (!sms && !voice)) return undefined;
  const found = await findNumber(call, sid, phoneNumber);
  if (found.kind === 'unverified') return found;
  const { number } = found;
  if (number === undefined) return unverified(`The number ${phoneNumber} is gone from the Twilio account ${sid}.`, false, 'provider.not_found');
  const elsewhere = [...(sms && !isSameAddress(number.sms_url, urls.sms) ? ['messages'] : []), ...(voice && !isSameAddress(number.voice_url, urls.voice) ? ['calls'] : [])];
  return elsewhere.length === 0 ? numberFault(number, { sms, voice }) : unverified(`At Twilio the ${elsewhere.join(' and ')} of ${phoneNumber} are sent elsewhere than to the hub. Post the credentials again.`, false, 'provider.rejected');
}

/** Takes the hub's addresses back where they are still its own. `keepsService`: another connection needs the messaging service's. True: there was something. */
export async function takeBack(account: Account, call: TwilioCall, place: Place, keepsService: boolean): Promise<boolean | Unverified> {
  const sid = sidOf(account);
  const urls = twilioUrls(place, sid);
  const { phoneNumber, messagingServiceSid } = account.settings;
  const steps: (() => Promise<boolean | Unverified>)[] = [];
  if (messagingServiceSid !== undefined && !keepsService) steps.push(() => clearService(call, messagingServiceSid, urls.sms));
  if (phoneNumber !== undefined) {
    steps.push(async () => {
      const found = await findNumber(call, sid, phoneNumber);
      if (found.kind === 'unverified') return found;
      return found.number === undefined ? false : await clearNumber(call, sid, found.number, urls);
    });
    if (channelsOf(account).has('whatsapp')) steps.push(() => clearSender(call, phoneNumber, urls.whatsapp));
  }
  let isTaken = false;
  for (const step of steps) {
    const outcome = await step();
    if (typeof outcome !== 'boolean') return outcome;
    isTaken ||= outcome;
  }
  return isTaken;
}
