import { createHmac, randomBytes } from 'node:crypto';
import { startFakeServer } from './fake-server.ts';

export type MetaNumber = { readonly phoneNumberId: string; readonly wabaId: string; readonly accessToken: string; readonly appSecret: string; readonly verifyToken: string };

/** A message the hub handed to Meta. */
export type SentToContact = { readonly phoneNumberId: string; readonly token: string; readonly wamid: string; readonly body: { to: string; type: string; text?: { body: string }; biz_opaque_callback_data?: string; [more: string]: unknown } };

/** Meta's Graph API as far as a business needs it, written from Meta's documents, not from the hub's code. */
export class FakeMeta {
  readonly sent: SentToContact[] = [];
  readonly numbers = new Map<string, MetaNumber>();
  readonly media = new Map<string, { bytes: Buffer; mimeType: string; token: string }>();
  url = '';
  private server: { close(): Promise<void> } | undefined;

  async start(): Promise<void> {
    const server = await startFakeServer(({ method, path, headers, body }) => {
      const token = (headers.authorization ?? '').replace('Bearer ', '');
      const [, , id = '', action] = path.split('/');
      const number = this.numbers.get(id);
      if (path.startsWith('/download/')) {
        const media = this.media.get(action ?? id);
        if (media === undefined) return { status: 404 };
        return media.token === token ? { status: 200, bytes: media.bytes, type: media.mimeType } : { status: 401 };
      }
      if (action === 'subscribed_apps') return { status: 200, json: { success: true } };
      if (number === undefined) {
        const media = this.media.get(id);
        if (media && media.token === token) return { status: 200, json: { id, url: `${this.url}/download/x/${id}`, mime_type: media.mimeType, file_size: String(media.bytes.length) } };
        return { status: 400, json: { error: { code: 100, message: 'Unsupported get request', type: 'GraphMethodException' } } };
      }
      if (token !== number.accessToken) return { status: 401, json: { error: { code: 190, message: 'Invalid OAuth access token.', type: 'OAuthException' } } };
      if (method === 'GET') return { status: 200, json: { id, display_phone_number: '15550000000', verified_name: 'Fake' } };
      if (action === 'media') {
        const mediaId = randomBytes(8).readBigUInt64BE().toString();
        this.media.set(mediaId, { bytes: body, mimeType: 'application/octet-stream', token });
        return { status: 200, json: { id: mediaId } };
      }
      const message = JSON.parse(body.toString()) as SentToContact['body'];
      const wamid = `wamid.${randomBytes(12).toString('hex')}`;
      this.sent.push({ phoneNumberId: id, token, wamid, body: message });
      return { status: 200, json: { messaging_product: 'whatsapp', contacts: [{ input: message.to, wa_id: message.to }], messages: [{ id: wamid }] } };
    });
    this.url = server.url;
    this.server = server;
  }

  addNumber(tenant: string, overrides: Partial<MetaNumber> = {}): MetaNumber {
    const secret = (name: string) => `${tenant}-${name}-${randomBytes(16).toString('hex')}`;
    const number = { phoneNumberId: String(7e14 + Math.floor(Math.random() * 1e13)), wabaId: String(9e14 + Math.floor(Math.random() * 1e13)), accessToken: secret('token'), appSecret: secret('app'), verifyToken: secret('verify'), ...overrides };
    this.numbers.set(number.phoneNumberId, number);
    return number;
  }

  async close(): Promise<void> {
    await this.server?.close();
  }
}

export type InboundText = { readonly from: string; readonly id: string; readonly text: string; readonly name?: string };

/** `entry[].changes[]` of one number with these messages. */
export function entryOf(number: Pick<MetaNumber, 'phoneNumberId' | 'wabaId'>, messages: readonly InboundText[]): Record<string, unknown> {
  return {
    id: number.wabaId,
    changes: [
      {
        field: 'messages',
        value: {
          messaging_product: 'whatsapp',
          metadata: { display_phone_number: '15550000000', phone_number_id: number.phoneNumberId },
          contacts: messages.map(({ from, name }) => ({ profile: { name: name ?? from }, wa_id: from })),
          messages: messages.map(({ from, id, text }) => ({ from, id, timestamp: String(Math.floor(Date.now() / 1000)), type: 'text', text: { body: text } })),
        },
      },
    ],
  };
}

/** The body Meta posts: escaped as Meta escapes. */
export function bodyOf(...entries: Record<string, unknown>[]): string {
  return JSON.stringify({ object: 'whatsapp_business_account', entry: entries }).replaceAll('/', String.raw`\/`);
}

export function signAsMeta(body: string, appSecret: string): string {
  return `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`;
}

/** Posts a webhook as Meta does; the status is Meta's only interest. */
export async function postAsMeta(url: string, body: string, signature: string): Promise<number> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature }, body, signal: AbortSignal.timeout(15_000) });
  await response.arrayBuffer();
  return response.status;
}
