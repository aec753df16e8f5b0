import { z } from 'zod';
import { unverified, type Unverified } from './connect-strategy.ts';
import { readAnswer, refusalOf, type TwilioCall } from './twilio-client.ts';
import type { TwilioNumber } from './twilio-number.ts';
import { isSameAddress, isSameUrl } from './twilio-urls.ts';

const text = z.string().nullish();
const serviceSchema = z.object({
  sid: z.string(),
  friendly_name: text,
  inbound_request_url: text,
  inbound_method: text,
  fallback_url: text,
  status_callback: text,
  use_inbound_webhook_on_number: z.boolean().nullish(),
});
type Service = z.output<typeof serviceSchema>;

/** Services of one account that are looked through for a number; an account has few. */
const servicesMax = 50;

/** Has a messaging service send what it receives to the hub, whatever its numbers say, and looks whether Twilio kept that. */
export async function setService(call: TwilioCall, serviceSid: string, url: string): Promise<Unverified | undefined> {
  const found = await fetchService(call, serviceSid);
  if (found.kind === 'unverified') return found;
  if (isKept(found.value, url)) return undefined;
  const form = { InboundRequestUrl: url, InboundMethod: 'POST', FallbackUrl: url, FallbackMethod: 'POST', StatusCallback: url, UseInboundWebhookOnNumber: 'false' };
  const refused = refusalOf(await call('POST', 'messaging', servicePath(serviceSid), { form }), `set the address of messaging service ${serviceSid}`);
  if (refused !== undefined) return refused;
  const read = await fetchService(call, serviceSid);
  if (read.kind === 'unverified') return read;
  return isKept(read.value, url) ? undefined : unverified(`Twilio did not keep the hub's address in messaging service ${serviceSid}; something else sets it too. It is tried again.`, true, 'provider.rejected');
}

/** Whether a messaging service sends what it receives to the hub; why not, else. */
export async function serviceFault(call: TwilioCall, serviceSid: string, url: string): Promise<Unverified | undefined> {
  const found = await fetchService(call, serviceSid);
  if (found.kind === 'unverified') return found;
  return isSameAddress(found.value.inbound_request_url, url) && found.value.use_inbound_webhook_on_number !== true ? undefined : unverified(`Messaging service ${serviceSid} sends what it receives elsewhere than to the hub. Post the credentials again.`, false, 'provider.rejected');
}

/** Takes the hub's addresses back from a messaging service, where they are still its own. True: something was taken back. */
export async function clearService(call: TwilioCall, serviceSid: string, url: string): Promise<boolean | Unverified> {
  const answer = await call('GET', 'messaging', servicePath(serviceSid));
  if (answer.kind === 'answer' && answer.status === 404) return false;
  const found = readAnswer(answer, serviceSchema, `find messaging service ${serviceSid}`);
  if (found.kind === 'unverified') return found;
  const form = {
    ...(isSameAddress(found.value.inbound_request_url, url) && { InboundRequestUrl: '' }),
    ...(isSameAddress(found.value.fallback_url, url) && { FallbackUrl: '' }),
    ...(isSameAddress(found.value.status_callback, url) && { StatusCallback: '' }),
  };
  if (Object.keys(form).length === 0) return false;
  return refusalOf(await call('POST', 'messaging', servicePath(serviceSid), { form }), `take the address of messaging service ${serviceSid} back`) ?? true;
}

export type Pool = { readonly kind: 'clear' } | { readonly kind: 'by_hand'; readonly toDo: string } | Unverified;

/**
 * A number in the pool of a messaging service does what that says, not what is set on the number. One that sends nowhere, so that Twilio drops what
 * comes in, is given the hub's address; one that sends elsewhere is the tenant's to decide. `ownServiceSid`: the connection's, which is set by itself.
 */
export async function settlePool(call: TwilioCall, number: TwilioNumber, ownServiceSid: string | undefined, url: string): Promise<Pool> {
  const listed = readAnswer(await call('GET', 'messaging', '/v1/Services?PageSize=50'), z.object({ services: z.array(serviceSchema) }), 'list the messaging services of the account');
  if (listed.kind === 'unverified') return listed;
  for (const service of listed.value.services.slice(0, servicesMax)) {
    if (service.sid === ownServiceSid) continue;
    const answer = await call('GET', 'messaging', `${servicePath(service.sid)}/PhoneNumbers/${encodeURIComponent(number.sid)}`);
    if (answer.kind === 'answer' && answer.status === 404) continue;
    const refused = refusalOf(answer, `look into messaging service ${service.sid}`);
    if (refused !== undefined) return refused;
    return await settleService(call, service, number, url);
  }
  return { kind: 'clear' };
}

async function settleService(call: TwilioCall, service: Service, number: TwilioNumber, url: string): Promise<Pool> {
  if (service.use_inbound_webhook_on_number === true || isSameAddress(service.inbound_request_url, url)) return { kind: 'clear' };
  if ((service.inbound_request_url ?? '') === '') return (await setService(call, service.sid, url)) ?? { kind: 'clear' };
  const { host } = new URL(service.inbound_request_url ?? '', 'https://unknown.invalid');
  return {
    kind: 'by_hand',
    toDo: `The number ${number.phone_number} is in the pool of messaging service ${service.sid} (${service.friendly_name ?? ''}), whose own address at ${host} wins for messages. In the Twilio console take the number out of the service, or set its integration to "Defer to sender's webhook"; or connect the service itself with messagingServiceSid.`,
  };
}

async function fetchService(call: TwilioCall, serviceSid: string): Promise<{ readonly kind: 'read'; readonly value: Service } | Unverified> {
  const answer = await call('GET', 'messaging', servicePath(serviceSid));
  if (answer.kind === 'answer' && answer.status === 404) return unverified(`The Twilio account has no messaging service ${serviceSid}. Check messagingServiceSid. It is tried again.`, true, 'provider.not_found');
  return readAnswer(answer, serviceSchema, `find messaging service ${serviceSid}`);
}

function isKept(service: Service, url: string): boolean {
  return isSameUrl(service.inbound_request_url, url) && service.inbound_method === 'POST' && isSameUrl(service.fallback_url, url) && isSameUrl(service.status_callback, url) && service.use_inbound_webhook_on_number !== true;
}

function servicePath(serviceSid: string): string {
  return `/v1/Services/${encodeURIComponent(serviceSid)}`;
}
