import { newId, type TenantId, type WebhookConnection } from '@switchboard/contracts';
import { providers } from '@switchboard/providers';
import { signWebhook, withBodyHash } from '@switchboard/providers/webhook-auth';
import { randomBytes } from 'node:crypto';

/** An id as Twilio makes them: two letters and 32 hexadecimal digits. */
export const twilioSid = (prefix: 'AC' | 'SM' | 'MM' | 'CA' | 'RE' | 'TR' | 'MG') => prefix + randomBytes(16).toString('hex');

/** A sender in a subaccount of the tenant, with the identifiers that tenant-service writes. */
export function twilioConnection(
  tenantId: TenantId,
  { accountSid, authToken, phoneNumber, service, ...more }: Partial<WebhookConnection> & { readonly accountSid: string; readonly authToken: string; readonly phoneNumber?: string; readonly service?: string },
): WebhookConnection {
  const routingIdentifiers = {
    sender: `${accountSid}/${phoneNumber ?? service ?? ''}`,
    accountSid,
    ...(service === undefined ? {} : { service: `${accountSid}/${service}` }),
    account: accountSid,
  };
  return {
    tenantId,
    connectionId: newId('con'),
    provider: 'twilio',
    status: 'active',
    version: 1,
    routingIdentifiers,
    webhookSecrets: [{ value: authToken, expiresAt: null }],
    verifyToken: null,
    answerSettings: { accountSid, language: 'en-US', voicemailMaxSeconds: '120', voicemailSilenceSeconds: '5', transcribe: 'true' },
    ...more,
  };
}

export type TwilioFields = Readonly<Record<string, string>>;

/** An SMS from a contact. */
export function twilioMessage(accountSid: string, to: string, more: TwilioFields = {}): TwilioFields {
  const messageSid = twilioSid('SM');
  return { AccountSid: accountSid, ApiVersion: '2010-04-01', Body: 'Olá 👋 100% + ok', From: '+15005550111', FromCity: '', MessageSid: messageSid, NumMedia: '0', NumSegments: '1', SmsMessageSid: messageSid, SmsSid: messageSid, SmsStatus: 'received', To: to, ...more };
}

/** A call from a contact. */
export function twilioCall(accountSid: string, to: string, more: TwilioFields = {}): TwilioFields {
  return { AccountSid: accountSid, ApiVersion: '2010-04-01', CallSid: twilioSid('CA'), CallStatus: 'ringing', Direction: 'inbound', From: '+15005550111', FromCountry: 'US', To: to, ...more };
}

export type TwilioRequest = { readonly path: string; readonly headers: Record<string, string>; readonly body: string };

/** A form as Twilio posts it to this address: `publicUrl` is where Twilio thinks it goes. */
export function twilioForm(publicUrl: string, path: string, fields: TwilioFields | readonly (readonly [string, string])[], authToken: string): TwilioRequest {
  const body = new URLSearchParams(fields as Record<string, string>).toString(); // both shapes are taken
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
  return { path, body, headers: { ...headers, ...signWebhook(providers.twilio.webhook.auth, { url: publicUrl + path, body: Buffer.from(body), headers }, authToken) } };
}

/** JSON as Twilio posts it: its hash stands in the address. */
export function twilioJson(publicUrl: string, path: string, value: unknown, authToken: string): TwilioRequest {
  const body = JSON.stringify(value);
  const hashed = withBodyHash(path, Buffer.from(body));
  const headers = { 'content-type': 'application/json' };
  return { path: hashed, body, headers: { ...headers, ...signWebhook(providers.twilio.webhook.auth, { url: publicUrl + hashed, body: Buffer.from(body), headers }, authToken) } };
}
