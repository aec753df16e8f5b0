import twilio from 'twilio';
import type { Asked, SandboxWorld } from './sandbox-world.ts';

export type TwilioRoom = {
  readonly accountSid: string;
  readonly authToken: string;
  readonly phoneNumber: string;
  readonly mainAccountSid: string;
  readonly numberSid: string;
  readonly senderSid: string;
  /** A form or a query to the 2010 API, below the account; with the account's own credentials unless others are given. */
  call(method: string, path: string, form?: Record<string, string> | URLSearchParams, as?: readonly [string, string]): Promise<Asked>;
  control(method: string, path: string, body?: unknown): Promise<Asked>;
};

export const basic = ([user, password]: readonly [string, string]): Record<string, string> => ({ authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` });

const formHeader = { 'content-type': 'application/x-www-form-urlencoded' };

/** Any path of Twilio, with a form for POST and a query for GET. */
export function askTwilio(world: SandboxWorld, method: string, path: string, as: readonly [string, string], form?: Record<string, string> | URLSearchParams): Promise<Asked> {
  const text = new URLSearchParams(form).toString();
  return method === 'POST' ? world.ask(method, `/twilio${path}`, text, { ...formHeader, ...basic(as) }) : world.ask(method, `/twilio${path}${text === '' ? '' : `?${text}`}`, undefined, basic(as));
}

/** A subaccount with a number, WhatsApp and voice, as one control call makes it. */
export async function twilioRoom(world: SandboxWorld, given: Record<string, unknown> = {}): Promise<TwilioRoom> {
  const { json } = await world.ask('POST', '/sandbox/twilio/tenants', given);
  // The form of the control route's answer.
  const { credentials, mainAccountSid, numberSid, senderSid } = json as { credentials: { accountSid: string; authToken: string; phoneNumber: string }; mainAccountSid: string; numberSid: string; senderSid: string };
  const { accountSid, authToken, phoneNumber } = credentials;
  return {
    accountSid,
    authToken,
    phoneNumber,
    mainAccountSid,
    numberSid,
    senderSid,
    call: (method, path, form, as = [accountSid, authToken]) => askTwilio(world, method, `/2010-04-01/Accounts/${accountSid}${path}`, as, form),
    control: (method, path, body) => world.ask(method, `/sandbox/twilio/accounts/${accountSid}${path}`, body),
  };
}

/** Twilio's own library, whose calls to any of its hosts go to the sandbox. Every exchange is kept in `exchanges`. */
export function officialClient(world: SandboxWorld, [user, password]: readonly [string, string], accountSid?: string) {
  const exchanges: { method: string; url: string; status: number; body: unknown }[] = [];
  const httpClient = new twilio.RequestClient();
  httpClient.request = async <T>(asked: Parameters<typeof httpClient.request>[0]) => {
    const query = new URLSearchParams(Object.entries(asked.params ?? {}).map(([name, value]): [string, string] => [name, String(value)])).toString();
    const url = asked.uri.replace(/^https:\/\/\w+\.twilio\.com/, '/twilio') + (query === '' ? '' : `?${query}`);
    const isJson = asked.headers?.['Content-Type'] === 'application/json';
    const body = asked.data === undefined ? '' : isJson ? JSON.stringify(asked.data) : formOf(asked.data as Record<string, unknown>);
    const answer = await world.ask(asked.method.toUpperCase(), url, body, { 'content-type': isJson ? 'application/json' : formHeader['content-type'], ...basic([asked.username ?? '', asked.password ?? '']) });
    exchanges.push({ method: asked.method.toUpperCase(), url, status: answer.status, body: answer.json });
    return { statusCode: answer.status, body: answer.json as T, headers: answer.headers, toString: () => answer.text };
  };
  return { client: twilio(user, password, { httpClient, ...(accountSid === undefined ? {} : { accountSid }) }), exchanges };
}

/** A list is the same field several times. */
function formOf(given: Record<string, unknown>): string {
  return new URLSearchParams(Object.entries(given).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).filter((one) => one !== undefined).map((one): [string, string] => [name, String(one)]))).toString();
}
