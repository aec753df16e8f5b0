import { z } from 'zod';
import type { Answer, Exchange, SandboxRoute } from '../exchange.ts';
import type { SandboxState } from '../sandbox-state.ts';
import { addAccount } from '../twilio/account-routes.ts';
import { contentFrom } from '../twilio/content-routes.ts';
import type { MessageLife } from '../twilio/message-life.ts';
import { addNumber, freeNumbers } from '../twilio/number-routes.ts';
import { Refused } from '../twilio/refusals.ts';
import type { TwilioAccount, TwilioNumber, TwilioSender, TwilioService } from '../twilio/rows.ts';
import { newSid, newToken, TwilioStore } from '../twilio/twilio-store.ts';
import type { TwilioWebhooks } from '../twilio/twilio-webhooks.ts';
import { twilioPeopleRoutes } from './twilio-people.ts';
import { twilioViews } from './twilio-views.ts';
import { unknown, withBody } from './with-body.ts';

export type TwilioControl = { readonly state: SandboxState; readonly life: MessageLife; readonly twilioWebhooks: TwilioWebhooks; readonly publicUrl: string; readonly now: () => Date };

export const e164 = z.string().regex(/^\+[1-9]\d{6,14}$/, 'use the international form, such as +15005550006');
const accountSid = z.string().regex(/^AC[0-9a-f]{32}$/i);
const receipts = z.enum(['none', 'sent', 'delivered', 'read']);
const senderStatus = z.enum(['CREATING', 'ONLINE', 'OFFLINE', 'PENDING_VERIFICATION', 'VERIFYING', 'ONLINE:UPDATING', 'TWILIO_REVIEW', 'DRAFT', 'STUBBED']);
const settings = z.record(z.string(), z.string()).default({});

const accountSettings = { receipts: receipts.optional(), mediaAuth: z.boolean().optional(), mediaRedirect: z.url().nullable().optional(), advancedOptOut: z.boolean().optional() };
const accountSchema = z.strictObject({ accountSid: accountSid.optional(), authToken: z.string().min(1).optional(), friendlyName: z.string().optional(), ownerAccountSid: accountSid.optional(), ...accountSettings });
const numberSchema = z.strictObject({ phoneNumber: e164.optional(), country: z.string().length(2).default('US'), capabilities: z.strictObject({ voice: z.boolean(), sms: z.boolean(), mms: z.boolean(), fax: z.boolean() }).optional(), settings });
const serviceSchema = z.strictObject({ friendlyName: z.string().default('Service'), pool: z.array(z.string()).default([]), settings });
const senderSchema = z.strictObject({ phoneNumber: e164, status: senderStatus.default('ONLINE'), wabaId: z.string().optional(), webhook: z.record(z.string(), z.string()).default({}) });
const contentSchema = z.strictObject({ friendlyName: z.string().optional(), language: z.string().default('en'), variables: z.record(z.string(), z.string()).default({}), types: z.record(z.string(), z.unknown()), approved: z.boolean().default(true) });

const tenantSchema = z.strictObject({
  mainAccountSid: accountSid.optional(),
  accountSid: accountSid.optional(),
  authToken: z.string().min(1).optional(),
  friendlyName: z.string().optional(),
  phoneNumber: e164.optional(),
  country: z.string().length(2).default('US'),
  channels: z.array(z.enum(['whatsapp', 'sms', 'voice'])).min(1).default(['whatsapp', 'sms', 'voice']),
  senderStatus: senderStatus.default('ONLINE'),
  messagingService: z.boolean().default(false),
  ...accountSettings,
});

