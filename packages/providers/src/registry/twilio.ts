import { z } from 'zod';
import type { FormFault, ProviderEntry } from '../provider.ts';
import { answerTwilioWebhook } from './answer-twilio-webhook.ts';
import { baseUrl, needed, refused, sandbox, secretText } from './credential-fields.ts';
import { splitTwilioWebhook } from './split-twilio-webhook.ts';
import { greetingsSchema, languageTag } from './twilio-greetings.ts';

const sid = (prefix: string, what: string) => z.string().trim().regex(new RegExp(`^${prefix}[0-9a-f]{32}$`), `use the ${what} as Twilio writes it: ${prefix} and 32 digits and small letters`);
const e164 = z.string().trim().regex(/^\+[1-9]\d{6,14}$/, 'use the international form, such as +15005550006');

export const twilioChannels = ['whatsapp', 'sms', 'voice'] as const;
export type TwilioChannel = (typeof twilioChannels)[number];

/** Accounts are kept as text: a list comes back as one. */
const channelsSchema = z.preprocess((value) => (typeof value === 'string' ? value.split(',').map((one) => one.trim()) : value), z.array(z.enum(twilioChannels)).min(1).max(3));

const yesOrNo = z.preprocess((value) => (value === 'true' ? true : value === 'false' ? false : value), z.boolean());

/** Fields of an account that is there; one that the hub provisions gets its own. */
const ownAccountFields = ['accountSid', 'authToken', 'apiKeySid', 'apiKeySecret', 'messagingServiceSid', 'apiBaseUrl'] as const;
const provisionFields = ['platformConnectionId', 'numberCountry', 'numberAreaCode', 'numberType', 'assignNumber'] as const;

function faultsOf(form: Readonly<Record<string, unknown>>): FormFault[] {
  const channels = Array.isArray(form['channels']) ? form['channels'] : [];
  const isAny = (...names: string[]) => names.some((name) => form[name] !== undefined);
  const pair = isAny('apiKeySid', 'apiKeySecret') ? needed(form, ['apiKeySid', 'apiKeySecret'], 'goes with the other one of the API key') : [];
  if (form['provision'] === true) {
    const both = isAny('numberCountry') && isAny('assignNumber') ? [{ path: 'assignNumber', message: 'either a number is bought (numberCountry) or one of the platform is assigned' }] : [];
    const aimless = isAny('numberAreaCode', 'numberType') ? needed(form, ['numberCountry'], 'says where a number is bought') : [];
    const known = isAny('numberCountry', 'assignNumber') ? refused(form, ['phoneNumber'], 'is the one that is bought or assigned') : [];
    return [...refused(form, ownAccountFields, 'belongs to an account of your own; with "provision" the hub makes one'), ...both, ...aimless, ...known];
  }
  const account = needed(form, ['accountSid', 'authToken'], 'is needed; an API key does not verify webhooks');
  const sender = isAny('phoneNumber', 'messagingServiceSid') ? [] : [{ path: 'phoneNumber', message: 'give a phone number, a messaging service, or both' }];
  const voice = channels.includes('voice') && !isAny('phoneNumber') && isAny('messagingServiceSid') ? [{ path: 'phoneNumber', message: 'is needed for voice: a messaging service takes no calls' }] : [];
  return [...account, ...sender, ...voice, ...pair, ...refused(form, provisionFields, 'goes with "provision": true')];
}

/** The platform's main account, in which subaccounts are made. */
function faultsOfPlatform(form: Readonly<Record<string, unknown>>): FormFault[] {
  return needed(form, ['accountSid', 'authToken'], 'is needed');
}

