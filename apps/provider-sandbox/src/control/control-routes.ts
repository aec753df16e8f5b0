import { randomBytes, randomInt } from 'node:crypto';
import { z } from 'zod';
import type { SandboxRoute } from '../exchange.ts';
import { faultSchema, type Faults } from '../faults.ts';
import type { GenesysWebhooks } from '../genesys/genesys-webhooks.ts';
import type { MetaWebhooks } from '../meta/meta-webhooks.ts';
import type { GenesysIntegration, MetaAccount, SandboxState } from '../sandbox-state.ts';
import { unknown, withBody } from './with-body.ts';

type Deps = {
  readonly state: SandboxState;
  readonly faults: Faults;
  readonly metaWebhooks: MetaWebhooks;
  readonly genesysWebhooks: GenesysWebhooks;
  readonly webhookUrl: string;
  readonly publicUrl: string;
  readonly now: () => Date;
};

const secret = () => randomBytes(24).toString('base64url');

const metaAccountSchema = z.strictObject({
  phoneNumberId: z.string().regex(/^\d+$/).default(() => String(randomInt(1e12, 1e13))),
  displayPhoneNumber: z.string().default(() => `1555${randomInt(1e6, 1e7)}`),
  wabaId: z.string().regex(/^\d+$/).default(() => String(randomInt(1e12, 1e13))),
  appSecret: z.string().min(1).default(secret),
  accessToken: z.string().min(1).default(secret),
  verifyToken: z.string().min(1).default(secret),
  webhookUrl: z.url().optional(),
  receipts: z.enum(['none', 'delivered', 'read']).default('delivered'),
});

const genesysAccountSchema = z.strictObject({
  clientId: z.string().min(1).default(() => randomBytes(12).toString('hex')),
  clientSecret: z.string().min(1).default(secret),
  region: z.string().default('mypurecloud.de'),
});

const mediaSchema = z.strictObject({ mimeType: z.string(), base64: z.base64(), fileName: z.string().optional(), caption: z.string().optional(), voice: z.boolean().optional() });

const receiveSchema = z.strictObject({
  from: z.string().min(1),
  name: z.string().optional(),
  text: z.string().optional(),
  media: mediaSchema.optional(),
  /** A message in Meta's own form, without `from`, `id` and `timestamp`. */
  message: z.record(z.string(), z.unknown()).optional(),
  id: z.string().optional(),
  /** Hours since the contact wrote: opens the window in the past. */
  hoursAgo: z.number().min(0).default(0),
});

const replySchema = z.strictObject({
  to: z.string().min(1),
  text: z.string().optional(),
  media: mediaSchema.optional(),
  content: z.array(z.unknown()).optional(),
  typing: z.boolean().optional(),
  id: z.string().optional(),
});