/** What somebody does in Twilio's console, and all that can be seen there. */
export function twilioControlRoutes(deps: TwilioControl): SandboxRoute[] {
  const { state, now } = deps;
  const store = new TwilioStore(state);

  const createAccount = withBody(accountSchema, (given) => {
    if (given.accountSid !== undefined && store.account(given.accountSid) !== undefined) return taken(given.accountSid);
    if (given.ownerAccountSid !== undefined && store.account(given.ownerAccountSid) === undefined) return unknown('account');
    const account = newAccount(given, given.ownerAccountSid);
    return { status: 201, json: { type: 'twilio', ...credentialsOf(account), platform: { ...credentialsOf(account), sandbox: true } } };
  });

  const newAccount = (given: z.output<typeof accountSchema> | z.output<typeof tenantSchema>, ownerSid: string | undefined): TwilioAccount => {
    const { accountSid: sid = newSid('AC'), authToken = newToken(), friendlyName } = given;
    return addAccount(store, { sid, ownerSid: ownerSid ?? sid, authToken, ...(friendlyName === undefined ? {} : { friendlyName }), ...settingsOf(given) }, now());
  };

  /** A subaccount with a number, a WhatsApp sender, and what else a connection needs: ready credentials. */
  const createTenant = withBody(tenantSchema, (given) => {
    if (given.accountSid !== undefined && store.account(given.accountSid) !== undefined) return taken(given.accountSid);
    if (given.phoneNumber !== undefined && store.numberOwner(given.phoneNumber) !== undefined) return taken(given.phoneNumber);
    const main = given.mainAccountSid === undefined ? addAccount(store, { friendlyName: 'Main account' }, now()) : store.account(given.mainAccountSid);
    if (main === undefined) return unknown('account');
    const account = newAccount(given, main.sid);
    const phoneNumber = given.phoneNumber ?? freeNumbers(store, given.country, undefined, 1)[0];
    if (phoneNumber === undefined) return unknown('country');
    const number = addNumber(store, { accountSid: account.sid, phoneNumber }, now());
    const sender = given.channels.includes('whatsapp') ? addSender(account.sid, { phoneNumber, status: given.senderStatus, webhook: {} }) : undefined;
    const service = given.messagingService ? addService(account.sid, { friendlyName: 'Service', pool: [number.sid, ...(sender ? [sender.sid] : [])], settings: {} }) : undefined;
    return {
      status: 201,
      json: {
        type: 'twilio',
        credentials: { ...credentialsOf(account), phoneNumber, ...(service && { messagingServiceSid: service.sid }), channels: given.channels, sandbox: true },
        mainAccountSid: main.sid,
        numberSid: number.sid,
        ...(sender && { senderSid: sender.sid }),
        ...(service && { messagingServiceSid: service.sid }),
      },
    };
  });

  const addSender = (owner: string, given: z.output<typeof senderSchema>): TwilioSender => {
    const sender: TwilioSender = { sid: newSid('XE'), accountSid: owner, senderId: `whatsapp:${given.phoneNumber}`, status: given.status, friendlyName: null, configuration: { waba_id: given.wabaId ?? '102290129340398' }, webhook: given.webhook, profile: { name: 'Sandbox' } };
    store.put('twilioSender', sender.sid, sender);
    return sender;
  };

  const addService = (owner: string, given: z.output<typeof serviceSchema>): TwilioService => {
    const at = now().toISOString();
    const service: TwilioService = { sid: newSid('MG'), accountSid: owner, createdAt: at, updatedAt: at, settings: { FriendlyName: given.friendlyName, ...given.settings }, pool: given.pool };
    store.put('twilioService', service.sid, service);
    return service;
  };

  const forAccount = <Schema extends z.ZodType>(schema: Schema, act: (account: TwilioAccount, given: z.output<Schema>, exchange: Exchange) => Answer) =>
    withBody(schema, (given, exchange) => {
      const account = store.account(exchange.match[0] ?? '');
      return account === undefined ? unknown('account') : act(account, given, exchange);
    });

  const changeAccount = forAccount(z.strictObject({ ...accountSettings, status: z.enum(['active', 'suspended', 'closed']).optional() }), (account, given) => {
    const changed = store.putAccount({ ...account, ...settingsOf(given), status: given.status ?? account.status });
    return { status: 200, json: { accountSid: changed.sid, status: changed.status, receipts: changed.receipts, mediaAuth: changed.mediaAuth, mediaRedirect: changed.mediaRedirect, advancedOptOut: changed.advancedOptOut } };
  });

  const createNumber = forAccount(numberSchema, (account, given) => {
    const phoneNumber = given.phoneNumber ?? freeNumbers(store, given.country, undefined, 1)[0];
    if (phoneNumber === undefined) return unknown('country');
    if (store.numberOwner(phoneNumber) !== undefined) return taken(phoneNumber);
    const number: TwilioNumber = addNumber(store, { accountSid: account.sid, phoneNumber, settings: given.settings, ...(given.capabilities && { capabilities: given.capabilities }) }, now());
    return { status: 201, json: { numberSid: number.sid, phoneNumber } };
  });

  const changeSender = forAccount(z.strictObject({ status: senderStatus }), (account, given, exchange) => {
    const sender = store.find('twilioSender', account.sid, exchange.match[1] ?? '');
    if (sender === undefined) return unknown('sender');
    store.put('twilioSender', sender.sid, { ...sender, status: given.status });
    return { status: 200, json: { senderSid: sender.sid, status: given.status } };
  });

  const createContent = forAccount(contentSchema, (account, given) => {
    try {
      const content = contentFrom({ ...given, friendly_name: given.friendlyName }, account.sid, given.approved, now());
      store.put('twilioContent', content.sid, content);
      return { status: 201, json: { contentSid: content.sid, approved: content.approved } };
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      throw error;
    }
  });

  const approveContent = forAccount(z.strictObject({ approved: z.boolean() }), (account, given, exchange) => {
    const content = store.find('twilioContent', account.sid, exchange.match[1] ?? '');
    if (content === undefined) return unknown('content');
    store.put('twilioContent', content.sid, { ...content, approved: given.approved });
    return { status: 200, json: { contentSid: content.sid, approved: given.approved } };
  });

  return [
    { method: 'POST', path: '/sandbox/twilio/tenants', handle: createTenant },
    { method: 'POST', path: '/sandbox/twilio/accounts', handle: createAccount },
    { method: 'PATCH', path: '/sandbox/twilio/accounts/:account', handle: changeAccount },
    { method: 'POST', path: '/sandbox/twilio/accounts/:account/numbers', handle: createNumber },
    { method: 'POST', path: '/sandbox/twilio/accounts/:account/services', handle: forAccount(serviceSchema, (account, given) => ({ status: 201, json: { messagingServiceSid: addService(account.sid, given).sid } })) },
    { method: 'POST', path: '/sandbox/twilio/accounts/:account/senders', handle: forAccount(senderSchema, (account, given) => ({ status: 201, json: { senderSid: addSender(account.sid, given).sid } })) },
    { method: 'PATCH', path: '/sandbox/twilio/accounts/:account/senders/:sender', handle: changeSender },
    { method: 'POST', path: '/sandbox/twilio/accounts/:account/contents', handle: createContent },
    { method: 'PATCH', path: '/sandbox/twilio/accounts/:account/contents/:content', handle: approveContent },
    ...twilioPeopleRoutes(deps),
    ...twilioViews(deps),
  ];
}

function credentialsOf(account: TwilioAccount): { accountSid: string; authToken: string } {
  return { accountSid: account.sid, authToken: account.authToken };
}

function settingsOf(given: { [Name in keyof typeof accountSettings]?: z.output<(typeof accountSettings)[Name]> }): Partial<TwilioAccount> {
  return {
    ...(given.receipts === undefined ? {} : { receipts: given.receipts }),
    ...(given.mediaAuth === undefined ? {} : { mediaAuth: given.mediaAuth }),
    ...(given.mediaRedirect === undefined ? {} : { mediaRedirect: given.mediaRedirect }),
    ...(given.advancedOptOut === undefined ? {} : { advancedOptOut: given.advancedOptOut }),
  };
}

function taken(what: string): Answer {
  return { status: 409, json: { error: `${what} is there already` } };
}