/** Twilio: one subaccount per tenant, for WhatsApp, SMS and voicemail. twilio.com/docs; facts and sources in docs/providers/twilio.md */
export const twilio = {
  id: 'twilio',
  title: 'Twilio',
  roles: ['channel'],
  credentialType: 'twilio',
  credentials: z.strictObject({
    provision: yesOrNo.optional().describe('true: the hub makes a subaccount of the platform\'s Twilio account for the tenant'),
    accountSid: sid('AC', 'account SID').optional().describe('SID of the (sub)account'),
    authToken: secretText.optional().describe('Primary auth token of the (sub)account: verifies its webhooks'),
    apiKeySid: sid('SK', 'SID of the API key').optional().describe('API key that calls are made with, instead of the auth token'),
    apiKeySecret: secretText.optional().describe('Secret of the API key'),
    phoneNumber: e164.optional().describe('The number that contacts write to and call'),
    messagingServiceSid: sid('MG', 'SID of the messaging service').optional().describe('Messages are sent by this service, from a number of its pool'),
    channels: channelsSchema.default(['sms']).describe('What is connected: whatsapp, sms, voice'),
    rotateAuthToken: yesOrNo.optional().describe('true with POST …/rotate: the hub asks Twilio for a secondary auth token and promotes it'),
    platformConnectionId: z.string().trim().min(1).max(64).optional().describe('Which Twilio account of the platform (provision)'),
    numberCountry: z.string().trim().regex(/^[A-Z]{2}$/, 'use two capital letters, such as US').optional().describe('Buy a number of this country (provision)'),
    numberAreaCode: z.string().trim().regex(/^\d{1,6}$/).optional().describe('Area code of the number that is bought, in the USA and Canada (provision)'),
    numberType: z.enum(['local', 'mobile', 'tollFree']).optional().describe('Kind of number that is bought; local when left out (provision)'),
    assignNumber: e164.optional().describe('A number of the platform\'s account that is moved to the subaccount (provision)'),
    language: languageTag.default('en-US').describe('Language of voicemail'),
    greetings: greetingsSchema.optional().describe('Greeting of voicemail by language: {"en-US": {"text": …}, "pt-BR": {"url": …}}'),
    voicemailMaxSeconds: z.coerce.number().int().min(5).max(3600).default(120).describe('Longest recording of voicemail'),
    voicemailSilenceSeconds: z.coerce.number().int().min(1).max(60).default(5).describe('Seconds of silence that end a recording'),
    transcribe: yesOrNo.default(true).describe('Have Twilio transcribe recordings: American English, 2 to 120 seconds, and it costs'),
    whatsappOptOut: yesOrNo.default(true).describe('STOP on WhatsApp ends messages to the contact; Twilio itself does it for SMS only'),
    callsPerMinute: z.coerce.number().int().min(1).max(60_000).optional().describe('Messages a minute that the sender may send'),
    apiBaseUrl: baseUrl,
    sandbox,
  }),
  faultsOf,
  faultsOfPlatform,
  secretFields: ['authToken', 'apiKeySecret'],
  // A subaccount is one tenant's in the whole installation; a sender one connection's in it.
  routingFields: ['sender', 'accountSid'],
  // `account`: what nobody's number is, is the subaccount's all the same. `service`: for messages to a number of its pool.
  sharedRoutingFields: ['service', 'account'],
  webhook: {
    auth: { scheme: 'twilio', header: 'x-twilio-signature' },
    secretField: 'authToken',
    paths: ['shared', 'connection'],
    aliases: ['/api/webhooks/whatsapp', '/api/webhooks/sms', '/api/webhooks/voicemail'],
    hasSubpaths: true,
    hasSecretPerAccount: true,
    limitedBy: 'accountSid',
    answerSettings: ['accountSid', 'language', 'greetings', 'voicemailMaxSeconds', 'voicemailSilenceSeconds', 'transcribe'],
    answer: answerTwilioWebhook,
    // A form of some dozens of fields.
    bodyMaxBytes: 256 * 1024,
    split: splitTwilioWebhook,
  },
  // WhatsApp's rule (63016); an SMS may be sent at any time.
  channel: { replyWindowHours: (address: string) => (address.startsWith('whatsapp:') ? 24 : undefined) },
  hosts: ({ apiBaseUrl }): Record<string, string> =>
    apiBaseUrl === undefined
      ? { api: 'https://api.twilio.com', messaging: 'https://messaging.twilio.com', accounts: 'https://accounts.twilio.com', content: 'https://content.twilio.com' }
      : { api: apiBaseUrl, messaging: apiBaseUrl, accounts: apiBaseUrl, content: apiBaseUrl },
  sandboxPath: 'twilio',
} as const satisfies ProviderEntry;