/** The control API: what a person at a phone, an agent at a desk and a bad day would do. Documented in the README beside this service. */
export function controlRoutes({ state, faults, metaWebhooks, genesysWebhooks, webhookUrl, publicUrl, now }: Deps): SandboxRoute[] {
  const addMetaAccount = withBody(metaAccountSchema, (given) => {
    const account: MetaAccount = { ...given, webhookUrl: given.webhookUrl ?? `${webhookUrl}/webhooks/whatsapp` };
    state.put('metaAccount', account.phoneNumberId, account);
    const { appSecret, verifyToken, accessToken, phoneNumberId, wabaId } = account;
    return { status: 201, json: { type: 'meta', credentials: { appSecret, verifyToken, accessToken, phoneNumberId, wabaId, sandbox: true } } };
  });

  const addGenesysAccount = withBody(genesysAccountSchema, (account) => {
    state.put('genesysAccount', account.clientId, account);
    return { status: 201, json: { type: 'genesys', credentials: { ...account, sandbox: true } } };
  });

  const receive = withBody(receiveSchema, async (given, exchange) => {
    const account = state.get('metaAccount', exchange.match[0] ?? '');
    if (account === undefined) return unknown('phone number');
    const id = given.id ?? `wamid.${randomBytes(18).toString('base64url')}`;
    const at = new Date(now().getTime() - given.hoursAgo * 3_600_000);
    const message = given.message ?? (given.media ? mediaMessage(given.media, account) : { type: 'text', text: { body: given.text ?? '' } });
    state.put('metaWindow', `${account.phoneNumberId}:${given.from}`, { at: at.toISOString() });
    const outcome = await metaWebhooks.send(account, {
      contacts: [{ profile: { name: given.name ?? given.from }, wa_id: given.from }],
      messages: [{ from: given.from, id, timestamp: String(Math.floor(at.getTime() / 1000)), ...message }],
    });
    return { status: 202, json: { id, ...outcome } };
  });

  const mediaMessage = (media: z.output<typeof mediaSchema>, account: MetaAccount): Record<string, unknown> => {
    const id = String(Date.now()) + String(randomInt(1e6));
    state.put('media', id, { id, mimeType: media.mimeType, base64: media.base64, owner: account.phoneNumberId });
    const family = media.mimeType.split('/')[0] ?? '';
    const type = family === 'image' || family === 'audio' || family === 'video' ? family : 'document';
    return {
      type,
      [type]: {
        id,
        mime_type: media.mimeType,
        ...(media.caption === undefined || type === 'audio' ? {} : { caption: media.caption }),
        ...(type === 'document' ? { filename: media.fileName ?? 'file' } : {}),
        ...(media.voice === true ? { voice: true } : {}),
      },
    };
  };

  const status = withBody(z.strictObject({ id: z.string(), contact: z.string(), status: z.string(), callbackData: z.string().optional(), errors: z.array(z.unknown()).optional() }), async (given, exchange) => {
    const account = state.get('metaAccount', exchange.match[0] ?? '');
    if (account === undefined) return unknown('phone number');
    return { status: 202, json: await metaWebhooks.sendStatus(account, given) };
  });

  const reply = withBody(replySchema, async (given, exchange) => {
    const integration = state.get('genesysIntegration', exchange.match[0] ?? '');
    if (integration === undefined) return unknown('integration');
    const content = given.media ? [attachment(given.media, integration)] : given.content;
    const events = given.typing === undefined ? undefined : [{ eventType: 'Typing', typing: { type: given.typing ? 'On' : 'Off', duration: 5000 } }];
    const { id, outcome } = await genesysWebhooks.send(integration, { to: given.to, text: given.text, content, events, type: events ? 'Event' : 'Text', id: given.id });
    return { status: 202, json: { id, ...outcome } };
  });

  const attachment = (media: z.output<typeof mediaSchema>, integration: GenesysIntegration) => {
    const id = randomBytes(16).toString('hex');
    state.put('media', id, { id, mimeType: media.mimeType, base64: media.base64, owner: integration.clientId });
    const family = media.mimeType.split('/')[0] ?? '';
    const mediaType = { image: 'Image', audio: 'Audio', video: 'Video' }[family] ?? 'File';
    return {
      contentType: 'Attachment',
      attachment: { id, mediaType, url: `${publicUrl}/genesys/api/v2/downloads/${id}`, mime: media.mimeType, filename: media.fileName ?? 'file', contentSizeBytes: Buffer.from(media.base64, 'base64').length },
    };
  };

  const disconnect = withBody(z.strictObject({ to: z.string() }), (given, exchange) => {
    const key = `${exchange.match[0] ?? ''}:${given.to}`;
    const conversation = state.get('genesysConversation', key);
    if (conversation === undefined) return unknown('conversation');
    state.put('genesysConversation', key, { ...conversation, connected: false });
    return { status: 200, json: { conversationId: conversation.conversationId } };
  });

  return [
    { method: 'POST', path: '/sandbox/whatsapp/accounts', handle: addMetaAccount },
    { method: 'POST', path: '/sandbox/whatsapp/:phoneNumberId/receive', handle: receive },
    { method: 'POST', path: '/sandbox/whatsapp/:phoneNumberId/status', handle: status },
    { method: 'GET', path: '/sandbox/whatsapp/:phoneNumberId/sent', handle: (exchange) => ({ status: 200, json: { data: state.list('metaReceived', exchange.match[0] ?? '').map(withoutToken) } }) },
    { method: 'POST', path: '/sandbox/genesys/accounts', handle: addGenesysAccount },
    { method: 'POST', path: '/sandbox/genesys/:integrationId/reply', handle: reply },
    { method: 'POST', path: '/sandbox/genesys/:integrationId/disconnect', handle: disconnect },
    { method: 'GET', path: '/sandbox/genesys/:integrationId/received', handle: (exchange) => ({ status: 200, json: { data: state.list('genesysReceived', exchange.match[0] ?? '').map(withoutToken) } }) },
    { method: 'POST', path: '/sandbox/faults', handle: withBody(faultSchema, (fault) => { faults.add(fault); return { status: 201, json: { fault } }; }) },
    { method: 'GET', path: '/sandbox/faults', handle: () => ({ status: 200, json: { data: faults.list() } }) },
    { method: 'DELETE', path: '/sandbox/faults', handle: () => { faults.clear(); return { status: 204 }; } },
  ];
}

/** Tokens stay in: the control API shows what was said, not with which key. Tests that must know compare `token` through the journal. */
function withoutToken<Row extends { token: string }>({ token: _token, ...rest }: Row): Omit<Row, 'token'> {
  return rest;
}
