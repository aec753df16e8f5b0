import { createHash, randomBytes } from 'node:crypto';
import { bearerOf, jsonObjectOf, type Answer, type Exchange, type SandboxRoute } from '../exchange.ts';
import { parseMultipart } from '../parse-multipart.ts';
import type { MetaAccount, SandboxState } from '../sandbox-state.ts';
import { checkOutgoingMessage } from './check-outgoing-message.ts';
import type { MetaWebhooks } from './meta-webhooks.ts';

/** A media URL of Meta works for five minutes (contract, section 8.3). */
const mediaUrlLifeMs = 5 * 60_000;
const windowMs = 24 * 3_600_000;

type Deps = { readonly state: SandboxState; readonly webhooks: MetaWebhooks; readonly publicUrl: string; readonly now: () => Date };

/** Graph API, as far as whatsapp-connector and tenant-service use it. Paths start with the version (`/v25.0/…`). */
export function metaGraphRoutes({ state, webhooks, publicUrl, now }: Deps): SandboxRoute[] {
  const send = async (exchange: Exchange): Promise<Answer> => {
    const account = accountFor(state, exchange, exchange.match[1]);
    if ('answer' in account) return account.answer;
    const body = jsonObjectOf(exchange);
    if (body === undefined) return metaError(400, 100, 'Invalid parameter', 'body is not JSON');
    const refusal = checkOutgoingMessage(body);
    if (refusal) return metaError(400, refusal.code, 'Invalid parameter', refusal.details);
    if (body['status'] === 'read') {
      state.push('metaReceived', account.phoneNumberId, { at: now().toISOString(), path: exchange.url.pathname, token: account.accessToken, body, id: '' });
      return { status: 200, json: { success: true } };
    }
    const contact = String(body['to'] ?? body['recipient']).replaceAll(/[^\w.]/g, '');
    const window = state.get('metaWindow', `${account.phoneNumberId}:${contact}`);
    const isOpen = window !== undefined && now().getTime() - Date.parse(window.at) < windowMs;
    if (!isOpen && body['type'] !== 'template') return metaError(400, 131047, 'Re-engagement message', 'More than 24 hours have passed since the recipient last replied');

    const id = `wamid.${randomBytes(18).toString('base64url')}`;
    state.push('metaReceived', account.phoneNumberId, { at: now().toISOString(), path: exchange.url.pathname, token: account.accessToken, body, id });
    webhooks.sendStatuses(account, { id, contact, callbackData: typeof body['biz_opaque_callback_data'] === 'string' ? body['biz_opaque_callback_data'] : undefined });
    return {
      status: 200,
      json: { messaging_product: 'whatsapp', contacts: [{ input: String(body['to'] ?? body['recipient']), wa_id: contact }], messages: [{ id }] },
    };
  };

  const upload = (exchange: Exchange): Answer => {
    const account = accountFor(state, exchange, exchange.match[1]);
    if ('answer' in account) return account.answer;
    const form = parseMultipart(exchange.headers['content-type'], exchange.body);
    const file = form?.find((part) => part.name === 'file');
    const product = form?.find((part) => part.name === 'messaging_product');
    if (file === undefined || product?.bytes.toString() !== 'whatsapp') return metaError(400, 100, 'Invalid parameter', 'file and messaging_product are needed');
    const type = form?.find((part) => part.name === 'type')?.bytes.toString() ?? file.contentType;
    if (type === undefined) return metaError(400, 131053, 'Media upload error', 'type is missing');
    const id = String(Date.now()) + String(Math.floor(Math.random() * 1e6)).padStart(6, '0');
    state.put('media', id, { id, mimeType: type, base64: file.bytes.toString('base64'), owner: account.phoneNumberId });
    return { status: 200, json: { id } };
  };

  const resolve = (exchange: Exchange): Answer => {
    const token = bearerOf(exchange);
    const [version, id] = [exchange.match[0], exchange.match[1] ?? ''];
    const number = state.get('metaAccount', id);
    if (number) {
      if (token !== number.accessToken) return unauthorized();
      return { status: 200, json: { id: number.phoneNumberId, display_phone_number: number.displayPhoneNumber, verified_name: 'Sandbox', quality_rating: 'GREEN' } };
    }
    const media = state.get('media', id);
    const owner = media && state.get('metaAccount', media.owner);
    if (!media || !owner) return state.all('metaAccount').some((account) => account.accessToken === token) ? unknownObject(id) : unauthorized();
    if (token !== owner.accessToken) return unauthorized();
    const bytes = Buffer.from(media.base64, 'base64');
    const expires = now().getTime() + mediaUrlLifeMs;
    return {
      status: 200,
      json: {
        messaging_product: 'whatsapp',
        url: `${publicUrl}/whatsapp/${version}/attachments/${id}?ext=${expires}`,
        mime_type: media.mimeType,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        file_size: String(bytes.length),
        id,
      },
    };
  };

  const download = (exchange: Exchange): Answer => {
    const media = state.get('media', exchange.match[1] ?? '');
    const owner = media && state.get('metaAccount', media.owner);
    if (!media || !owner || Number(exchange.url.searchParams.get('ext')) < now().getTime()) return { status: 404 };
    if (bearerOf(exchange) !== owner.accessToken) return unauthorized();
    return { status: 200, bytes: Buffer.from(media.base64, 'base64'), headers: { 'content-type': media.mimeType } };
  };

  const subscribe = (exchange: Exchange): Answer => {
    const account = state.all('metaAccount').find((candidate) => candidate.wabaId === exchange.match[1]);
    if (account === undefined) return unknownObject(exchange.match[1] ?? '');
    return bearerOf(exchange) === account.accessToken ? { status: 200, json: { success: true } } : unauthorized();
  };

  return [
    { method: 'POST', path: '/whatsapp/:version/:phoneNumberId/messages', handle: send },
    { method: 'POST', path: '/whatsapp/:version/:phoneNumberId/media', handle: upload },
    { method: 'POST', path: '/whatsapp/:version/:wabaId/subscribed_apps', handle: subscribe },
    { method: 'DELETE', path: '/whatsapp/:version/:wabaId/subscribed_apps', handle: subscribe },
    { method: 'GET', path: '/whatsapp/:version/attachments/:mediaId', handle: download },
    { method: 'GET', path: '/whatsapp/:version/:objectId', handle: resolve },
  ];
}

/** Meta's error body; decisions are made on `code` and `error_data.details`. */
export function metaError(status: number, code: number, title: string, details: string): Answer {
  return {
    status,
    json: { error: { message: `(#${code}) ${title}`, type: 'OAuthException', code, error_data: { messaging_product: 'whatsapp', details }, fbtrace_id: randomBytes(8).toString('hex') } },
  };
}

function unauthorized(): Answer {
  return metaError(401, 190, 'Invalid OAuth access token', 'The access token could not be decrypted or has expired');
}

function unknownObject(id: string): Answer {
  return metaError(400, 100, 'Unsupported request', `Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation`);
}

function accountFor(state: SandboxState, exchange: Exchange, phoneNumberId = ''): MetaAccount | { answer: Answer } {
  const account = state.get('metaAccount', phoneNumberId);
  const token = bearerOf(exchange);
  if (account === undefined) return { answer: state.all('metaAccount').some((other) => other.accessToken === token) ? unknownObject(phoneNumberId) : unauthorized() };
  return token === account.accessToken ? account : { answer: unauthorized() };
}
